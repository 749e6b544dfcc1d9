using System.Globalization;

namespace CudaSeq.Tensors;

/// <summary>The learning rate over the course of training.</summary>
public interface ILearningRateSchedule
{
    /// <summary>The rate of an update.</summary>
    /// <param name="update">Updates already made: 0 for the first.</param>
    float At(long update);
}

/// <summary>
/// Linear from <paramref name="initial"/> to <paramref name="peak"/> over <paramref name="warmup"/> updates, then peak * sqrt(warmup / update), as in fairseq.
/// Source: Vaswani et al., "Attention is all you need", NIPS 2017, section 5.3.
/// </summary>
/// <param name="peak">The largest rate, reached at update <paramref name="warmup"/>; at least 0.</param>
/// <param name="warmup">Updates of warm-up, at least 1.</param>
/// <param name="initial">The rate of the first update, at least 0.</param>
public sealed class InverseSquareRootSchedule(float peak, long warmup, float initial = 1e-7f) : ILearningRateSchedule
{
    private readonly double _peak = ScheduleCheck.Rate(nameof(InverseSquareRootSchedule), "peak", peak);
    private readonly double _initial = ScheduleCheck.Rate(nameof(InverseSquareRootSchedule), "initial", initial);
    private readonly long _warmup = ScheduleCheck.Warmup(nameof(InverseSquareRootSchedule), warmup, smallest: 1);

    /// <inheritdoc/>
    public float At(long update)
        => (float)(update < _warmup ? _initial + ((_peak - _initial) * update / _warmup) : _peak * Math.Sqrt((double)_warmup / update));
}

/// <summary>One rate; while warming up, the share (update + 1) / warmup of it, as in fairseq.</summary>
/// <param name="rate">The rate, at least 0.</param>
/// <param name="warmup">Updates of warm-up, at least 0.</param>
public sealed class FixedSchedule(float rate, long warmup = 0) : ILearningRateSchedule
{
    private readonly double _rate = ScheduleCheck.Rate(nameof(FixedSchedule), "rate", rate);
    private readonly long _warmup = ScheduleCheck.Warmup(nameof(FixedSchedule), warmup, smallest: 0);

    /// <inheritdoc/>
    public float At(long update) => (float)(update < _warmup ? _rate * (update + 1) / _warmup : _rate);
}

internal static class ScheduleCheck
{
    public static double Rate(string schedule, string name, float rate)
        => rate >= 0 && float.IsFinite(rate)
            ? DecimalFraction.Of(rate)
            : throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"{schedule}: {name} must be at least 0, got {rate}."));

    public static long Warmup(string schedule, long warmup, int smallest)
        => warmup >= smallest ? warmup : throw new ArgumentException($"{schedule}: warmup must be at least {smallest}, got {warmup}.");

    public static long Updates(string schedule, string name, long updates, int smallest = 1)
        => updates >= smallest ? updates : throw new ArgumentException($"{schedule}: {name} must be at least {smallest}, got {updates}.");

    // A limit that is the last float before another is no number that anybody would write.
    public static double Between(string schedule, string name, float value, float least, float most)
    {
        if (value >= least && value <= most)
            return DecimalFraction.Of(value);
        string rule = most == float.MaxValue ? least == float.Epsilon ? "above 0" : string.Create(CultureInfo.InvariantCulture, $"at least {least}") : string.Create(CultureInfo.InvariantCulture, $"from {least} to {most}");
        throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"{schedule}: {name} must be {rule}, got {value}."));
    }
}
