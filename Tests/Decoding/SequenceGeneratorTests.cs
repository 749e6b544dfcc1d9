using CudaSeq.Kernels;
using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed class SequenceGeneratorTests
{
    [Theory, Devices]
    public void BeamOfOneIsGreedy(string name)
    {
        using var device = TestDevices.Open(name);
        foreach (var config in TinyModels.On(name))
        {
            using var model = TinyModels.Create(config, device);
            int[][] sources = TinyModels.Sentences(new Random(1), config.SourceVocabulary, 3, 8, 1, 5);
            var results = new SequenceGenerator(model).Generate(sources, new DecodingOptions { Beam = 1, MaxLengthB = 15 });
            for (int i = 0; i < sources.Length; i++)
                Assert.Equal(Greedy(model, sources[i], 15), results[i][0].Tokens);
        }
    }

    /// <summary>A beam wider than there are outputs finds them all: compared with every output of at most three tokens, scored by the whole decoder.</summary>
    [Theory, Devices]
    public void AWideBeamFindsTheBestOfAllOutputs(string name)
    {
        using var device = TestDevices.Open(name);
        foreach (var config in TinyModels.On(name).Select(c => c with { SourceVocabulary = 5, TargetVocabulary = 5 }))
        {
            using var model = TinyModels.Create(config, device);
            int[][] sources = TinyModels.Sentences(new Random(2), 5, 4, 2);
            foreach (float penalty in (float[])[0, 1, 2])
            {
                // Both what is reordered in place and what is wider than that.
                var options = new DecodingOptions { Beam = penalty == 1 ? 66 : 64, NBest = 64, MaxLengthB = 3, LengthPenalty = penalty };
                var results = new SequenceGenerator(model).Generate(sources, options);
                for (int i = 0; i < sources.Length; i++)
                {
                    var all = AllOutputs(model, sources[i], 3)
                        .Select(o => (o.Tokens, Score: o.Scores.Sum() / Math.Pow(o.Scores.Length, penalty)))
                        .OrderByDescending(o => o.Score).ToArray();
                    Assert.Equal(3 + 9 + 27, results[i].Count);
                    for (int n = 0; n < all.Length; n++)
                    {
                        Assert.Equal(all[n].Score, results[i][n].Score, 1e-4);
                        if ((n == 0 || all[n - 1].Score - all[n].Score > 1e-4) && (n == all.Length - 1 || all[n].Score - all[n + 1].Score > 1e-4))
                            Assert.Equal(all[n].Tokens, results[i][n].Tokens);
                    }
                }
            }
        }
    }

    /// <summary>fairseq's search once more, without memory, batches or early departure: every prefix decoded whole, all continuations sorted.</summary>
    [Theory, Devices]
    public void EqualsAPlainBeamSearch(string name)
    {
        using var device = TestDevices.Open(name);
        int searched = 0, compared = 0;
        foreach (var config in TinyModels.On(name))
        {
            using var model = TinyModels.Create(config, device);
            int[][] sources = TinyModels.Sentences(new Random(3), config.SourceVocabulary, 6, 3, 9);
            foreach (int beam in (int[])[2, 5])
            {
                var options = new DecodingOptions { Beam = beam, NBest = beam, MaxLengthA = 1, MaxLengthB = 3, MinLength = 2, LengthPenalty = 0.7f };
                var results = new SequenceGenerator(model).Generate(sources, options);
                for (int i = 0; i < sources.Length; i++)
                {
                    var (plain, closest) = PlainSearch.Beam(model, sources[i], options);
                    if (closest > PlainSearch.Tie)
                        PlainSearch.Same(plain, results[i]);
                    searched++;
                    compared += closest > PlainSearch.Tie ? 1 : 0;
                }
            }
        }

        Assert.True(compared >= 0.75 * searched, $"only {compared} of {searched} searches had no ties");
    }

    [Theory, Devices]
    public void WhatElseIsInTheBatchChangesNothing(string name)
    {
        using var device = TestDevices.Open(name);
        foreach (var config in TinyModels.On(name))
        {
            using var model = TinyModels.Create(config, device);
            int[][] sources = TinyModels.Sentences(new Random(4), config.SourceVocabulary, 7, 2, 7, 12, 1, 4, 9);
            var options = new DecodingOptions { Beam = 3, NBest = 3, MaxLengthA = 1.5, MaxLengthB = 2 };
            var together = new SequenceGenerator(model).Generate(sources, options);
            var alone = new SequenceGenerator(model).Generate(sources, options with { BatchTokens = 1 });
            for (int i = 0; i < sources.Length; i++)
            {
                if (PlainSearch.Beam(model, sources[i], options).Closest > PlainSearch.Tie)
                    PlainSearch.Same(alone[i], together[i]);
            }
        }
    }

    [Theory, Devices]
    public void ScoresAreSumsOfTokenScoresOverTheLength(string name)
    {
        using var device = TestDevices.Open(name);
        using var model = TinyModels.Create(TinyModels.Transformer, device);
        var options = new DecodingOptions { Beam = 4, NBest = 4, MaxLengthB = 6, LengthPenalty = 0.5f };
        var hypotheses = new SequenceGenerator(model).Generate([[4, 5, 6, Vocabulary.Eos]], options)[0];
        Assert.Equal(4, hypotheses.Count);
        Assert.Equal(hypotheses.Select(h => h.Score).OrderDescending(), hypotheses.Select(h => h.Score));
        foreach (var hypothesis in hypotheses)
        {
            Assert.InRange(hypothesis.Tokens.Length, 1, 6);
            Assert.DoesNotContain(Vocabulary.Pad, hypothesis.Tokens);
            Assert.DoesNotContain(Vocabulary.Eos, hypothesis.Tokens);
            Assert.Equal(hypothesis.Tokens.Length + 1, hypothesis.TokenScores.Length);
            Assert.Equal(hypothesis.TokenScores.Sum() / MathF.Sqrt(hypothesis.TokenScores.Length), hypothesis.Score, 1e-5f);
        }
    }

    [Theory, Devices]
    public void LengthsStayWithinTheirBounds(string name)
    {
        using var device = TestDevices.Open(name);
        using var model = TinyModels.Create(TinyModels.Conv(Architecture.LightConv), device);
        int[][] sources = TinyModels.Sentences(new Random(5), 11, 3, 6, 10);
        var generator = new SequenceGenerator(model);
        var bounded = generator.Generate(sources, new DecodingOptions { Beam = 3, NBest = 3, MaxLengthA = 0.5, MaxLengthB = 1, MinLength = 2 });
        Assert.All(sources.Zip(bounded), p => Assert.All(p.Second, h => Assert.InRange(h.Tokens.Length, 2, Math.Max(2, (p.First.Length / 2) + 1))));
        var capped = generator.Generate(sources, new DecodingOptions { MaxLength = 4, MinLength = 4 });
        Assert.All(capped, h => Assert.Equal(4, h[0].Tokens.Length));
    }

    [Theory, Devices]
    public void LeavesNothingAliveAndSoonAllocatesNothing(string name)
    {
        using var device = TestDevices.Open(name);
        foreach (var architecture in Enum.GetValues<Architecture>())
        {
            using var model = TinyModels.Create(TinyModels.Of(architecture), device);
            int[][] sources = TinyModels.Sentences(new Random(6), 11, 5, 2, 9, 4);
            var options = new DecodingOptions { Beam = 3, MaxLengthB = 40, BatchTokens = 12 };
            var first = new SequenceGenerator(model).Generate(sources, options);
            long live = device.LiveBytes;

            // How many workers pack panels at once varies, so their scratch may still grow for a while.
            bool steady = false;
            for (int i = 0; i < 10 && !steady; i++)
            {
                long allocations = device.Allocations;
                using var scope = TensorScope.Begin();
                var again = new SequenceGenerator(model).Generate(sources, options);
                Assert.Equal(first.Select(h => h[0].Tokens), again.Select(h => h[0].Tokens));
                Assert.Equal(first.Select(h => h[0].Score), again.Select(h => h[0].Score));
                Assert.Equal(live, device.LiveBytes);
                steady = allocations == device.Allocations;
            }

            Assert.True(steady);
        }
    }

    [Theory, Devices]
    public void StopsBetweenStepsWhenCancelledAndLeavesNothingAlive(string name)
    {
        using var device = TestDevices.Open(name);
        var endless = new DecodingOptions { Beam = 2, MinLength = 1_000_000, MaxLength = 1_000_000 };
        using (var model = TinyModels.Create(TinyModels.Conv(Architecture.DynamicConv), device))
        {
            using var source = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));
            Assert.Throws<OperationCanceledException>(() => new SequenceGenerator(model).Generate([[4, 2]], endless, source.Token));
            Assert.Throws<OperationCanceledException>(() => new SequenceGenerator(model).Generate([[4, 2]], new DecodingOptions(), source.Token));
        }

        Assert.Equal(0, device.LiveBytes);
    }

    [Theory, Devices]
    public void SeveralThreadsMayUseOneModel(string name)
    {
        using var device = TestDevices.Open(name);
        foreach (var architecture in Enum.GetValues<Architecture>())
        {
            using var model = TinyModels.Create(TinyModels.Of(architecture), device);
            int[][] sources = TinyModels.Sentences(new Random(8), 11, 5, 2, 9, 4);
            var options = new DecodingOptions { Beam = 3, MaxLengthB = 12 };
            var results = new IReadOnlyList<IReadOnlyList<Hypothesis>>[4];
            Thread[] threads = [.. Enumerable.Range(0, 4).Select(i => new Thread(() => results[i] = new SequenceGenerator(model).Generate(sources, options)))];
            foreach (var thread in threads)
                thread.Start();
            foreach (var thread in threads)
                thread.Join();
            Assert.All(results, r => Assert.Equal(results[0].Select(h => h[0].Score), r.Select(h => h[0].Score)));
        }
    }

    [Theory, Devices]
    public void NothingInGivesNothingOut(string name)
    {
        using var device = TestDevices.Open(name);
        using var model = TinyModels.Create(TinyModels.Transformer, device);
        Assert.Empty(new SequenceGenerator(model).Generate([], new DecodingOptions()));
    }

    [Theory, Devices]
    public void RefusesWrongSourcesAndOptions(string name)
    {
        using var device = TestDevices.Open(name);
        using var model = TinyModels.Create(TinyModels.Transformer, device);
        Says("SequenceGenerator: a source must end in end-of-sentence (2), got 5 after 1 tokens at 1.", [[4, 2], [4, 5]], new DecodingOptions());
        Says("SequenceGenerator: a source must end in end-of-sentence (2), got an empty one at 0.", [[]], new DecodingOptions());
        Says("SequenceGenerator: tokens must be in 0 .. 10, got 11 at 1 of source 0.", [[4, 11, 2]], new DecodingOptions());
        using var convolutional = TinyModels.Create(TinyModels.ConvS2S with { MaxPositions = 3 }, device);
        Assert.Equal(
            "SequenceGenerator: a source must have at most max_positions, 3, tokens, its end included, got 4 at 1.",
            Assert.Throws<ArgumentException>(() => new SequenceGenerator(convolutional).Generate([[4, 2], [4, 5, 6, 2]], new DecodingOptions())).Message);
        Says(
            """
            SequenceGenerator: beam must be from 1 to 1000, got 0.
            SequenceGenerator: min_length must be at least 0, got -1.
            SequenceGenerator: nbest must be at most beam, got 1 and 0.
            SequenceGenerator: max_length_a must be a finite number of at least 0, got NaN.
            SequenceGenerator: length_penalty must be from -10 to 10, got Infinity.
            """,
            [[4, 2]],
            new DecodingOptions { Beam = 0, MinLength = -1, MaxLengthA = double.NaN, LengthPenalty = float.PositiveInfinity });

        void Says(string message, int[][] sources, DecodingOptions options)
            => Assert.Equal(message, Assert.Throws<ArgumentException>(() => new SequenceGenerator(model).Generate(sources, options)).Message);
    }

    [Fact]
    public void BatchesHoldLikeLengthsWithinTheBudget()
    {
        using var device = TestDevices.Open("cpu");
        using var model = TinyModels.Create(TinyModels.Transformer, device);
        int[][] sources = [.. new[] { 3, 9, 4, 20, 1, 4 }.Select(n => new int[n])];
        Assert.Equal([[3], [1, 2], [5, 0, 4]], new SequenceGenerator(model).Batches(sources, new DecodingOptions { BatchTokens = 18 }));
    }

    /// <summary>A language model's texts are counted by what they may become: their prompts say nothing of that.</summary>
    [Fact]
    public void BatchesOfTextsHoldWhatMayBeWritten()
    {
        using var device = TestDevices.Open("cpu");
        using var model = TinyModels.CreateLanguageModel(TinyModels.Transformer.AsLanguageModel(), device);
        var generator = new SequenceGenerator(model);
        var options = new DecodingOptions { MaxLengthA = 1, MaxLengthB = 63, MaxLength = 100, BatchTokens = 200 };
        int[][] empty = [.. Enumerable.Range(0, 40).Select(_ => new int[1])];
        Assert.Equal([.. Enumerable.Repeat(3, 13), 1], generator.Batches(empty, options).Select(b => b.Length));
        int[][] sources = [.. new[] { 1, 37, 4, 500, 30 }.Select(n => new int[n])];
        Assert.Equal([[1, 3], [4, 2], [0]], generator.Batches(sources, options));
    }

    [Fact]
    public void MoreThanAnAxisHoldsIsRefusedWithItsSize()
    {
        using var device = TestDevices.Open("cpu");
        using var steps = new StepMemory(device);
        using var memory = new FixedMemory(steps);
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => memory.Of(0, [2048, 1024, 2048], DType.Float32));
        Assert.Equal("FixedMemory: a tensor that is remembered must have at most 2147483647 elements, got 4294967296 in [2048, 1024, 2048]; smaller batches (batch_tokens) need less.", error.Message);
    }

    private static int[] Greedy(Seq2SeqModel model, int[] source, int longest)
    {
        using var scope = TensorScope.Begin();
        var encoded = TinyModels.Encode(model, [source]);
        List<int> tokens = [Vocabulary.Eos];
        while (tokens.Count <= longest)
        {
            double[] next = PlainSearch.Next(model, encoded, [.. tokens]);
            next[Vocabulary.Pad] = double.NegativeInfinity;
            if (tokens.Count == 1)
                next[Vocabulary.Eos] = double.NegativeInfinity;
            int best = Array.IndexOf(next, next.Max());
            if (best == Vocabulary.Eos)
                break;
            tokens.Add(best);
        }

        return [.. tokens.Skip(1)];
    }

    private static IEnumerable<(int[] Tokens, double[] Scores)> AllOutputs(Seq2SeqModel model, int[] source, int longest)
    {
        using var scope = TensorScope.Begin();
        var encoded = TinyModels.Encode(model, [source]);
        List<(int[] Tokens, double[] Scores)> outputs = [], open = [([], [])];
        for (int length = 0; length <= longest; length++)
        {
            List<(int[] Tokens, double[] Scores)> longer = [];
            foreach (var (tokens, scores) in open)
            {
                double[] next = PlainSearch.Next(model, encoded, [Vocabulary.Eos, .. tokens]);
                if (length > 0)
                    outputs.Add((tokens, [.. scores, next[Vocabulary.Eos]]));
                for (int v = 0; v < next.Length; v++)
                {
                    if (v is not (Vocabulary.Pad or Vocabulary.Eos))
                        longer.Add(([.. tokens, v], [.. scores, next[v]]));
                }
            }

            open = longer;
        }

        return outputs;
    }
}
