using CudaSeq.Kernels;
using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

/// <summary>Steps of a search as graphs: the same tokens and the same bits of every score.</summary>
public sealed class DecodingGraphTests
{
    // Batches of several sizes, of which some come again, sentences that end early and late, room for positions that grows.
    private static readonly int[] SourceLengths = [7, 2, 7, 12, 1, 4, 9, 30, 3, 3, 18, 5];

    // In bfloat16 the searches of the tiny cnn end before enough of their steps have come again.
    public static TheoryData<Architecture, int, DType> Searches =>
    [
        .. Enum.GetValues<Architecture>().SelectMany(a => new[] { (a, 1, DType.Float32), (a, 4, DType.Float32) }),
        .. Enum.GetValues<Architecture>().Where(a => a != Architecture.Cnn).Select(a => (a, 3, DType.BFloat16)),
    ];

    [Theory, MemberData(nameof(Searches))]
    public void GraphsFindTheSameBitForBit(Architecture architecture, int beam, DType precision)
    {
        using var device = TestDevices.OpenCuda();
        using var model = TinyModels.Create(TinyModels.Of(architecture), device);
        model.ComputeIn(precision);
        int[][] sources = TinyModels.Sentences(new Random(4), model.Config.SourceVocabulary, SourceLengths);
        var options = new DecodingOptions { Beam = beam, NBest = beam, MaxLengthA = 1.5, MaxLengthB = 12, BatchTokens = 60 };
        var eager = new SequenceGenerator(model);
        var graphs = new SequenceGenerator(model);
        long launches = device.GraphLaunches;
        var (expected, eagerReads) = Read(() => eager.Generate(sources, options with { Graphs = false }));
        Assert.Equal(launches, device.GraphLaunches);
        var (got, reads) = Read(() => graphs.Generate(sources, options));

        // Many more than were captured, or capturing would be in vain.
        Assert.True(device.GraphLaunches - launches > 2 * graphs.CapturedShapes, $"{device.GraphLaunches - launches} launches of {graphs.CapturedShapes} graphs");
        Assert.Null(graphs.GraphObstacle);
        Assert.Equal(0, eager.CapturedShapes);
        Assert.InRange(graphs.CapturedShapes, 3, 100);
        Assert.Equal(eagerReads, reads);
        for (int i = 0; i < sources.Length; i++)
        {
            Assert.Equal(expected[i].Select(h => h.Tokens), got[i].Select(h => h.Tokens));
            Assert.Equal(expected[i].Select(h => h.Score), got[i].Select(h => h.Score));
            Assert.Equal(expected[i].SelectMany(h => h.TokenScores), got[i].SelectMany(h => h.TokenScores));
        }

        (IReadOnlyList<IReadOnlyList<Hypothesis>> Results, long Reads) Read(Func<IReadOnlyList<IReadOnlyList<Hypothesis>>> search)
        {
            long before = device.HostReads;
            var results = search();
            return (results, device.HostReads - before);
        }
    }

    /// <summary>Sources whose width would be rounded up to 32, of a model of 30 positions.</summary>
    [Fact]
    public void WidthsAreNotRoundedBeyondThePositions()
    {
        using var device = TestDevices.OpenCuda();
        using var model = TinyModels.Create(TinyModels.ConvS2S with { MaxPositions = 30 }, device);
        int[][] sources = TinyModels.Sentences(new Random(4), model.Config.SourceVocabulary, 25, 30, 27, 25, 3);
        var options = new DecodingOptions { Beam = 2, MaxLengthA = 1, BatchTokens = 60 };
        var expected = new SequenceGenerator(model).Generate(sources, options with { Graphs = false });
        var generator = new SequenceGenerator(model);
        var got = generator.Generate(sources, options);
        Assert.Null(generator.GraphObstacle);
        Assert.Equal(expected.SelectMany(r => r).Select(h => h.Tokens), got.SelectMany(r => r).Select(h => h.Tokens));
        Assert.Equal(expected.SelectMany(r => r).Select(h => h.Score), got.SelectMany(r => r).Select(h => h.Score));
    }

    /// <summary>With every option, more candidates and other ways to choose among them.</summary>
    [Fact]
    public void GraphsFindTheSameWithEveryOption()
    {
        using var device = TestDevices.OpenCuda();
        using var model = TinyModels.Create(TinyModels.Transformer, device);
        int[][] sources = TinyModels.Sentences(new Random(4), model.Config.SourceVocabulary, SourceLengths);
        var plain = new DecodingOptions { Beam = 4, NBest = 4, MaxLengthA = 1.5, MaxLengthB = 12, BatchTokens = 60, Temperature = 0.7f };
        DecodingOptions[] searches =
        [
            plain with { NoRepeatNGramSize = 2, MinLength = 6 },
            plain with { DiverseBeamGroups = 2, NoRepeatNGramSize = 1 },
            plain with { Sampling = true },
            plain with { Sampling = true, SamplingTopP = 0.8f, LengthPenaltyForm = LengthPenaltyForm.Gnmt },
        ];
        int[][] prefixes = [.. sources.Select((s, i) => Enumerable.Range(4, i % 3).ToArray())];
        foreach (var options in searches)
        {
            var expected = new SequenceGenerator(model).Generate(sources, options with { Graphs = false }, prefixes: prefixes);
            var graphs = new SequenceGenerator(model);
            var got = graphs.Generate(sources, options, prefixes: prefixes);
            Assert.Null(graphs.GraphObstacle);
            Assert.InRange(graphs.CapturedShapes, 1, 100);
            Assert.Equal(expected.SelectMany(r => r).Select(h => h.Tokens), got.SelectMany(r => r).Select(h => h.Tokens));
            Assert.Equal(expected.SelectMany(r => r).SelectMany(h => h.TokenScores), got.SelectMany(r => r).SelectMany(h => h.TokenScores));
        }
    }

    /// <summary>What a step waits for are the best scores and tokens, and at the longest output the scores of its end.</summary>
    [Fact]
    public void AStepWaitsTwice()
    {
        using var device = TestDevices.OpenCuda();
        using var model = TinyModels.Create(TinyModels.Transformer, device);
        int[][] sources = TinyModels.Sentences(new Random(5), model.Config.SourceVocabulary, 5, 3, 6);
        foreach (bool graphs in (bool[])[false, true])
        {
            // No hypothesis can end before the last step.
            var options = new DecodingOptions { Beam = 2, MinLength = 40, MaxLengthB = 40, Graphs = graphs };
            new SequenceGenerator(model).Generate(sources, options);
            long before = device.HostReads;
            new SequenceGenerator(model).Generate(sources, options);
            Assert.Equal((2 * 41) + 1, device.HostReads - before);
        }
    }

    [Fact]
    public void WhatCannotBeCapturedIsRunAsItIsAndSaidWhy()
    {
        using var device = TestDevices.OpenCuda();
        using var peeping = new PeepingModel(TinyModels.Transformer);
        peeping.Initialize(device, new RandomSource(0));
        int[][] sources = TinyModels.Sentences(new Random(4), peeping.Config.SourceVocabulary, 5, 3, 6);
        var options = new DecodingOptions { Beam = 2, NBest = 2, MinLength = 6, MaxLengthB = 20 };
        var expected = new SequenceGenerator(peeping.Inner).Generate(sources, options);
        var generator = new SequenceGenerator(peeping);
        var got = generator.Generate(sources, options);
        Assert.Equal("cuda:0: a capture must hold kernels, fills and copies on the device only, got a copy to the host.", generator.GraphObstacle);
        Assert.Equal(0, generator.CapturedShapes);
        Assert.Equal(expected.SelectMany(r => r).Select(h => h.Tokens), got.SelectMany(r => r).Select(h => h.Tokens));
        Assert.Equal(expected.SelectMany(r => r).Select(h => h.Score), got.SelectMany(r => r).Select(h => h.Score));
    }

    [Fact]
    public void AStepThatChangesTheShapesOfItsMemoryIsNotCaptured()
    {
        using var device = TestDevices.OpenCuda();
        using var growing = new GrowingModel(TinyModels.Transformer);
        growing.Initialize(device, new RandomSource(0));
        int[][] sources = TinyModels.Sentences(new Random(4), growing.Config.SourceVocabulary, 5, 3, 6);
        var options = new DecodingOptions { Beam = 2, NBest = 2, MinLength = 6, MaxLengthB = 20 };
        var expected = new SequenceGenerator(growing.Inner).Generate(sources, options);
        var generator = new SequenceGenerator(growing);
        var got = generator.Generate(sources, options);
        Assert.StartsWith("cuda:0: a captured step must keep the shapes of what it remembers, got a new one, [", generator.GraphObstacle);
        Assert.Equal(0, generator.CapturedShapes);
        Assert.Equal(expected.SelectMany(r => r).Select(h => h.Tokens), got.SelectMany(r => r).Select(h => h.Tokens));
        Assert.Equal(expected.SelectMany(r => r).Select(h => h.Score), got.SelectMany(r => r).Select(h => h.Score));
    }

    [Fact]
    public void ACallLeavesNothingOnTheDevice()
    {
        using var device = TestDevices.OpenCuda();
        using var model = TinyModels.Create(TinyModels.Transformer, device);
        int[][] sources = TinyModels.Sentences(new Random(6), model.Config.SourceVocabulary, SourceLengths);
        var options = new DecodingOptions { Beam = 3, MaxLengthB = 50 };
        new SequenceGenerator(model).Generate(sources, options);
        long before = device.LiveBytes;
        new SequenceGenerator(model).Generate(sources, options);
        Assert.Equal(before, device.LiveBytes);
    }

    /// <summary>On the processor nothing is rounded: a search computes what it needs.</summary>
    [Fact]
    public void SizesAreRoundedOnAGpuOnly()
    {
        int[] sizes = [1, 2, 3, 4, 5, 6, 7, 9, 13, 17, 25, 33, 49, 65];
        Assert.Equal([1, 2, 3, 4, 6, 6, 8, 12, 16, 24, 32, 48, 64, 96], sizes.Select(DecodingSizes.Rounded.Sentences));
        Assert.Equal(sizes, sizes.Select(DecodingSizes.Exact.Sentences));
        Assert.Equal([16, 16, 24, 48], new[] { 1, 16, 17, 40 }.Select(DecodingSizes.Rounded.Source));
        Assert.Equal(17, DecodingSizes.Exact.Source(17));
        Assert.Equal([32, 32, 48, 96], new[] { 1, 32, 33, 65 }.Select(n => DecodingSizes.Rounded.Places(n, 70)));
        Assert.Equal([16, 32, 64, 70], new[] { 1, 17, 64, 65 }.Select(n => DecodingSizes.Exact.Places(n, 70)));
    }
}
