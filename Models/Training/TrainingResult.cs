namespace CudaSeq.Models;

/// <summary>What ended a run.</summary>
public enum TrainingEnd
{
    /// <summary>It made all of its updates.</summary>
    Updates,

    /// <summary>Its time was over.</summary>
    Time,

    /// <summary>As many validations in a row as it has patience for were no new best.</summary>
    Patience,

    /// <summary>It was told to stop; it can be resumed.</summary>
    Interruption,
}

/// <summary>How a run ended.</summary>
/// <param name="State">Where it stands.</param>
/// <param name="Elapsed">Training time, across resumptions.</param>
/// <param name="Validation">The last validation, or null if there are no validation pairs.</param>
/// <param name="End">What ended it.</param>
public sealed record TrainingResult(TrainingState State, TimeSpan Elapsed, ValidationScores? Validation, TrainingEnd End);

/// <summary>When a run ends.</summary>
internal sealed class RunLimits(TrainerOptions options, RunClock clock, CancellationToken cancellation)
{
    /// <summary>Why the run ends here; null where it goes on.</summary>
    public TrainingEnd? At(TrainingState state)
        => state.Update >= (options.MaxUpdates ?? long.MaxValue) ? TrainingEnd.Updates
        : state.WithoutBest >= (options.Patience ?? int.MaxValue) ? TrainingEnd.Patience
        : clock.Elapsed >= (options.MaxTime ?? TimeSpan.MaxValue) ? TrainingEnd.Time
        : cancellation.IsCancellationRequested ? TrainingEnd.Interruption
        : null;
}
