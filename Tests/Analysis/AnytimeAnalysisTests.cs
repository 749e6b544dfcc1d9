using CudaSeq.Kernels;
using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>Every exit's translations, scored as they are scored alone.</summary>
public sealed class AnytimeAnalysisTests
{
    private static readonly ModelConfig Config = TinyModels.Transformer with
    {
        DecoderLayers = 3,
        AdaptiveDepth = AdaptiveDepth.Aligned,
        ShareEmbeddings = EmbeddingSharing.None,
        ExitClassifiers = ExitClassifierKind.Separate,
    };

    private static readonly string[] Sources = ["a b c", "d", "e f g a", "b", "c c d"], References = ["b c", "a", "f e a", "g", "c d c"];

    [Theory]
    [InlineData(null)]
    [InlineData(0.4)]
    public void EveryExitAndLimitIsADecodingOfItsOwn(double? confidence)
    {
        using var device = new CpuDevice(2);
        using var run = TinyRuns.Create(Config, device, decoding: new DecodingOptions { Beam = 3, MaxLengthA = 0, MaxLengthB = 6 });
        using var folder = new TemporaryFolder();
        var text = new AnalysisText { Input = TinyRuns.Lines(folder, "in", Sources), Reference = TinyRuns.Lines(folder, "out", References) };
        var settings = new AnalysisSettings { ["--beam"] = 2L, ["--exit-limits"] = "4,9" };
        if (confidence is not null)
            settings["--exit-confidence"] = confidence.Value;
        var result = new AnytimeAnalysis().Of(run, text, settings);
        var json = TinyRuns.Results(result);
        var inner = confidence is { } p ? ExitRule.Confidence((float)p) : null;
        for (int n = 1; n <= 3; n++)
        {
            Check("exits", n - 1, "depth", n, ExitRule.AtDepth(n));
            Assert.Equal(n, (double)json["exits"]![n - 1]!["mean_layers"]!);
        }

        Check("limits", 0, "limit", 4, ExitRule.Within(4, inner));
        Check("limits", 1, "limit", 9, ExitRule.Within(9, inner));
        Assert.Equal((3, 2), (json["exits"]!.AsArray().Count, json["limits"]!.AsArray().Count));
        Assert.Contains("at most 9 in all", TinyRuns.Page(result).Value);

        void Check(string part, int place, string key, int value, ExitRule rule)
        {
            var row = json[part]![place]!;
            string[] written = [.. run.Translator.Translate(Sources, run.Translator.Decoding with { Beam = 2, Exit = rule }).Select(t => t[0].Text)];
            var score = Bleu.Corpus(written, References);
            var counts = run.Translator.ExitCounts;
            Assert.Equal((value, score.Score, score.HypothesisLength), ((int)row[key]!, (double)row["bleu"]!, (long)row["words"]!));
            Assert.Equal(counts.Select((c, n) => (n + 1.0) * c).Sum() / counts.Sum(), (double)row["mean_layers"]!, 1e-12);
        }
    }

    [Fact]
    public void WhatIsWrongIsSaid()
    {
        using var device = new CpuDevice(1);
        using var plain = TinyRuns.Create(TinyModels.Transformer, device);
        Assert.Equal(
            "analyze anytime: the model in runs/tiny has no adaptive_depth; models with \"adaptive_depth\": \"aligned\" or \"mixed\" can be left early.",
            Assert.Throws<InvalidDataException>(() => new AnytimeAnalysis().Of(plain)).Message);
        using var run = TinyRuns.Create(Config, device);
        using var folder = new TemporaryFolder();
        string empty = TinyRuns.Lines(folder, "empty");
        var text = new AnalysisText { Input = empty, Reference = empty };
        Assert.Equal("analyze: there must be at least one pair without an empty side, got none.", Assert.Throws<InvalidDataException>(() => new AnytimeAnalysis().Of(run, text)).Message);
        Assert.Equal(
            "analyze anytime: --exit-limits must be layers from 1 with commas between, got 4,0.",
            Assert.Throws<ArgumentException>(() => new AnytimeAnalysis().Of(run, text, new AnalysisSettings { ["--exit-limits"] = "4,0" })).Message);
        Assert.Equal(
            "analyze anytime: --exit-confidence is about --exit-limits, which must be given with it.",
            Assert.Throws<ArgumentException>(() => new AnytimeAnalysis().Of(run, text, new AnalysisSettings { ["--exit-confidence"] = 0.5 })).Message);
    }
}
