using System.Runtime.CompilerServices;
using CudaSeq.Kernels;

namespace CudaSeq.Tests;

/// <summary>
/// The devices tests compute on: the processor, and the one CUDA library that this process speaks to. That is the one CUDASEQ_CUDA_LIBRARY names, else NVIDIA's where
/// there is a GPU, else the emulator, which the build lays beside the tests.
/// </summary>
internal static class TestDevices
{
    public const string Processor = "cpu";
    public const string Gpu = "cuda";
    public const string Emulated = "cuda-emulated";

    // 1: only a real GPU will do.
    private const string GpuVariable = "CUDASEQ_TEST_GPU";

    // Kept open, so that kernels are loaded once and not for every test.
    private static readonly Lazy<CudaDevice> Anchor = new(() => new CudaDevice(0));

    public static string EmulatorFolder { get; } = Path.Combine(AppContext.BaseDirectory, "emulator");

    /// <summary>The emulated GPU or the real one, whichever this process speaks to.</summary>
    public static string Cuda { get; private set; } = Gpu;

    public static IReadOnlyList<string> All => [Processor, Cuda];

    /// <summary>Whether the emulated GPU watches every access.</summary>
    public static bool IsChecked => Cuda == Emulated && Environment.GetEnvironmentVariable("CUDASEQ_EMULATOR_LEVEL") == "checked";

    /// <summary>Why tests on a device are skipped; null where it can be used.</summary>
    /// <exception cref="InvalidOperationException">CUDASEQ_TEST_GPU=1 asks for a real GPU, and there is none.</exception>
    public static string? Absence(string device)
    {
        if (device != Processor && CudaVariables.IsOn(GpuVariable) && (!CudaPresence.OfProcess.IsPresent || CudaDriver.IsEmulated))
            throw new InvalidOperationException($"{GpuVariable}=1 asks for a real GPU, got {CudaPresence.OfProcess.Absence ?? "the emulator"}");
        if (device == Processor || CudaPresence.OfProcess.IsPresent)
            return null;
        return device == Emulated ? "cuda-emulated: the emulator is built where g++ is" : $"cuda: {CudaPresence.OfProcess.ShortAbsence}";
    }

    /// <summary>A fresh device whose buffers start as NaN and lie between guard zones that are checked when they are freed.</summary>
    /// <param name="name">One of <see cref="All"/>.</param>
    /// <param name="threads">Threads of a processor.</param>
    public static Device Open(string name, int threads = 2)
        => name == Processor ? new CpuDevice(threads, tier: null, guards: true)
        : name == Cuda ? OpenCuda()
        : throw new ArgumentException($"No test device is called {name}.");

    /// <summary>The same, on CUDA; skips the running test where there is none.</summary>
    public static CudaDevice OpenCuda()
    {
        Assert.SkipWhen(Absence(Cuda) is not null, Absence(Cuda) ?? "");
        _ = Anchor.Value;
        return new CudaDevice(0, guards: true);
    }

    // Before anything asks where CUDA is.
    [ModuleInitializer]
    internal static void Choose()
    {
        bool chosen = Environment.GetEnvironmentVariable(CudaVariables.DriverLibrary) is { Length: > 0 };
        if (!chosen && (OperatingSystem.IsWindows() || CudaVariables.IsOn(GpuVariable) || File.Exists("/dev/nvidiactl") || File.Exists("/dev/dxg")))
            return;
        string library = Path.Combine(EmulatorFolder, "libcuda.so.1");
        if (!chosen && File.Exists(library))
            Environment.SetEnvironmentVariable(CudaVariables.DriverLibrary, library);
        if (!chosen || CudaDriver.IsEmulated)
            Cuda = Emulated;
    }
}
