using System.Globalization;
using CudaSeq.Kernels;
using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>Thresholds drawn at random: each draw is a decoding of its own, and the best of each depth is kept.</summary>
public sealed class ExitThresholdsAnalysisTests
{
    private static readonly ModelConfig Config = TinyModels.Transformer with { DecoderLayers = 3, AdaptiveDepth = AdaptiveDepth.Aligned, ExitPredictor = ExitPredictor.Geometric };

    private static readonly string[] Sources = ["a b c", "d", "e f g a", "b", "c c d"], References = ["b c", "a", "f e a", "g", "c d c"];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void EveryDrawIsADecodingOfItsOwn(bool predicted)
    {
        using var device = new CpuDevice(2);
        using var run = TinyRuns.Create(Config, device, decoding: new DecodingOptions { Beam = 3, MaxLengthA = 0, MaxLengthB = 6 });
        using var folder = new TemporaryFolder();
        var text = new AnalysisText { Input = TinyRuns.Lines(folder, "in", Sources), Reference = TinyRuns.Lines(folder, "out", References) };
        var settings = new AnalysisSettings { ["--beam"] = 2L, ["--draws"] = 12L, ["--seed"] = 5L, ["--bucket"] = 0.5 };
        if (predicted)
            settings["--exit-predicted"] = true;
        var result = new ExitThresholdsAnalysis().Of(run, text, settings);
        var json = TinyRuns.Results(result);
        var draws = json["draws"]!.AsArray();
        Assert.Equal(12, draws.Select(d => (string)d!["thresholds"]!).Distinct().Count());
        var depths = new HashSet<double>();
        foreach (var draw in draws)
        {
            float[] thresholds = [.. ((string)draw!["thresholds"]!).Split(',').Select(t => float.Parse(t, CultureInfo.InvariantCulture))];
            Assert.Equal(2, thresholds.Length);
            var (bleu, words, layers) = Decoded(predicted ? ExitRule.Predicted(thresholds) : ExitRule.Confidence(thresholds));
            Assert.Equal((bleu, words), ((double)draw["bleu"]!, (long)draw["words"]!));
            Assert.Equal(layers, (double)draw["mean_layers"]!, 1e-12);
            depths.Add(layers);
        }

        Assert.True(depths.Count > 2, $"all draws leave alike, after {string.Join(", ", depths)} layers");
        var all = Decoded(ExitRule.AtDepth(3));
        Assert.Equal((all.Bleu, all.Words, 3), ((double)json["all_layers"]!["bleu"]!, (long)json["all_layers"]!["words"]!, (double)json["all_layers"]!["mean_layers"]!));
        Assert.Contains(predicted ? "--exit-predicted --exit-threshold 0." : "--exit-confidence 0.", TinyRuns.Page(result).Value);

        (double Bleu, long Words, double Layers) Decoded(ExitRule rule)
        {
            string[] written = [.. run.Translator.Translate(Sources, run.Translator.Decoding with { Beam = 2, Exit = rule }).Select(t => t[0].Text)];
            var score = Bleu.Corpus(written, References);
            var counts = run.Translator.ExitCounts;
            return (score.Score, score.HypothesisLength, counts.Select((c, n) => (n + 1.0) * c).Sum() / counts.Sum());
        }
    }

    // Of 1 to 1.5 layers, 1.5 to 2 and so on; of equal scores the fewer layers.
    [Fact]
    public void TheBestOfEachDepthIsKept()
    {
        ExitThresholdsAnalysis.Draw a = Of(1, 10), b = Of(1.49, 12), c = Of(1.3, 12), d = Of(1.5, 11), e = Of(2.9, 9), f = Of(3, 30);
        Assert.Equal([c, d, e, f], ExitThresholdsAnalysis.BestOf([f, a, b, c, d, e], 0.5));
        Assert.Equal([f], ExitThresholdsAnalysis.BestOf([a, b, c, d, e, f], 1000));

        static ExitThresholdsAnalysis.Draw Of(double layers, double bleu) => new([0.5f], bleu, 1, layers);
    }

    [Fact]
    public void WhatIsWrongIsSaid()
    {
        using var device = new CpuDevice(1);
        using var one = TinyRuns.Create(Config with { DecoderLayers = 1, ExitPredictor = ExitPredictor.None }, device);
        Assert.Equal(
            "analyze exit-thresholds: the model in runs/tiny has one layer in its decoder: there is none to leave before the last.",
            Assert.Throws<InvalidDataException>(() => new ExitThresholdsAnalysis().Of(one)).Message);
        using var run = TinyRuns.Create(Config with { ExitPredictor = ExitPredictor.None }, device);
        Assert.Equal(
            "analyze exit-thresholds: --exit-predicted is of a geometric exit_predictor alone.",
            Assert.Throws<ArgumentException>(() => new ExitThresholdsAnalysis().Of(run, settings: new AnalysisSettings { ["--exit-predicted"] = true })).Message);
        Assert.StartsWith(
            "analyze exit-thresholds: --draws",
            Assert.Throws<ArgumentException>(() => new ExitThresholdsAnalysis().Of(run, settings: new AnalysisSettings { ["--draws"] = 0L })).Message);
    }
}
