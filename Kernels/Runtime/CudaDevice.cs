using System.Globalization;

namespace CudaSeq.Kernels;

/// <summary>
/// A GPU: kernels of NativeKernels.cu, queued on one stream. The host runs ahead of it; what the queue holds is done in order, so that memory may be given back and
/// rented again while its last use still waits its turn. Several threads may use it at once: their work is queued as it comes.
/// </summary>
internal sealed partial class CudaDevice : Device
{
#if DEBUG
    private const bool IsDebugBuild = true;
#else
    private const bool IsDebugBuild = false;
#endif

    private const int ReservedSharedBytes = 1024;

    private readonly CudaContext _context;
    private readonly CudaStream _stream;
    private readonly CudaStaging _staging;
    private readonly BufferPool _pool;
    private readonly nint _memoryPool;
    private readonly bool _guards;
    private readonly bool _synchronous = CudaVariables.IsOn(CudaVariables.Synchronous);
    private int _disposed;

    /// <summary>Opens a GPU.</summary>
    /// <param name="ordinal">Its number among those that are visible, from 0.</param>
    /// <param name="guards">Whether buffers lie between zones that are checked when they come back, and start as NaN; slow, for tests.</param>
    /// <exception cref="CudaException">There is no such GPU, or it cannot be used.</exception>
    public CudaDevice(int ordinal, bool guards = false)
        : base(string.Create(CultureInfo.InvariantCulture, $"cuda:{ordinal}"))
    {
        CudaPresence.OfProcess.Require(Name, ordinal);
        CudaDriver.DeviceGet(ordinal, out int device).Check("cuDeviceGet", Name);
        CudaDriver.DeviceName(device, out string model).Check("cuDeviceGetName", Name);
        CudaDriver.DeviceMemory(device, out nuint memory).Check("cuDeviceTotalMem_v2", Name);
        Model = model;
        MemoryBytes = (long)memory;
        ComputeCapability = (10 * Attribute(CudaDeviceAttribute.ComputeCapabilityMajor)) + Attribute(CudaDeviceAttribute.ComputeCapabilityMinor);
        Description = string.Create(CultureInfo.InvariantCulture, $"{Name} ({Model}, compute capability {ComputeCapability / 10}.{ComputeCapability % 10})");
        Multiprocessors = Attribute(CudaDeviceAttribute.MultiprocessorCount);
        MaxSharedBytes = Attribute(CudaDeviceAttribute.MaxSharedMemoryPerBlockOptIn);
        DefaultSharedBytes = Attribute(CudaDeviceAttribute.MaxSharedMemoryPerBlock);
        L2Bytes = Attribute(CudaDeviceAttribute.L2CacheBytes);
        nint pool = 0;
        if (Attribute(CudaDeviceAttribute.MemoryPoolsSupported) != 0)
            CudaDriver.DeviceMemoryPool(device, out pool).Check("cuDeviceGetDefaultMemPool", Name);
        ChecksArguments = CudaDriver.HasFunctionParameter && (IsDebugBuild || guards || CudaVariables.IsOn(CudaVariables.CheckArguments));
        _context = CudaContext.Retain(device, Name);
        try
        {
            _stream = CudaStream.Create(_context, Description);
        }
        catch
        {
            _context.Dispose();
            throw;
        }

        _staging = new CudaStaging(_context, _stream, Description);
        _memoryPool = pool;
        _guards = guards;
        _pool = new BufferPool(this, new CudaAllocator(this, pool), guards);

        int Attribute(CudaDeviceAttribute attribute)
        {
            CudaDriver.DeviceAttribute(device, attribute, out int value).Check("cuDeviceGetAttribute", Name);
            return value;
        }
    }

    /// <summary>What its maker calls it.</summary>
    public string Model { get; }

    /// <summary>All of its memory.</summary>
    public long MemoryBytes { get; }

    /// <summary>90 for 9.0.</summary>
    public int ComputeCapability { get; }

    /// <summary>Multiprocessors; a grid that is a multiple of them keeps all busy.</summary>
    public int Multiprocessors { get; }

    /// <summary>Shared memory that a block may have at most, static and dynamic together; more than <see cref="DefaultSharedBytes"/> is asked for by the launch itself.</summary>
    public int MaxSharedBytes { get; }

    /// <summary>What each of some blocks may have at most for all of them to be on one multiprocessor: CUDA keeps a KiB of its own for every block, and a multiprocessor has that KiB beyond what one block may have.</summary>
    /// <param name="blocks">At least 1.</param>
    /// <param name="maxSharedBytes">What one may have.</param>
    public static int SharedBytesOf(int blocks, int maxSharedBytes) => ((maxSharedBytes + ReservedSharedBytes) / blocks) - ReservedSharedBytes;

    /// <summary>Shared memory that every block may have.</summary>
    public int DefaultSharedBytes { get; }

    /// <summary>Bytes of the second-level cache.</summary>
    public int L2Bytes { get; }

    /// <summary>Whether count and sizes of the arguments of each launch are compared with what the kernel takes.</summary>
    public bool ChecksArguments { get; }

    /// <inheritdoc/>
    public override string Description { get; }

    /// <inheritdoc/>
    public override bool Tf32 { get; set; }

    /// <inheritdoc/>
    public override long LiveBytes => _pool.LiveBytes + OfGraphs(p => p.LiveBytes);

    /// <inheritdoc/>
    public override long HeldBytes => _pool.HeldBytes + OfGraphs(p => p.HeldBytes);

    /// <inheritdoc/>
    public override long? FreeBytes
    {
        get
        {
            Enter();
            CudaDriver.MemoryInfo(out nuint free, out _).Check("cuMemGetInfo_v2", Description);
            return (long)free;
        }
    }

    /// <inheritdoc/>
    public override long Allocations => _pool.Allocations + OfGraphs(p => p.Allocations);

    /// <inheritdoc/>
    public override void TrimCache() => _pool.Trim();

    /// <summary>Waits until all that is queued is done.</summary>
    /// <exception cref="CudaException">A kernel failed.</exception>
    public void Synchronize()
    {
        Enter();
        CudaDriver.StreamSynchronize(_stream.Value).Check("cuStreamSynchronize", Description);
    }

    internal override DeviceBuffer Rent(long bytes) => PoolOfThread.Rent(bytes);

    // What uses memory or kernels goes before them, the stream before the context. The second wait lets the driver give the freed memory back.
    private protected override void Dispose(bool disposing)
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        if (_context.TryMakeCurrent() == CudaResult.Success)
            _ = CudaDriver.StreamSynchronize(_stream.Value);
        _staging.Dispose();
        DisposeBlas();
        DisposeGraphs();
        _pool.Dispose();
        _ = CudaDriver.StreamSynchronize(_stream.Value);
        _module?.Dispose();
        _stream.Dispose();
        _context.Dispose();
    }

    // Every call of the driver is about the context that the calling thread has at the moment; another library may have changed it.
    private void Enter()
    {
        ObjectDisposedException.ThrowIf(_disposed != 0, this);
        _context.MakeCurrent();
    }

    // Asked for by CUDASEQ_SYNC=1: waits, so that a fault is reported by the call that caused it.
    private void Settle(string what)
    {
        if (_synchronous && !IsCapturing)
            CudaDriver.StreamSynchronize(_stream.Value).Check($"cuStreamSynchronize after {what}", Description);
    }
}
