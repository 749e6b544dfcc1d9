namespace CudaSeq.Kernels;

/// <summary>
/// Scratch memory of one kernel call, shared by all its chunks: rented once by the caller and back in the device's pool at the end of the block that holds it,
/// even where a loop over it throws. The default value holds none.
/// </summary>
internal readonly unsafe struct CallScratch : IDisposable
{
    private readonly DeviceBuffer? _memory;

    /// <summary>Rents <paramref name="bytes"/> bytes, aligned to 64; what is in them is undefined.</summary>
    public CallScratch(CpuDevice cpu, long bytes) => _memory = cpu.Rent(Math.Max(1, bytes));

    /// <summary>The first float, or null.</summary>
    public float* Floats => _memory is null ? null : (float*)_memory.Pointer;

    /// <summary>The first double, or null.</summary>
    public double* Doubles => (double*)Floats;

    /// <inheritdoc/>
    public void Dispose() => _memory?.Release();
}
