using CudaSeq.Kernels;
using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

/// <summary>Lesions of layer attention: what translations become without a layer.</summary>
public sealed class LesionAnalysisTests
{
    private static readonly string[] Sources = ["a b c", "d", "e f g a", "b", "c c d"];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void EachLayerIsTakenAwayOnceAndComesBack(bool renormalizes)
    {
        using var device = new CpuDevice(2);
        using var run = TinyRuns.Create(TinyModels.Transformer with { EncoderFusion = EncoderFusion.Fine }, device, decoding: new DecodingOptions { Beam = 2, MaxLengthA = 0, MaxLengthB = 6 });
        using var folder = new TemporaryFolder();
        string[] references = ["b c", "a", "f e a", "g", "c d c"];
        var text = new AnalysisText { Input = TinyRuns.Lines(folder, "in", Sources), Reference = TinyRuns.Lines(folder, "out", references) };
        var settings = new AnalysisSettings { ["--beam"] = 3L };
        if (renormalizes)
            settings["--renormalize"] = true;
        var json = TinyRuns.Results(new LesionAnalysis().Of(run, text, settings));
        var attention = run.Layers.Decoder.LayerAttention!;
        Assert.Equal(((int?)null, false), (attention.Lesion, attention.Renormalizes));
        var whole = Score(null);
        Assert.Equal((whole.Score, whole.HypothesisLength), ((double)json["bleu"]!, (long)json["words"]!));
        Assert.Equal(["Emb", "1", "2"], json["lesions"]!.AsArray().Select(l => (string?)l!["encoder_layer"]));
        bool changes = false;
        for (int n = 0; n < 3; n++)
        {
            attention.Renormalizes = renormalizes;
            var score = Score(n);
            var lesion = json["lesions"]![n]!;
            Assert.Equal((score.Score, score.HypothesisLength), ((double)lesion["bleu"]!, (long)lesion["words"]!));
            Assert.Equal((score.Score / whole.Score) - 1, (double)lesion["bleu_change"]!, 1e-12);
            Assert.Equal(((double)score.HypothesisLength / whole.HypothesisLength) - 1, (double)lesion["words_change"]!, 1e-12);
            changes |= score.Score != whole.Score;
        }

        Assert.True(changes, "a lesion changes nothing");

        BleuScore Score(int? lesion)
        {
            attention.Lesion = lesion;
            return Bleu.Corpus([.. run.Translator.Translate(Sources, run.Translator.Decoding with { Beam = 3 }).Select(t => t[0].Text)], references);
        }
    }

    // Summaries and corrections have scores of their own; pairs with an empty side have none.
    [Theory]
    [InlineData("rouge", "rouge_l")]
    [InlineData("gleu", "gleu")]
    public void TheScoreIsTheTasks(string metric, string key)
    {
        using var device = new CpuDevice(1);
        using var run = TinyRuns.Create(TinyModels.Transformer with { EncoderFusion = EncoderFusion.Fine }, device, decoding: new DecodingOptions { Beam = 1, MaxLengthA = 0, MaxLengthB = 6 });
        using var folder = new TemporaryFolder();
        string[] references = ["b c", "a", "f e a", "g", "c d c"];
        var text = new AnalysisText { Input = TinyRuns.Lines(folder, "in", [.. Sources, "a", " "]), Reference = TinyRuns.Lines(folder, "out", [.. references, "", "b"]) };
        var result = new LesionAnalysis().Of(run, text, new AnalysisSettings { ["--metric"] = metric });
        var json = TinyRuns.Results(result);
        string[] outputs = [.. run.Translator.Translate(Sources, run.Translator.Decoding).Select(t => t[0].Text)];
        var expected = metric == "rouge" ? Rouge.Statistics(outputs, [references], new RougeOptions { Measure = RougeMeasure.Subsequence }) : Gleu.Statistics(outputs, Sources, [references]);
        Assert.Equal((expected.Score, expected.Signature), ((double)json[key]!, (string)json["signature"]!));
        Assert.Equal(outputs.Sum(o => o.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length), (long)json["words"]!);
        Assert.All(json["lesions"]!.AsArray(), l => Assert.True(l!.AsObject().ContainsKey($"{key}_change")));
        var read = TinyRuns.Json(result)["text"]!;
        Assert.Equal((7, 5, 2), ((int)read["lines"]!, (int)read["samples"]!, (int)read["empty"]!));
        Assert.Equal("analyze lesion: --metric must be bleu, rouge or gleu, got ter.", Assert.Throws<ArgumentException>(() => new LesionAnalysis().Of(run, text, new AnalysisSettings { ["--metric"] = "ter" })).Message);
    }

    [Theory]
    [InlineData(EncoderFusion.Coarse)]
    [InlineData(EncoderFusion.Fine)]
    public void RenormalizedWeightsAreASoftmaxOfTheOthers(EncoderFusion fusion)
    {
        using var device = new CpuDevice(1);
        using var model = TinyModels.Create(TinyModels.Transformer with { EncoderFusion = fusion }, device);
        var attention = ((EncoderDecoderModel)model).Decoder.LayerAttention!;
        using var scope = TensorScope.Begin();
        float[] before = attention.Weights().ToArray();
        (attention.Lesion, attention.Renormalizes) = (1, true);
        float[] after = attention.Weights().ToArray();
        for (int i = 0; i < before.Length; i += 3)
        {
            double left = (double)before[i] + before[i + 2];
            Assert.Equal(before[i] / left, after[i], 1e-6);
            Assert.Equal(0, after[i + 1]);
            Assert.Equal(before[i + 2] / left, after[i + 2], 1e-6);
        }

        attention.Lesion = null;
        Assert.Equal(before, attention.Weights().ToArray());
    }

    [Fact]
    public void WithoutPairsThereIsNothingToMeasure()
    {
        using var device = new CpuDevice(1);
        using var run = TinyRuns.Create(TinyModels.Transformer with { EncoderFusion = EncoderFusion.Coarse }, device);
        using var folder = new TemporaryFolder();
        string empty = TinyRuns.Lines(folder, "empty");
        Assert.Equal("analyze: there must be at least one pair without an empty side, got none.", Assert.Throws<InvalidDataException>(() => new LesionAnalysis().Of(run, new AnalysisText { Input = empty, Reference = empty })).Message);
        Assert.Throws<OperationCanceledException>(() => new LesionAnalysis().Of(
            run, new AnalysisText { Input = TinyRuns.Lines(folder, "a", "a"), Reference = TinyRuns.Lines(folder, "b", "b") }, cancellation: new CancellationToken(canceled: true)));
        Assert.Null(run.Layers.Decoder.LayerAttention!.Lesion);
        Assert.Equal("analyze lesion: --beam must be at least 1, got 0.", Assert.Throws<ArgumentException>(() => new LesionAnalysis().Of(run, settings: new AnalysisSettings { ["--beam"] = 0L })).Message);
        Assert.Equal("analyze lesion: --beam must be a whole number, got x.", Assert.Throws<ArgumentException>(() => new LesionAnalysis().Of(run, settings: new AnalysisSettings { ["--beam"] = "x" })).Message);
    }
}
