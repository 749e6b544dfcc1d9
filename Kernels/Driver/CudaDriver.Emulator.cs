using System.Runtime.InteropServices;

namespace CudaSeq.Kernels;

// The driver may be the one of Tests/Emulator, which runs kernels on the processor. It is CUDA to all of this code but for the three things below.
internal static unsafe partial class CudaDriver
{
    /// <summary>The function by which the emulator is known.</summary>
    public const string EmulatorMark = "cudaseq_emulator_version";

    /// <summary>Whether the driver is the emulator.</summary>
    public static bool IsEmulated => HasFunction(EmulatorMark);

    /// <summary>The kernels that were compiled for the emulator and lie beside it; null where there are none.</summary>
    public static string? EmulatorImage()
        => Emulator.KernelImage != null ? Marshal.PtrToStringUTF8((nint)Emulator.KernelImage()) : null;

    /// <summary>
    /// Memory that a pool hands out again is as if never written, so that the emulator finds a kernel that reads what an earlier owner left. On a GPU there is
    /// nothing to do.
    /// </summary>
    public static void Forget(ulong address, nuint bytes, nint stream)
    {
        if (Emulator.Forget != null)
            _ = Emulator.Forget(address, bytes, stream);
    }

    private static class Emulator
    {
        public static readonly delegate* unmanaged<byte*> KernelImage = (delegate* unmanaged<byte*>)Optional("cudaseq_emulator_kernel_image");
        public static readonly delegate* unmanaged<ulong, nuint, nint, CudaResult> Forget = (delegate* unmanaged<ulong, nuint, nint, CudaResult>)Optional("cudaseq_emulator_forget");

        private static nint Optional(string name)
            => CudaLibraries.OfProcess.Find(CudaLibrary.Driver) is { Found: true } driver && NativeLibrary.TryGetExport(driver.Handle, name, out nint address) ? address : 0;
    }
}
