using CudaSeq.Kernels;
using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>Thresholds that keep a budget of layers, and outputs that have a limit of them.</summary>
public sealed class ExitBudgetTests
{
    private static readonly ModelConfig Config = TinyModels.Transformer with { DecoderLayers = 3, AdaptiveDepth = AdaptiveDepth.Aligned };
    private static readonly ModelConfig Geometric = Config with { ExitPredictor = ExitPredictor.Geometric };
    private static readonly string[] Lines = ["a b c", "d", "", "e f g a c c b a", "b a", "c c c d", "g", "f e d c"];
    private static readonly int[][] Sources = [[4, 5, 6, Vocabulary.Eos], [7, Vocabulary.Eos], [8, 9, Vocabulary.Eos]];

    [Theory]
    [InlineData(1, false)]
    [InlineData(1.5, false)]
    [InlineData(2, false)]
    [InlineData(2.7, false)]
    [InlineData(3, false)]
    [InlineData(1, true)]
    [InlineData(1.7, true)]
    [InlineData(2.4, true)]
    public void ABudgetIsKeptAndUsed(double budget, bool predicted)
    {
        using var device = new CpuDevice(2);
        using var run = TinyRuns.Create(predicted ? Geometric : Config, device, decoding: new DecodingOptions { Beam = 2, MaxLengthA = 0, MaxLengthB = 7 });
        int reads = 0;
        var found = ExitBudget.Tune(run.Translator, Read, budget, predicted: predicted);
        Assert.Equal(reads, found.Decodings);
        Assert.InRange(found.Decodings, 2, 12);
        Assert.InRange(found.Layers, 1, budget);
        Assert.Equal(found.Layers, Mean(found.Threshold, out long positions));
        Assert.Equal(found.Positions, positions);
        Assert.Equal(found.Threshold, float.Parse(found.Typed, System.Globalization.CultureInfo.InvariantCulture));

        // Nothing on a grid comes nearer to it by much, be it with other tokens.
        double best = Enumerable.Range(0, 101).Select(i => Mean(i / 100f, out _)).Where(m => m <= budget).Max();
        Assert.InRange(found.Layers, best - 0.1, budget);
        Assert.Equal(budget == 1, found.Layers == 1);

        IEnumerable<string> Read()
        {
            reads++;
            return Lines;
        }

        double Mean(float threshold, out long positions)
        {
            run.Translator.Translate(Lines, run.Translator.Decoding with { Exit = predicted ? ExitRule.Predicted(threshold) : ExitRule.Confidence(threshold) });
            var counts = run.Translator.ExitCounts;
            positions = counts.Sum();
            return counts.Select((c, n) => (n + 1.0) * c).Sum() / positions;
        }
    }

    // Two positions of three layers: the largest up to each are 1/4 and 1/2, 3/4 and 3/4. A threshold equal to one lets it stay.
    [Theory]
    [InlineData(1, 249_999, false)]
    [InlineData(1.49, 249_999, true)]
    [InlineData(1.5, 499_999, false)]
    [InlineData(2, 749_999, true)]
    [InlineData(2.9, 749_999, false)]
    [InlineData(3, 1_000_000, false)]
    public void ThresholdsAreThoseOfTheCounts(double layers, int expected, bool predicted)
    {
        var profile = new ExitBudget.Profile(predicted);
        float[][] confidence = [[0.25f, 0.75f], [0.5f, 0.125f]];
        for (int depth = 1; depth <= 2; depth++)
        {
            float[] own = confidence[depth - 1];
            Assert.Equal([false, false], profile.Leaves(depth, [0, 1], new ExitEvidence(ExitPredictor.None, () => predicted ? [] : own, () => predicted ? own : [], () => [], () => [], () => [], 3)));
        }

        Assert.Equal(expected, profile.Threshold(layers));
    }

    [Fact]
    public void WhatIsNoBudgetIsRefused()
    {
        using var device = new CpuDevice(1);
        using var run = TinyRuns.Create(Config, device);
        foreach (double budget in (double[])[0.9, 3.5, double.NaN])
        {
            Assert.Equal(
                FormattableString.Invariant($"ExitBudget: the budget must be from 1 to the decoder's 3 layers, got {budget}."),
                Assert.Throws<ArgumentException>(() => ExitBudget.Tune(run.Translator, () => Lines, budget)).Message);
        }

        Assert.Equal(
            "ExitBudget: exit thresholds are of a geometric exit_predictor, this model's is none.",
            Assert.Throws<ArgumentException>(() => ExitBudget.Tune(run.Translator, () => Lines, 2, predicted: true)).Message);
        Assert.Equal(
            "ExitBudget: there must be at least one line that is not empty to tune on, got none.",
            Assert.Throws<InvalidDataException>(() => ExitBudget.Tune(run.Translator, () => ["", " "], 2)).Message);
        Assert.Throws<OperationCanceledException>(() => ExitBudget.Tune(run.Translator, () => Lines, 2, cancellation: new CancellationToken(canceled: true)));
    }

    /// <summary>Without another rule all positions of a step leave together: as deep as the limit still allows, then after the first layer.</summary>
    [Theory]
    [InlineData(1, new[] { 1, 1, 1, 1 })]
    [InlineData(3, new[] { 3, 1, 1, 1 })]
    [InlineData(5, new[] { 3, 2, 1, 1 })]
    [InlineData(7, new[] { 3, 3, 1, 1 })]
    [InlineData(8, new[] { 3, 3, 2, 1 })]
    [InlineData(100, new[] { 3, 3, 3, 3 })]
    public void LayersAreTakenAsTheyCome(int limit, int[] first)
    {
        using var device = new CpuDevice(1);
        using var model = TinyModels.Create(Config, device);
        var options = new DecodingOptions { Beam = 3, NBest = 3, MaxLengthB = 5 };
        var generator = new SequenceGenerator(model);
        var expected = generator.Generate(Sources, options with { Exit = new Steps(limit >= 100 ? [3, 3, 3, 3, 3, 3] : [.. first, 1, 1]) });
        long[] counts = [.. generator.ExitCounts];
        var got = generator.Generate(Sources, options with { Exit = ExitRule.Within(limit) });
        Assert.Equal(counts, generator.ExitCounts);
        foreach (var (e, g) in expected.Zip(got))
            PlainSearch.Same(e, g);
    }

    [Fact]
    public void WhatIsNoLimitIsRefused()
    {
        Assert.Equal("ExitRule: the layers of an output must be at least 1, got 0.", Assert.Throws<ArgumentOutOfRangeException>(() => ExitRule.Within(0)).Message);
        Assert.Equal("the depth of an exit must be from 1 to 3, got 4.", ExitRule.Within(9, ExitRule.AtDepth(4)).Problem(Config));
        Assert.Null(ExitRule.Within(9).Problem(Config));
    }

    // All positions of a step at one depth; batches of one call only.
    private sealed class Steps(int[] depths) : ExitRule
    {
        private int _step = -1;

        internal override bool[] Leaves(int depth, IReadOnlyList<int> rows, ExitEvidence evidence)
        {
            if (depth == 1)
                _step++;
            return [.. rows.Select(_ => depth == depths[_step])];
        }
    }
}
