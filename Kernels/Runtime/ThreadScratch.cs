namespace CudaSeq.Kernels;

/// <summary>
/// Scratch memory for the chunks of one <see cref="CpuDevice.For"/>: as many slices as the device has threads, rented once by the caller, so that how many
/// are rented never depends on how the chunks happened to meet. A chunk claims a slice at its beginning and gives it back at its end.
/// </summary>
internal readonly unsafe struct ThreadScratch : IDisposable
{
    private const int FlagBytes = 64;

    private readonly DeviceBuffer _memory;
    private readonly int _slices;
    private readonly long _bytes;

    /// <summary>Rents the slices.</summary>
    /// <param name="cpu">Their device.</param>
    /// <param name="bytes">Size of a slice; every slice begins at a multiple of 64.</param>
    public ThreadScratch(CpuDevice cpu, long bytes)
    {
        _slices = cpu.Threads;
        _bytes = (bytes + 63) & ~63L;
        _memory = cpu.Rent(_slices * (FlagBytes + _bytes));
        for (int i = 0; i < _slices; i++)
            Flag(i) = 0;
    }

    /// <summary>Takes a free slice, the one that this thread had before where it can: it lies in the caches of the thread's core.</summary>
    public float* Claim(out int slice)
    {
        for (int i = Environment.CurrentManagedThreadId % _slices; ; i = (i + 1) % _slices)
        {
            if (Volatile.Read(ref Flag(i)) != 0 || Interlocked.CompareExchange(ref Flag(i), 1, 0) != 0)
                continue;
            slice = i;
            return (float*)((byte*)_memory.Pointer + (_slices * FlagBytes) + (i * _bytes));
        }
    }

    /// <summary>Gives a slice back.</summary>
    public void Return(int slice) => Volatile.Write(ref Flag(slice), 0);

    /// <inheritdoc/>
    public void Dispose() => _memory.Release();

    private ref int Flag(int i) => ref *(int*)((byte*)_memory.Pointer + (i * FlagBytes));
}
