namespace CudaSeq.Models;

/// <summary>Where a training run stands after an update, or after the validation that followed it.</summary>
public sealed record TrainingProgress
{
    /// <summary>Updates of the parameters since the run began, across resumptions.</summary>
    public required long Update { get; init; }

    /// <summary>The update at which the run ends; null when only time ends it.</summary>
    public long? MaxUpdates { get; init; }

    /// <summary>Passes over the training pairs, the one under way included.</summary>
    public required int Epoch { get; init; }

    /// <summary>Training loss since the last report, label smoothing included, in nats per target token.</summary>
    public required double Loss { get; init; }

    /// <summary>e to the negative log-likelihood per target token, since the last report.</summary>
    public required double Perplexity { get; init; }

    /// <summary>The learning rate of the last update.</summary>
    public required double LearningRate { get; init; }

    /// <summary>The L2 norm of the last update's gradient, averaged as <see cref="TrainerOptions.GradientAverage"/> says and before clipping.</summary>
    public required double GradientNorm { get; init; }

    /// <summary>Target tokens trained on per second since the last report, padding not counted.</summary>
    public required double TokensPerSecond { get; init; }

    /// <summary>Target tokens trained on since the run began, padding not counted.</summary>
    public required long Tokens { get; init; }

    /// <summary>Time spent so far, across resumptions.</summary>
    public required TimeSpan Elapsed { get; init; }

    /// <summary>Estimated time to the end; null before it can be estimated.</summary>
    public TimeSpan? Remaining { get; init; }

    /// <summary>The scores on the validation pairs when this report follows a validation.</summary>
    public ValidationScores? Validation { get; init; }
}

/// <summary>How a model does on the validation pairs.</summary>
/// <param name="Loss">Label-smoothed loss in nats per target token.</param>
/// <param name="NegativeLogLikelihood">In nats per target token.</param>
/// <param name="Bleu">Corpus BLEU; null when the run does not translate to validate.</param>
/// <param name="BleuSignature">How that BLEU was computed.</param>
/// <param name="IsBest">Whether this is the best checkpoint so far, by what the run keeps the best by.</param>
public sealed record ValidationScores(double Loss, double NegativeLogLikelihood, double? Bleu, string? BleuSignature, bool IsBest)
{
    /// <summary>e to the negative log-likelihood.</summary>
    public double Perplexity => Math.Exp(NegativeLogLikelihood);
}
