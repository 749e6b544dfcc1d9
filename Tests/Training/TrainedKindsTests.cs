using CudaSeq.Models;
using static CudaSeq.Tests.TinyTraining;

namespace CudaSeq.Tests;

/// <summary>What training promises of every model, of those that <see cref="TrainerTests"/> does not train.</summary>
public sealed class TrainedKindsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Kinds => [.. TinyTraining.Kinds.Keys];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Kinds))]
    public void StoppedAndResumedOnOtherThreadsItIsTheSameBitForBit(string kind)
    {
        var config = TinyTraining.Kinds[kind];
        RunDirectory straight = new(_folder.PathOf("straight")), resumed = new(_folder.PathOf("resumed"));
        Train(config, straight, Options(9), threads: 1);
        Train(config, resumed, Options(4), threads: 3);
        Train(config, resumed, Options(9), resume: true, threads: 2);
        Assert.Equal(File.ReadAllBytes(straight.Last), File.ReadAllBytes(resumed.Last));
    }

    // Steps over time, halting, exits and fusions are made where a capture allows it; what differs from batch to batch, dropped layers and the targets of predictors, is not captured.
    [Theory]
    [InlineData("lstm", true)]
    [InlineData("rnnsearch", true)]
    [InlineData("halting", true)]
    [InlineData("aligned", true)]
    [InlineData("fusions", true)]
    [InlineData("LayerDrop and windows", false)]
    [InlineData("aligned, with a predictor", false)]
    public void GraphsLearnTheSameBitForBit(string kind, bool captures)
    {
        using var cuda = TestDevices.OpenCuda();
        var options = Options(6) with { LengthMultiple = 8, BatchTokens = 36, ValidateEvery = 1000 };
        var (expectedLosses, expectedWords, none) = LearnAndTranslate(TinyTraining.Kinds[kind], cuda, options with { Graphs = false });
        var (losses, words, captured) = LearnAndTranslate(TinyTraining.Kinds[kind], cuda, options);
        Assert.Equal(expectedLosses, losses);
        Assert.Equal(expectedWords, words);
        Assert.Equal(0, none);
        Assert.Equal(captures, captured > 0);
    }
}
