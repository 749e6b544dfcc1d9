namespace CudaSeq.Kernels;

internal sealed partial class CudaDevice
{
    /// <summary>Whether what is queued is being written down instead of run.</summary>
    public bool IsCapturing { get; private set; }

    /// <summary>
    /// From now on launches, fills and copies on the device are written down instead of run, until <see cref="EndCapture"/>. Kernels and buffers must have been used
    /// before, for nothing may be allocated or copied to or from the host meanwhile.
    /// </summary>
    public void BeginCapture()
    {
        Enter();
        CudaDriver.StreamBeginCapture(_stream.Value, CudaCaptureMode.ThreadLocal).Check("cuStreamBeginCapture_v2", Description);
        IsCapturing = true;
    }

    /// <summary>What was written down, ready to run. The memory it touches must stay rented as long as it is used.</summary>
    /// <exception cref="CudaException">Something was done that cannot be captured; the device goes on as before.</exception>
    public CudaGraphExec EndCapture()
    {
        Enter();
        IsCapturing = false;
        CudaDriver.StreamEndCapture(_stream.Value, out nint captured).Check("cuStreamEndCapture", Description);
        using var graph = new CudaGraph(captured, _context);
        CudaDriver.GraphInstantiate(graph.Value, out nint executable).Check("cuGraphInstantiateWithFlags", Description);
        return new CudaGraphExec(executable, _context);
    }

    /// <summary>Queues captured work.</summary>
    public void Launch(CudaGraphExec graph)
    {
        Enter();
        CudaDriver.GraphLaunch(graph.Value, _stream.Value).Check("cuGraphLaunch", Description);
        Settle("a graph");
    }

    private void RefuseWhileCapturing(string what)
    {
        if (IsCapturing)
            throw new CudaException($"{Name}: a capture must hold kernels, fills and copies on the device only, got {what}.");
    }
}
