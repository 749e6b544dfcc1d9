using System.Runtime.CompilerServices;

namespace CudaSeq.Kernels;

/// <summary>The processor: managed SIMD kernels on a pool of worker threads. Results do not depend on the number of threads.</summary>
public sealed class CpuDevice : Device
{
    // Many times what handing a chunk to one of some spinning threads costs, and a fraction of the small products and steps of attention that decoding is made of.
    private const double ChunkNanoseconds = 5_000;

    private readonly BufferPool _pool;
    private readonly WorkerPool _workers;

    /// <summary>Opens the processor as a device.</summary>
    /// <param name="threads">Threads that compute, the caller included; all logical processors when omitted.</param>
    /// <param name="tier">The vector instructions to use; the best this process supports when omitted.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="threads"/> is below 1.</exception>
    /// <exception cref="PlatformNotSupportedException">This processor does not have <paramref name="tier"/>.</exception>
    public CpuDevice(int? threads = null, InstructionTier? tier = null)
        : this(threads, tier, guards: false)
    {
    }

    internal CpuDevice(int? threads, InstructionTier? tier, bool guards)
        : base("cpu")
    {
        int count = threads ?? Environment.ProcessorCount;
        if (count < 1)
            throw new ArgumentOutOfRangeException(nameof(threads), count, $"CpuDevice: threads must be at least 1, got {count}.");
        if (tier > InstructionTiers.Best)
            throw new PlatformNotSupportedException($"CpuDevice: this processor offers {InstructionTiers.Best} at most, got {tier}.");
        Tier = tier ?? InstructionTiers.Best;
        _pool = new BufferPool(this, new HostAllocator(), guards);
        _workers = new WorkerPool(count);
    }

    /// <summary>The vector instructions in use.</summary>
    public InstructionTier Tier { get; }

    /// <summary>Threads that compute, the caller included.</summary>
    public int Threads => _workers.Threads;

    /// <inheritdoc/>
    public override bool Tf32
    {
        get => false;
        set
        {
            if (value)
                throw new ArgumentException("CpuDevice: TF32 is the tensor cores' of a GPU, the processor computes in float32 everywhere.");
        }
    }

    /// <inheritdoc/>
    public override long LiveBytes => _pool.LiveBytes;

    /// <inheritdoc/>
    public override long HeldBytes => _pool.HeldBytes;

    /// <inheritdoc/>
    public override long Allocations => _pool.Allocations;

    /// <inheritdoc/>
    public override void TrimCache() => _pool.Trim();

    /// <summary>
    /// Runs <paramref name="body"/> over 0 .. <paramref name="count"/> - 1 in chunks of <paramref name="grain"/>, on as many threads as pay, with this
    /// device's vectors. Chunk borders depend on the arguments alone, so results cannot depend on the number of threads. Returns when all chunks are done.
    /// </summary>
    /// <param name="count">Number of items.</param>
    /// <param name="grain">Items a chunk; choose it by <see cref="Grain(double)"/>. A single chunk runs on the caller.</param>
    /// <param name="body">The loop body, copied once.</param>
    internal void For<TBody>(int count, int grain, in TBody body)
        where TBody : struct, IKernelBody
    {
        switch (Tier)
        {
            case InstructionTier.Avx512: _workers.For(count, grain, new Bound<TBody, Float512>(body)); break;
            case InstructionTier.Avx2: _workers.For(count, grain, new Bound<TBody, Float256>(body)); break;
            case InstructionTier.Vector128: _workers.For(count, grain, new Bound<TBody, Float128>(body)); break;
            default: _workers.For(count, grain, new Bound<TBody, Float1>(body)); break;
        }
    }

    /// <summary>What <paramref name="function"/> gives for this device's vectors.</summary>
    internal TResult WithVectors<TFunction, TResult>(in TFunction function)
        where TFunction : struct, IVectorFunction<TResult>
        => Tier switch
        {
            InstructionTier.Avx512 => function.Invoke<Float512>(),
            InstructionTier.Avx2 => function.Invoke<Float256>(),
            InstructionTier.Vector128 => function.Invoke<Float128>(),
            _ => function.Invoke<Float1>(),
        };

    /// <summary>Items a chunk so that one chunk costs about 5 microseconds at <paramref name="nanosecondsPerItem"/>.</summary>
    internal static int Grain(double nanosecondsPerItem) => (int)Math.Clamp(ChunkNanoseconds / Math.Max(nanosecondsPerItem, 1e-3), 1, int.MaxValue);

    /// <summary>The same, a multiple of <paramref name="together"/>: items that lie in one line of a cache should have one thread.</summary>
    internal static int Grain(double nanosecondsPerItem, int together) => (int)Math.Min(int.MaxValue, ((long)Grain(nanosecondsPerItem) + together - 1) / together * together);

    /// <summary>The same for items that are neighbouring floats: a multiple of 16 of them.</summary>
    internal static int LineGrain(double nanosecondsPerItem) => Grain(nanosecondsPerItem, 16);

    internal override DeviceBuffer Rent(long bytes) => _pool.Rent(bytes);

    private protected override void Dispose(bool disposing)
    {
        _workers.Dispose();
        _pool.Dispose();
    }

    private readonly struct Bound<TBody, TVector>(TBody body) : IParallelBody
        where TBody : struct, IKernelBody
        where TVector : struct, IFloatVector<TVector>
    {
        private readonly TBody _body = body;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Invoke(int begin, int end) => _body.Invoke<TVector>(begin, end);
    }
}

/// <summary>A loop body written once for every vector width. A struct: the pool copies it to its stack, nothing is allocated.</summary>
internal interface IKernelBody
{
    /// <summary>Computes items <paramref name="begin"/> .. <paramref name="end"/> - 1; what an item's result is must not depend on the chunk it is in.</summary>
    void Invoke<TVector>(int begin, int end)
        where TVector : struct, IFloatVector<TVector>;
}

/// <summary>Something that a kernel must know of its vectors before its loop begins, such as how much scratch memory a chunk needs.</summary>
internal interface IVectorFunction<out TResult>
{
    TResult Invoke<TVector>()
        where TVector : struct, IFloatVector<TVector>;
}
