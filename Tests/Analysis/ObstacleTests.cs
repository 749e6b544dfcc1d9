using CudaSeq.Kernels;
using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>Models that an analysis has no meaning for.</summary>
public sealed class ObstacleTests
{
    private static readonly ModelConfig Banded = new() { EncoderLayers = 0, PreNorm = true, AdaptiveInputCutoffs = [10, 20], AdaptiveSoftmaxCutoffs = [10, 20] };

    [Fact]
    public void TablesInBandsAreNoTables()
    {
        Assert.Equal("has embeddings or a softmax in bands, which are no one table.", Analyses.Of("embeddings").Obstacle(Banded));
        Assert.Null(Analyses.Of("ffn-memories").Obstacle(Banded));
        Assert.Null(Analyses.Of("embeddings").Obstacle(new ModelConfig()));
        Assert.Null(Analyses.Of("ffn-composition").Obstacle(Banded));
    }

    [Fact]
    public void ModelsThatAreNoStacksOfLayersHaveNoneToLookInto()
    {
        var config = TinyModels.Of(Architecture.Lstm);
        Assert.Equal("is of the architecture lstm, whose layers are not those that this analysis looks into.", Analysis.ObstacleOfAny(config));
        Assert.Null(Analysis.ObstacleOfAny(TinyModels.Transformer));
        var steps = TinyModels.Transformer with { StepSignal = StepSignal.Sinusoid };
        Assert.Equal("has step_signal or halting: its layers are no function of the states alone.", Analyses.Of("ffn-memories").Obstacle(steps));
        Assert.Equal("has step_signal or halting: its layers are no function of the states alone.", Analyses.Of("word-translation").Obstacle(steps));
    }

    // Tables have no layers: every model has them.
    [Fact]
    public void EmbeddingsAreOfEveryModel()
    {
        using var device = new CpuDevice(1);
        foreach (var config in TinyModels.Others)
        {
            using var run = TinyRuns.Create(config with { SourceVocabulary = 11, TargetVocabulary = 11 }, device);
            var json = TinyRuns.Results(new EmbeddingsAnalysis().Of(run, settings: new AnalysisSettings { ["--no-pairs"] = true }));
            Assert.NotEmpty(json["singular_values"]!.AsObject());
            if (config.Architecture == Architecture.Lstm)
                Assert.Equal("analyze embeddings: --alignments or --no-pairs must be given for an lstm, which pays no attention to align pieces by.", Assert.Throws<ArgumentException>(() => new EmbeddingsAnalysis().Of(run)).Message);
            Assert.Contains("whose layers are not those", Assert.Throws<InvalidDataException>(() => new WordTranslationAnalysis().Of(run)).Message);
        }
    }

    // Whoever attends to a source can be asked where.
    [Theory]
    [InlineData("attention")]
    [InlineData("attention-entropy")]
    public void AttentionIsOfAllThatPayIt(string name)
    {
        foreach (var config in TinyModels.Others)
        {
            Assert.Equal(
                config.Architecture == Architecture.Lstm ? "is an lstm, which pays no attention: of the source it has nothing but what its cells hold in the end." : null,
                Analyses.Of(name).Obstacle(config));
        }
    }

    // An encoder of another width has states that no table of the target takes.
    [Fact]
    public void WhatComparesBothSidesNeedsOneWidth()
    {
        using var device = new CpuDevice(1);
        using var run = TinyRuns.Create(TinyModels.Transformer with { EncoderWidth = 12, ShareEmbeddings = EmbeddingSharing.None }, device);
        using var folder = new TemporaryFolder();
        var text = new AnalysisText { Input = TinyRuns.Lines(folder, "in", "a b"), Reference = TinyRuns.Lines(folder, "out", "c") };
        Assert.Equal(
            "analyze embeddings: --no-pairs must be given for tables of different widths, whose vectors have no cosine, got 12 and 8 channels.",
            Assert.Throws<ArgumentException>(() => new EmbeddingsAnalysis().Of(run, text)).Message);
        Assert.Equal(
            "analyze word-translation: --side must be decoder for a model with an encoder_width, whose encoder's states do not fit the projection to the vocabulary, got 12 and 8 channels.",
            Assert.Throws<ArgumentException>(() => new WordTranslationAnalysis().Of(run, text)).Message);
        var probes = TinyRuns.Results(new WordTranslationAnalysis().Of(run, text, new AnalysisSettings { ["--side"] = "decoder", ["--updates"] = 0L }))["probes"]!.AsArray();
        Assert.Equal(3, probes.Count);
        Assert.Equal(["encoder_self", "decoder_self", "source"], TinyRuns.Results(new AttentionEntropyAnalysis().Of(run, text))["models"]![0]!.AsObject().Select(p => p.Key).Skip(1));
    }

    [Fact]
    public void AProbeNeedsTheNormThatFollowsTheEncoder()
    {
        var fused = TinyModels.Transformer with { EncoderFusion = EncoderFusion.Coarse };
        Assert.Null(Analyses.Of("word-translation").Obstacle(fused));
        Assert.StartsWith("has encoder_fusion and norms before the sub-layers: ", Analyses.Of("word-translation").Obstacle(fused with { PreNorm = true }));
    }

    [Fact]
    public void TapsThatAreNoDistributionHaveNoEntropy()
    {
        var config = new ModelConfig { Architecture = Architecture.DynamicConv };
        Assert.Null(Analyses.Of("attention-entropy").Obstacle(config));
        Assert.Equal("has conv_normalization: its taps are no distribution over positions.", Analyses.Of("attention-entropy").Obstacle(config with { ConvNormalization = TapNormalization.L2 }));
        Assert.Null(Analyses.Of("attention").Obstacle(config with { ConvNormalization = TapNormalization.L2 }));
    }

    [Theory]
    [InlineData("attention")]
    [InlineData("attention-entropy")]
    public void OrdinaryConvolutionsWithoutASourceSayNothing(string name)
    {
        var config = new ModelConfig { Architecture = Architecture.Cnn };
        Assert.Null(Analyses.Of(name).Obstacle(config));
        Assert.Equal("is a cnn without a source: nothing in it says which positions it looks at.", Analyses.Of(name).Obstacle(config with { EncoderLayers = 0 }));
    }
}
