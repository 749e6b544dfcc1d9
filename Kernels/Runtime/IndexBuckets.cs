namespace CudaSeq.Kernels;

/// <summary>
/// The positions of every index, grouped by index and in order inside a group (a counting sort): with one owner for each group, scattered sums
/// need no atomics and are the same for any number of threads.
/// </summary>
internal readonly unsafe struct IndexBuckets : IDisposable
{
    private readonly DeviceBuffer _buffer;

    /// <summary>Sorts <paramref name="count"/> indices, all in 0 .. <paramref name="limit"/> - 1.</summary>
    public IndexBuckets(CpuDevice cpu, int* indices, int count, int limit)
    {
        _buffer = cpu.Rent(((long)limit + 1 + count) * sizeof(int));
        Starts = (int*)_buffer.Pointer;
        Positions = Starts + limit + 1;
        new Span<int>(Starts, limit + 1).Clear();
        for (int i = 0; i < count; i++)
            Starts[indices[i]]++;
        int sum = 0;
        for (int i = 0; i <= limit; i++)
        {
            sum += Starts[i];
            Starts[i] = sum;
        }

        for (int i = count - 1; i >= 0; i--)
            Positions[--Starts[indices[i]]] = i;
    }

    /// <summary>Index i stands at Positions[Starts[i]] .. Positions[Starts[i + 1] - 1].</summary>
    public int* Starts { get; }

    /// <summary>Positions in the list of indices.</summary>
    public int* Positions { get; }

    /// <inheritdoc/>
    public void Dispose() => _buffer.Release();
}
