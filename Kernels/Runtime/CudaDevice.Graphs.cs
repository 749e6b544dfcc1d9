using System.Runtime.InteropServices;

namespace CudaSeq.Kernels;

// Work that is written down instead of run, on a stream of its own, so that other threads go on with theirs.
internal sealed partial class CudaDevice
{
    private readonly Lock _graphGate = new();

    // Graphs run one after the other and nothing of theirs is used between two, so that they share memory, which nobody else gets.
    private readonly BufferPool _graphPool;
    private CudaStream? _captureStream;
    private DeviceBuffer? _shift;
    private volatile int _graphThread;
    private volatile int _capturingThread;

    /// <summary>Whether what this thread queues is being written down instead of run.</summary>
    public bool IsCapturing => _capturingThread != 0 && _capturingThread == Environment.CurrentManagedThreadId;

    /// <summary>The argument that says by how much a graph's masks are further than when it was captured: its address while this thread captures, else 0.</summary>
    public ulong StreamShift => IsCapturing && _shift is { } shift ? new DeviceSpan(shift, 0, 2).Address : 0;

    private BufferPool PoolOfThread => _graphThread != 0 && _graphThread == Environment.CurrentManagedThreadId ? _graphPool : _pool;

    private CudaStream QueueOfThread => IsCapturing ? _captureStream! : _stream;

    /// <summary>
    /// From now on this thread's buffers come from the memory that graphs share, until <see cref="EndGraphMemory"/>. Other threads that want the same wait.
    /// </summary>
    public void BeginGraphMemory()
    {
        _graphGate.Enter();
        _shift ??= _pool.Rent(sizeof(ulong));
        _graphThread = Environment.CurrentManagedThreadId;
    }

    /// <summary>Ends what <see cref="BeginGraphMemory"/> began.</summary>
    public void EndGraphMemory()
    {
        _graphThread = 0;
        _graphGate.Exit();
    }

    /// <summary>
    /// From now on launches, fills and copies on the device by this thread are written down instead of run, until <see cref="EndCapture"/>. Nothing may be allocated
    /// or copied to or from the host meanwhile.
    /// </summary>
    public void BeginCapture()
    {
        Enter();
        _captureStream ??= CudaStream.Create(_context, Description);
        CudaDriver.StreamBeginCapture(_captureStream.Value, CudaCaptureMode.ThreadLocal).Check("cuStreamBeginCapture_v2", Description);
        _capturingThread = Environment.CurrentManagedThreadId;
    }

    /// <summary>What was written down, ready to run. The memory it touches must stay as long as it is used.</summary>
    /// <exception cref="CudaException">Something was done that cannot be captured; the device goes on as before.</exception>
    public CudaGraphExec EndCapture()
    {
        Enter();
        _capturingThread = 0;
        CudaDriver.StreamEndCapture(_captureStream!.Value, out nint captured).Check("cuStreamEndCapture", Description);
        using var graph = new CudaGraph(captured, _context);
        CudaDriver.GraphInstantiate(graph.Value, out nint executable).Check("cuGraphInstantiateWithFlags", Description);
        return new CudaGraphExec(executable, _context);
    }

    /// <summary>Ends a capture and forgets what was written down.</summary>
    public void AbandonCapture()
    {
        _capturingThread = 0;
        if (CudaDriver.StreamEndCapture(_captureStream!.Value, out nint captured) == CudaResult.Success)
            new CudaGraph(captured, _context).Dispose();
    }

    /// <summary>Queues captured work.</summary>
    /// <param name="graph">What was captured.</param>
    /// <param name="shift">By how many streams of random numbers this run is further than the captured one.</param>
    public void Launch(CudaGraphExec graph, ulong shift = 0)
    {
        Enter();
        if (_shift is not null)
            CopyFromHost(MemoryMarshal.AsBytes(new ReadOnlySpan<ulong>(ref shift)), new DeviceSpan(_shift, 0, sizeof(ulong) / sizeof(float)));
        CudaDriver.GraphLaunch(graph.Value, _stream.Value).Check("cuGraphLaunch", Description);
        Settle("a graph");
    }

    private void RefuseWhileCapturing(string what)
    {
        if (IsCapturing)
            throw new CudaException($"{Name}: a capture must hold kernels, fills and copies on the device only, got {what}.");
    }

    private void DisposeGraphs()
    {
        _captureStream?.Dispose();
        _shift?.Release();
        _graphPool.Dispose();
    }
}
