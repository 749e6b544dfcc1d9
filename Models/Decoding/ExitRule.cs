namespace CudaSeq.Models;

/// <summary>
/// When a decoder is left before its last layer (<see cref="DepthAdaptive2020"/>). A position that leaves after layer n predicts its token from there; the layers above take its state as it is
/// and remember their keys and values of it, and do nothing else for it.
/// </summary>
public abstract class ExitRule
{
    internal ExitRule()
    {
    }

    /// <summary>Every position leaves after so many layers.</summary>
    /// <param name="depth">1 or more; in a decoder of fewer layers none leaves early.</param>
    public static ExitRule AtDepth(int depth) => depth >= 1 ? new Fixed(depth) : throw new ArgumentOutOfRangeException(null, $"ExitRule: the depth must be at least 1, got {depth}.");

    /// <summary>A position leaves after the first layer n whose likeliest token has a probability above tau_n. Costs the projection to the vocabulary at every layer it visits.</summary>
    /// <param name="thresholds">tau_1 .. tau_{N - 1} in 0 .. 1, or one for all layers.</param>
    public static ExitRule Confidence(params ReadOnlySpan<float> thresholds)
    {
        foreach (float t in thresholds)
        {
            if (!(t is >= 0 and <= 1))
                throw new ArgumentOutOfRangeException(null, FormattableString.Invariant($"ExitRule: a threshold must be in 0 .. 1, got {t}."));
        }

        return thresholds.Length > 0 ? new Confident(thresholds.ToArray()) : throw new ArgumentException("ExitRule: there must be at least one threshold, got none.");
    }

    /// <summary>Why a decoder of so many layers cannot be left by it, in one sentence; null where it can.</summary>
    /// <param name="layers">N.</param>
    internal virtual string? Problem(int layers) => null;

    /// <summary>Who leaves.</summary>
    /// <param name="depth">After this layer, from 1; never the last.</param>
    /// <param name="rows">The rows that are still there.</param>
    /// <param name="confidence">Their largest probabilities, computed when they are asked for.</param>
    /// <returns>For each of the rows whether it leaves.</returns>
    internal abstract bool[] Leaves(int depth, IReadOnlyList<int> rows, Func<float[]> confidence);

    private sealed class Fixed(int last) : ExitRule
    {
        internal override bool[] Leaves(int depth, IReadOnlyList<int> rows, Func<float[]> confidence) => [.. rows.Select(_ => depth >= last)];
    }

    private sealed class Confident(float[] thresholds) : ExitRule
    {
        internal override string? Problem(int layers) => thresholds.Length == 1 || thresholds.Length == layers - 1
            ? null
            : $"exit thresholds must be one, or one for each of the {layers - 1} layers before the last, got {thresholds.Length}.";

        internal override bool[] Leaves(int depth, IReadOnlyList<int> rows, Func<float[]> confidence)
        {
            float threshold = thresholds[thresholds.Length == 1 ? 0 : depth - 1];
            return [.. confidence().Select(p => p > threshold)];
        }
    }
}
