namespace CudaSeq.Models;

/// <summary>Sums what happened since the last report.</summary>
internal sealed class TrainingMeter(RunClock clock, TrainerOptions options)
{
    private TimeSpan _since = clock.Elapsed;
    private double _loss;
    private double _negativeLogLikelihood;
    private long _tokens;
    private long _updates;
    private TrainingProgress? _last;

    // The first report and the updates until then: their pace is that of a program that is still being compiled.
    private (TimeSpan At, long Updates)? _warm;
    private float _rate;
    private double _norm;

    /// <summary>Whether it is time to report.</summary>
    public bool Due => clock.Elapsed - _since >= options.ReportEvery;

    /// <summary>Counts one update: sums over its target tokens.</summary>
    public void Add(double loss, double negativeLogLikelihood, long tokens, float rate, double norm)
    {
        _loss += loss;
        _negativeLogLikelihood += negativeLogLikelihood;
        _tokens += tokens;
        _updates++;
        (_rate, _norm) = (rate, norm);
    }

    /// <summary>The report since the last one; null when there is nothing new to say. Validation repeats the figures of the report before it.</summary>
    public TrainingProgress? Take(TrainingState state, ValidationScores? validation)
    {
        var now = clock.Elapsed;
        if (validation is not null && _last is not null)
        {
            _since = now;
            return _last with { Validation = validation, Elapsed = now, Remaining = Remaining(state, now) };
        }

        if (_tokens == 0)
            return null;
        _last = new TrainingProgress
        {
            Update = state.Update,
            MaxUpdates = options.MaxUpdates,
            Epoch = state.Pass,
            Loss = _loss / _tokens,
            Perplexity = Math.Exp(_negativeLogLikelihood / _tokens),
            LearningRate = _rate,
            GradientNorm = _norm,
            TokensPerSecond = _tokens / Math.Max(1e-9, (now - _since).TotalSeconds),
            Tokens = state.Tokens,
            Elapsed = now,
            Remaining = Remaining(state, now),
        };
        _warm ??= (now, _updates);
        (_loss, _negativeLogLikelihood, _tokens, _since) = (0, 0, 0, now);
        return _last;
    }

    // What is left by the clock or by updates at the pace of this session since its first report, whichever is less.
    private TimeSpan? Remaining(TrainingState state, TimeSpan now)
    {
        TimeSpan? byClock = options.MaxTime is { } time ? TimeSpan.FromTicks(Math.Max(0, (time - now).Ticks)) : null;
        if (options.MaxUpdates is not { } most)
            return byClock;
        if (state.Update >= most)
            return TimeSpan.Zero;
        if (_warm is not { } warm || _updates == warm.Updates)
            return null;
        var byUpdates = (now - warm.At) / (_updates - warm.Updates) * (most - state.Update);
        return byClock is { } clockLeft && clockLeft < byUpdates ? clockLeft : byUpdates;
    }
}
