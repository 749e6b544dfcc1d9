using System.Numerics;

namespace CudaSeq.Kernels;

/// <summary>
/// The positions of every index on a graphics card, as <see cref="IndexBuckets"/> has them on the processor: group v is
/// Positions[Starts[v]] .. Positions[Starts[v + 1] - 1], in order. Sorted on the device; nothing comes to the host.
/// </summary>
internal readonly struct CudaIndexBuckets : IDisposable
{
    private const int DigitBits = 8;
    private const int Digits = 1 << DigitBits;

    // What a block sorts, as in IndexBuckets.cuh.
    private const int Tile = 2048;
    private const int ScanThreads = 1024;

    private static readonly CudaKernel Count = new("index_buckets_count_i32");
    private static readonly CudaKernel Scan = new("index_buckets_scan_i32");
    private static readonly CudaKernel Scatter = new("index_buckets_scatter_i32");
    private static readonly CudaKernel FindStarts = new("index_buckets_starts_i32");

    private readonly DeviceBuffer _memory;

    /// <summary>Sorts <paramref name="count"/> indices, all in 0 .. <paramref name="limit"/> - 1.</summary>
    public CudaIndexBuckets(CudaDevice cuda, DeviceSpan indices, int count, int limit)
    {
        int blocks = (count + Tile - 1) / Tile, counts = checked(Digits * blocks);
        long starts = limit + 1L, used = starts + counts;
        var memory = cuda.Rent((used + (4L * count)) * sizeof(int));
        _memory = memory;
        Starts = new DeviceSpan(memory, 0, starts);
        var numbers = new DeviceSpan(memory, starts, counts);

        // Each pass reads what the one before it wrote, and the first reads the indices themselves.
        DeviceSpan sorted = indices, positions = Part(0), target = Part(0), targetPositions = Part(1), other = Part(2), otherPositions = Part(3);
        int bits = 32 - BitOperations.LeadingZeroCount((uint)Math.Max(1, limit - 1));
        for (int shift = 0; shift < bits && count > 0; shift += DigitBits)
        {
            KernelArgument places = shift == 0 ? 0UL : positions;
            cuda.Launch(Count, new Dim3(blocks), new Dim3(Digits), 0, sorted, numbers, count, shift);
            cuda.Launch(Scan, new Dim3(1), new Dim3(ScanThreads), 0, numbers, counts);
            cuda.Launch(Scatter, new Dim3(blocks), new Dim3(Digits), 0, sorted, places, numbers, target, targetPositions, count, shift);
            (sorted, positions) = (target, targetPositions);
            (target, targetPositions, other, otherPositions) = (other, otherPositions, target, targetPositions);
        }

        Sorted = sorted;
        Positions = positions;
        cuda.Launch(FindStarts, new Dim3((limit + Digits) / Digits), new Dim3(Digits), 0, sorted, Starts, count, limit);

        DeviceSpan Part(int i) => new(memory, used + ((long)i * count), count);
    }

    /// <summary>[limit + 1].</summary>
    public DeviceSpan Starts { get; }

    /// <summary>The indices in order.</summary>
    public DeviceSpan Sorted { get; }

    /// <summary>Where the sorted indices stood.</summary>
    public DeviceSpan Positions { get; }

    /// <inheritdoc/>
    public void Dispose() => _memory.Release();
}
