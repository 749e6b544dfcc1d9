namespace CudaSeq.Models;

/// <summary>
/// When a decoder is left before its last layer (<see cref="DepthAdaptive2020"/>). A position that leaves after layer n predicts its token from there; the layers above take its state as it is
/// and remember their keys and values of it, and do nothing else for it; nothing at all where the whole output leaves there.
/// </summary>
public abstract class ExitRule
{
    internal ExitRule()
    {
    }

    /// <summary>Every position leaves after so many layers.</summary>
    /// <param name="depth">From 1 to the layers that there are.</param>
    public static ExitRule AtDepth(int depth) => depth >= 1 ? new Fixed(depth) : throw new ArgumentOutOfRangeException(null, $"ExitRule: the depth must be at least 1, got {depth}.");

    /// <summary>
    /// A position leaves after the first layer n whose likeliest token has a probability above tau_n: the model's own, in which the temperature of a search has no part.
    /// Costs the projection to the vocabulary at every layer it visits.
    /// </summary>
    /// <param name="thresholds">tau_1 .. tau_{N - 1} in 0 .. 1, or one for all layers.</param>
    public static ExitRule Confidence(params ReadOnlySpan<float> thresholds)
        => thresholds.Length > 0 ? new Confident(Checked(thresholds)) : throw new ArgumentException("ExitRule: there must be at least one threshold, got none.");

    /// <summary>A position leaves where the model's predictor says (<see cref="ExitPredictor"/>).</summary>
    /// <param name="thresholds">
    /// Of a geometric predictor alone: a position leaves after the first layer n whose probability of leaving is above tau_n. tau_1 .. tau_{N - 1} in 0 .. 1, or one for all layers, or none for 0.5.
    /// </param>
    public static ExitRule Predicted(params ReadOnlySpan<float> thresholds) => new Learned(Checked(thresholds));

    /// <summary>
    /// Every position leaves after a layer that is drawn for it, each equally likely: the paper's test of how little states of mixed depths harm (its tables 1 and 2). A draw goes by the seed
    /// and the bits of the position's own state: on a processor equal sentences are left alike, whatever stands beside them in the batch.
    /// </summary>
    /// <param name="seed">Begins the draws.</param>
    public static ExitRule Random(ulong seed) => new Drawn(seed);

    /// <summary>
    /// Anytime prediction with a deterministic clock: layers are counted, not seconds. The positions of an output take at most so many layers together; the position at which they are spent predicts from the last of them,
    /// and each one after it from the first layer. Every hypothesis has its own count, that of the tokens it is made of, so neither the beam nor the batch has a say in it. An output of T positions, its end included, takes at most
    /// <paramref name="layers"/> + T - 1 layers.
    /// </summary>
    /// <param name="layers">The most layers, 1 or more.</param>
    /// <param name="rule">When positions leave before; null for after their last layer.</param>
    public static ExitRule Within(int layers, ExitRule? rule = null)
        => layers >= 1 ? new Limited(layers, rule) : throw new ArgumentOutOfRangeException(null, $"ExitRule: the layers of an output must be at least 1, got {layers}.");

    /// <summary>Why a model's decoder cannot be left by it, in one sentence; null where it can.</summary>
    /// <param name="config">The model.</param>
    internal string? Problem(ModelConfig config) => !config.HasLayers
        ? $"a decoder of {config.Architecture.ToString().ToLowerInvariant()} has no layers after which it could be left."
        : config.Halting != Halting.None
        ? "positions of a model with halting act halt where it says, and cannot leave elsewhere."
        : Misfit(config);

    /// <summary>Whether all positions of an output leave after the same layer: then nothing of it is ever read above.</summary>
    /// <param name="predictor">The model's.</param>
    internal virtual bool IsOneDepth(ExitPredictor predictor) => false;

    /// <summary>What of the rule itself does not fit a model whose decoder can be left.</summary>
    private protected virtual string? Misfit(ModelConfig config) => null;

    /// <summary>Who leaves.</summary>
    /// <param name="depth">After this layer, from 1; never the last.</param>
    /// <param name="rows">The rows that are still there.</param>
    /// <param name="evidence">What is known of them, computed when it is asked for.</param>
    /// <returns>For each of the rows whether it leaves.</returns>
    internal abstract bool[] Leaves(int depth, IReadOnlyList<int> rows, ExitEvidence evidence);

    private static float[] Checked(ReadOnlySpan<float> thresholds)
    {
        foreach (float t in thresholds)
        {
            if (!(t is >= 0 and <= 1))
                throw new ArgumentOutOfRangeException(null, FormattableString.Invariant($"ExitRule: a threshold must be in 0 .. 1, got {t}."));
        }

        return thresholds.ToArray();
    }

    private static string? Misfit(float[] thresholds, ModelConfig config) => thresholds.Length <= 1 || thresholds.Length == config.DecoderDepth - 1
        ? null
        : $"exit thresholds must be one, or one for each of the {config.DecoderDepth - 1} layers before the last, got {thresholds.Length}.";

    private sealed class Fixed(int last) : ExitRule
    {
        private protected override string? Misfit(ModelConfig config) => last <= config.DecoderDepth ? null : $"the depth of an exit must be from 1 to {config.DecoderDepth}, got {last}.";

        internal override bool IsOneDepth(ExitPredictor predictor) => true;

        internal override bool[] Leaves(int depth, IReadOnlyList<int> rows, ExitEvidence evidence) => [.. rows.Select(_ => depth >= last)];
    }

    private sealed class Confident(float[] thresholds) : ExitRule
    {
        private protected override string? Misfit(ModelConfig config) => ExitRule.Misfit(thresholds, config);

        internal override bool[] Leaves(int depth, IReadOnlyList<int> rows, ExitEvidence evidence)
        {
            float threshold = thresholds[thresholds.Length == 1 ? 0 : depth - 1];
            return [.. evidence.Confidence().Select(p => p > threshold)];
        }
    }

    private sealed class Drawn(ulong seed) : ExitRule
    {
        // Who came so far leaves with 1 / (layers that are left): so each layer is as likely as any other.
        internal override bool[] Leaves(int depth, IReadOnlyList<int> rows, ExitEvidence evidence)
            => [.. evidence.States().Select(s => Uniform(s, depth) * (evidence.Last - depth + 1) < 1)];

        private double Uniform(float[] state, int depth)
        {
            ulong mixed = Mix(seed + (ulong)depth);
            foreach (float value in state)
                mixed = Mix(mixed ^ BitConverter.SingleToUInt32Bits(value));
            return (mixed >> 11) * Math.ScaleB(1, -53);
        }

        // The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
        private static ulong Mix(ulong z)
        {
            z += 0x9E3779B97F4A7C15;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            return z ^ (z >> 31);
        }
    }

    private sealed class Limited(int layers, ExitRule? rule) : ExitRule
    {
        private protected override string? Misfit(ModelConfig config) => rule?.Misfit(config);

        internal override bool[] Leaves(int depth, IReadOnlyList<int> rows, ExitEvidence evidence)
        {
            bool[] spent = [.. evidence.Taken().Select(taken => taken + depth >= layers)];

            // What the other rule would cost is saved where nobody asks it.
            return rule is null || Array.TrueForAll(spent, s => s) ? spent : [.. spent.Zip(rule.Leaves(depth, rows, evidence), (a, b) => a || b)];
        }
    }

    private sealed class Learned(float[] thresholds) : ExitRule
    {
        private const float Even = 0.5f;

        internal override bool IsOneDepth(ExitPredictor predictor) => predictor == ExitPredictor.Sequence;

        private protected override string? Misfit(ModelConfig config) => config.ExitPredictor switch
        {
            ExitPredictor.None => "exits cannot be predicted, the model was trained without exit_predictor.",
            ExitPredictor.Geometric => ExitRule.Misfit(thresholds, config),
            var kind => thresholds.Length == 0 ? null : $"exit thresholds are of a geometric exit_predictor, this model's is {kind.ToString().ToLowerInvariant()}.",
        };

        internal override bool[] Leaves(int depth, IReadOnlyList<int> rows, ExitEvidence evidence)
        {
            if (evidence.Predictor != ExitPredictor.Geometric)
                return [.. evidence.Predicted().Select(n => depth >= n)];
            float threshold = thresholds.Length switch { 0 => Even, 1 => thresholds[0], _ => thresholds[depth - 1] };
            return [.. evidence.Halting().Select(p => p > threshold)];
        }
    }
}

/// <summary>What is known of rows after a layer, each computed when it is asked for.</summary>
/// <param name="Predictor">What predicts depths.</param>
/// <param name="Confidence">Their largest probabilities of a token.</param>
/// <param name="Halting">Their probabilities of leaving.</param>
/// <param name="Predicted">The depths, from 1, that were predicted for them.</param>
/// <param name="Taken">The layers that the positions before took together.</param>
/// <param name="States">What the layer made of them, a row each.</param>
/// <param name="Last">The last layer, from 1.</param>
internal sealed record ExitEvidence(ExitPredictor Predictor, Func<float[]> Confidence, Func<float[]> Halting, Func<int[]> Predicted, Func<int[]> Taken, Func<float[][]> States, int Last);
