namespace CudaSeq.Models;

/// <summary>Which validation was the best so far.</summary>
/// <param name="criterion">What it is the best by.</param>
internal sealed class BestCheckpoint(KeepBest criterion)
{
    private double _score = double.NegativeInfinity;

    /// <summary>The update of the best validation; -1 before the first.</summary>
    public long Update { get; private set; } = -1;

    /// <summary>What validations are compared by: the higher the better.</summary>
    public double Score(ValidationScores scores) => criterion == KeepBest.Bleu && scores.Bleu is { } bleu ? bleu : -scores.Loss;

    /// <summary>Goes on from what an earlier session saved.</summary>
    public void Resume(CheckpointHeader best) => (_score, Update) = (best.Score ?? double.NegativeInfinity, best.State.Update);

    /// <summary>Takes a validation for the best one if it is.</summary>
    /// <remarks>A run killed between writing best.safetensors and last.safetensors meets its best validation once more.</remarks>
    public bool Offer(double score, long update)
    {
        bool best = score > _score || (score == _score && update == Update);
        if (best)
            (_score, Update) = (score, update);
        return best;
    }
}
