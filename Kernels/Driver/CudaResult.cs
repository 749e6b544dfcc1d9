using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace CudaSeq.Kernels;

/// <summary>What a call of the CUDA driver answers. Those that this code decides by; the driver itself knows the names of all.</summary>
internal enum CudaResult
{
    Success = 0,
    InvalidValue = 1,
    OutOfMemory = 2,
    NotInitialized = 3,
    Deinitialized = 4,
    StubLibrary = 34,
    NoDevice = 100,
    InvalidImage = 200,
    NoBinaryForGpu = 209,
    InvalidPtx = 218,
    UnsupportedPtxVersion = 222,
    NotFound = 500,
    IllegalAddress = 700,
    LaunchFailed = 719,
}

/// <summary>Turning answers into exceptions.</summary>
internal static class CudaResults
{
    /// <summary>Throws unless the call succeeded.</summary>
    /// <param name="result">What it answered.</param>
    /// <param name="call">The name of the function as CUDA spells it.</param>
    /// <param name="where">The device, and what it was doing.</param>
    /// <exception cref="CudaException">It did not succeed.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Check(this CudaResult result, string call, string? where = null)
    {
        if (result != CudaResult.Success)
            Throw(result, call, where);
    }

    /// <summary>For example <c>cuInit: CUDA_ERROR_NO_DEVICE (100), no CUDA-capable device is detected.</c></summary>
    public static string Describe(this CudaResult result, string call, string? where = null)
        => Describe(result, call, where, CudaDriver.ErrorName(result), CudaDriver.ErrorText(result));

    /// <summary>The same where the driver's words are at hand.</summary>
    public static string Describe(CudaResult result, string call, string? where, string? name, string? text)
        => $"{call}{(where is null ? "" : $" on {where}")}: {name ?? "an error the driver has no name for"} ({(int)result}){(text is null ? "" : $", {text.TrimEnd('.')}")}.{Hint(result)}";

    [DoesNotReturn]
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Throw(CudaResult result, string call, string? where) => throw new CudaException(result.Describe(call, where), (int)result);

    // From 700 to 719 are faults of a kernel that ran earlier; they stick to the context, so that every later call answers the same.
    private static string Hint(CudaResult result) => result switch
    {
        CudaResult.StubLibrary => " This is the toolkit's stub to link against, not the driver; take its folder out of the library path.",
        >= CudaResult.IllegalAddress and <= CudaResult.LaunchFailed => $"{Kernel()} This process cannot use the device any more.",
        _ => "",
    };

    private static string Kernel() => CudaVariables.IsOn(CudaVariables.Synchronous) ? "" : $" {CudaVariables.Synchronous}=1 names the kernel that failed.";
}
