using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

/// <summary>
/// The memory of <see cref="RepeatedStep"/>s that run one after the other, on a GPU: they share it, and what one made is good until the next runs. Dispose it after them.
/// </summary>
/// <param name="device">Where they run.</param>
public sealed class StepMemory(Device device) : IDisposable
{
    /// <summary>Whether steps can be captured there.</summary>
    public bool Captures => Graphs is not null;

    /// <summary>Whether this thread is capturing a step at the moment.</summary>
    public bool IsCapturing => Device is CudaDevice { IsCapturing: true };

    internal CudaGraphMemory? Graphs { get; } = device is CudaDevice cuda ? new CudaGraphMemory(cuda) : null;

    /// <summary>Where.</summary>
    public Device Device { get; } = device;

    /// <summary>Frees the memory.</summary>
    public void Dispose() => Graphs?.Dispose();
}
