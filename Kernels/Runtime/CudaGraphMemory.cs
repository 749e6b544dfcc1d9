namespace CudaSeq.Kernels;

/// <summary>
/// The memory of graphs that run one after the other: what one has left behind is of no use once the next has begun, so that they share it. It stays where it is as long as
/// any of them may run, and nobody else gets it.
/// </summary>
internal sealed class CudaGraphMemory : IDisposable
{
    private readonly CudaDevice _device;

    public CudaGraphMemory(CudaDevice device)
    {
        _device = device;
        Pool = device.OpenGraphPool();
        Shift = Pool.Rent(sizeof(ulong));
        Shift.Label = "position of a graph's masks";
    }

    /// <summary>Where buffers come from while a graph is captured.</summary>
    public BufferPool Pool { get; }

    /// <summary>By how many streams of random numbers a run is further than the captured one: one number of 8 bytes.</summary>
    public DeviceBuffer Shift { get; }

    /// <summary>Held from writing <see cref="Shift"/> to launching what reads it.</summary>
    public Lock Gate { get; } = new();

    /// <summary>Frees it after the work that is queued. No graph that uses it may run again.</summary>
    public void Dispose() => _device.CloseGraphPool(Pool);
}

/// <summary>What a gate has made sure of while a graph was captured: all indices in a buffer are in 0 .. <paramref name="Limit"/> - 1. It must hold for every run.</summary>
internal readonly record struct IndexGate(DeviceBuffer Buffer, int Limit)
{
    /// <summary>Whether it is known to hold.</summary>
    public bool Holds => Buffer.Bounds is { } bounds && bounds.AreWithin(Limit);
}
