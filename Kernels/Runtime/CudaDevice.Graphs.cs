using System.Runtime.InteropServices;

namespace CudaSeq.Kernels;

// Work that is written down instead of run, on a stream of its own, so that other threads go on with theirs.
internal sealed partial class CudaDevice
{
    // Held by the thread that captures.
    private readonly Lock _captureGate = new();
    private readonly List<BufferPool> _graphPools = [];
    private readonly List<IndexGate> _gates = [];
    private CudaStream? _captureStream;
    private CudaGraphMemory? _captureMemory;
    private volatile int _capturingThread;
    private long _graphLaunches;

    /// <summary>Graphs that were launched since the device was opened.</summary>
    public long GraphLaunches => Volatile.Read(ref _graphLaunches);

    /// <summary>Whether what this thread queues is being written down instead of run.</summary>
    public bool IsCapturing => _capturingThread != 0 && _capturingThread == Environment.CurrentManagedThreadId;

    /// <summary>The argument that says by how much a graph's masks are further than when it was captured: its address while this thread captures, else 0.</summary>
    public ulong StreamShift => IsCapturing ? new DeviceSpan(_captureMemory!.Shift, 0, 2).Address : 0;

    private BufferPool PoolOfThread => IsCapturing ? _captureMemory!.Pool : _pool;

    private CudaStream QueueOfThread => IsCapturing ? _captureStream! : _stream;

    /// <summary>
    /// From now on launches, fills and copies on the device by this thread are written down instead of run, until <see cref="EndCapture"/> or <see cref="AbandonCapture"/>, and
    /// its buffers come from <paramref name="memory"/>. Nothing may be copied to or from the host meanwhile. Other threads go on; one that wants to capture waits.
    /// </summary>
    /// <exception cref="InvalidOperationException">This thread captures already.</exception>
    /// <exception cref="CudaException">The driver refuses.</exception>
    public void BeginCapture(CudaGraphMemory memory)
    {
        if (IsCapturing)
            throw new InvalidOperationException($"{Name}: a capture must end before the next begins.");
        _captureGate.Enter();
        try
        {
            Enter();
            _captureStream ??= CudaStream.Create(_context, Description);

            // cuBLAS cannot be opened while a capture is under way.
            OpenCaptureBlas();
            _gates.Clear();
            _captureMemory = memory;

            // Relaxed: memory may be allocated on the other stream meanwhile. What must not be done is refused here.
            CudaDriver.StreamBeginCapture(_captureStream.Value, CudaCaptureMode.Relaxed).Check("cuStreamBeginCapture_v2", Description);
            _capturingThread = Environment.CurrentManagedThreadId;
        }
        catch
        {
            _captureGate.Exit();
            throw;
        }
    }

    /// <summary>What was written down, ready to run.</summary>
    /// <param name="gates">What was made sure of on the way, and must hold for every run.</param>
    /// <exception cref="CudaException">Something was done that cannot be captured; the device goes on as before.</exception>
    public CudaGraphExec EndCapture(out IndexGate[] gates)
    {
        _capturingThread = 0;
        try
        {
            Enter();
            CudaDriver.StreamEndCapture(_captureStream!.Value, out nint captured).Check("cuStreamEndCapture", Description);
            using var graph = new CudaGraph(captured, _context);
            CudaDriver.GraphInstantiate(graph.Value, out nint executable).Check("cuGraphInstantiateWithFlags", Description);
            gates = [.. _gates.Distinct()];
            return new CudaGraphExec(executable, _context);
        }
        finally
        {
            _captureGate.Exit();
        }
    }

    /// <summary>Ends a capture and forgets what was written down.</summary>
    public void AbandonCapture()
    {
        _capturingThread = 0;
        try
        {
            if (CudaDriver.StreamEndCapture(_captureStream!.Value, out nint captured) == CudaResult.Success)
                new CudaGraph(captured, _context).Dispose();
        }
        finally
        {
            _captureGate.Exit();
        }
    }

    /// <summary>Queues captured work.</summary>
    /// <param name="graph">What was captured.</param>
    /// <param name="memory">With what.</param>
    /// <param name="shift">By how many streams of random numbers this run is further than the captured one.</param>
    public void Launch(CudaGraphExec graph, CudaGraphMemory memory, ulong shift = 0)
    {
        Enter();
        RefuseWhileCapturing("a graph");
        lock (memory.Gate)
        {
            CopyFromHost(MemoryMarshal.AsBytes(new ReadOnlySpan<ulong>(ref shift)), new DeviceSpan(memory.Shift, 0, sizeof(ulong) / sizeof(float)));
            CudaDriver.GraphLaunch(graph.Value, _stream.Value).Check("cuGraphLaunch", Description);
        }

        Interlocked.Increment(ref _graphLaunches);
        Settle("a graph");
    }

    /// <summary>While this thread captures: remembers what a gate has made sure of.</summary>
    public void NoteGate(DeviceBuffer buffer, int limit)
    {
        if (IsCapturing)
            _gates.Add(new IndexGate(buffer, limit));
    }

    /// <summary>Whether a buffer was rented by the capture that is under way on this thread, or by one before it with the same memory: what is in it a graph has written, or will have.</summary>
    public bool HasCaptured(DeviceBuffer buffer) => IsCapturing && buffer.IsFrom(_captureMemory!.Pool);

    internal BufferPool OpenGraphPool()
    {
        var pool = new BufferPool(this, new CudaAllocator(this, _memoryPool, shortage: _pool.Trim), _guards, keeps: true);
        lock (_graphPools)
            _graphPools.Add(pool);
        return pool;
    }

    internal void CloseGraphPool(BufferPool pool)
    {
        lock (_graphPools)
            _graphPools.Remove(pool);
        pool.Dispose();
    }

    private long OfGraphs(Func<BufferPool, long> measure)
    {
        lock (_graphPools)
            return _graphPools.Sum(measure);
    }

    private void RefuseWhileCapturing(string what)
    {
        if (IsCapturing)
            throw new CudaException($"{Name}: a capture must hold kernels, fills and copies on the device only, got {what}.");
    }

    private void DisposeGraphs()
    {
        _captureStream?.Dispose();
        BufferPool[] pools;
        lock (_graphPools)
        {
            pools = [.. _graphPools];
            _graphPools.Clear();
        }

        // Not under the lock: a pool that runs short asks for what all of them hold.
        foreach (var pool in pools)
            pool.Dispose();
    }
}
