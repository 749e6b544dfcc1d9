namespace CudaSeq.Models;

/// <summary>Training met a loss or gradient that is NaN or infinite and stopped before the update that would have spoilt the parameters.</summary>
public sealed class NonFiniteLossException : Exception
{
    internal NonFiniteLossException(string what, long update, BatchPosition at, bool isKept)
        : base($"Training: the loss must stay finite; first non-finite tensor: {what}, at update {update}, epoch {at.Epoch + 1}, batch {at.Index}. {(isKept ? "The last good checkpoint is kept." : "No checkpoint had been written yet.")}")
    {
        Update = update;
        Batch = at.Index;
    }

    /// <summary>The update that was not made.</summary>
    public long Update { get; }

    /// <summary>The batch of the epoch, from 0.</summary>
    public int Batch { get; }
}
