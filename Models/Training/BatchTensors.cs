using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>A batch on a device.</summary>
internal sealed class BatchTensors(Device device, Batch batch) : IDisposable
{
    /// <summary>[B, S]; null where a batch has no sources.</summary>
    public Tensor? Source { get; } = batch.S == 0 ? null : Tensor.From(device, batch.Source, [batch.B, batch.S]);

    /// <summary>[B]; null where a batch has no sources.</summary>
    public Tensor? SourceLengths { get; } = batch.S == 0 ? null : Tensor.From(device, batch.SourceLengths, [batch.B]);

    /// <summary>[B, T].</summary>
    public Tensor PreviousTarget { get; } = Tensor.From(device, batch.PreviousTarget, [batch.B, batch.T]);

    /// <summary>[B * T].</summary>
    public Tensor Target { get; } = Tensor.From(device, batch.Target, [batch.B * batch.T]);

    private IEnumerable<Tensor> All => new[] { Source, SourceLengths, PreviousTarget, Target }.OfType<Tensor>();

    /// <summary>Takes the place of the batch by another one of the same shape.</summary>
    public void Load(Batch other)
    {
        Source?.CopyFrom(other.Source);
        SourceLengths?.CopyFrom(other.SourceLengths);
        PreviousTarget.CopyFrom(other.PreviousTarget);
        Target.CopyFrom(other.Target);
    }

    /// <summary>Takes the tensors out of the open scope.</summary>
    public BatchTensors Keep()
    {
        foreach (var tensor in All)
            Scopes.Leave(tensor);
        return this;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in All)
            tensor.Dispose();
    }
}
