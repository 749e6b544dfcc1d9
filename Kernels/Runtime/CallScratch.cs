namespace CudaSeq.Kernels;

/// <summary>
/// Scratch memory of one kernel call, shared by all its chunks or launches: rented once by the caller and back in the device's pool at the end of the block that
/// holds it, even where a loop over it throws. The default value holds none.
/// </summary>
internal readonly unsafe struct CallScratch : IDisposable
{
    private readonly DeviceBuffer? _memory;

    /// <summary>Rents <paramref name="bytes"/> bytes, aligned to 64, to 256 on a GPU; what is in them is undefined.</summary>
    public CallScratch(Device device, long bytes) => _memory = device.Rent(Math.Max(1, bytes));

    /// <summary>Host pointer to the first float, or null; only meaningful on the CPU.</summary>
    public float* Floats => _memory is null ? null : (float*)_memory.Pointer;

    /// <summary>Host pointer to the first double, or null; only meaningful on the CPU.</summary>
    public double* Doubles => (double*)Floats;

    /// <summary>Elements of 4 bytes of it as a kernel takes them.</summary>
    /// <param name="offset">The first.</param>
    /// <param name="length">How many.</param>
    /// <exception cref="InvalidOperationException">It holds no memory.</exception>
    public DeviceSpan Span(long offset, long length)
        => new(_memory ?? throw new InvalidOperationException("CallScratch: the default value holds no memory."), offset, length);

    /// <inheritdoc/>
    public void Dispose() => _memory?.Release();
}
