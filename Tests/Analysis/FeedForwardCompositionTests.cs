using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

/// <summary>How memories add up within a layer and layers in the stream.</summary>
public sealed class FeedForwardCompositionTests
{
    [Theory, Devices]
    public void EveryNumberIsThatOfWholeVectors(string name)
    {
        using var device = TestDevices.Open(name);
        var configs = FeedForwardCases.LanguageModels.Concat(FeedForwardCases.TranslationModels);
        foreach (var config in name == TestDevices.Processor ? configs : configs.Take(1))
        {
            using var cases = new FeedForwardCases(config, device, FeedForwardCases.Random(count: 57, longest: 9)[(config.IsLanguageModel ? 0 : 1)..]);
            var stopWords = TokenCounts.Of(cases.Text, 60).StopWords(0.4);
            var options = new FeedForwardOptions { Prefixes = 50, Seed = 5, BatchTokens = 60, LongestPrefix = 7 };
            var found = FeedForwardComposition.Of(cases.Model, cases.Text, stopWords, options);
            Assert.Equal(50, found.Prefixes);
            var prefixes = Drawn(cases, options);
            Assert.Equal(prefixes.Count(p => p.Length < 5) / 50.0, found.Short);
            int depth = found.Layers.Count;
            Assert.Equal(config.DecoderDepth, depth);
            for (int l = 0; l < depth; l++)
                Check(cases, prefixes, l, stopWords, found);
        }
    }

    // Logits are linear without a norm behind the last layer: where r and y agree, so does their sum.
    [Fact]
    public void WithoutALastNormTwoThatAgreeAreNeverOverruled()
    {
        using var device = TestDevices.Open(TestDevices.Processor);
        int agreements = 0;
        for (ulong seed = 1; seed <= 5; seed++)
        {
            using var cases = new FeedForwardCases(TinyModels.Conv(Architecture.LightConv).AsLanguageModel() with { PreNorm = true }, device, FeedForwardCases.Random(57, 12), seed);
            var found = FeedForwardComposition.Of(cases.Model, cases.Text, new HashSet<int>());
            Assert.Equal("products of r, o, y and values with the output table, as they are (no layer norm follows the last layer)", found.Projection);
            Assert.All(found.Layers, l => Assert.Equal(0, l.Overruled));
            agreements += found.Layers.Sum(l => l.Agreement);
        }

        Assert.True(agreements > 0);
    }

    [Fact]
    public void EveryThreeTokensAreOneCase()
    {
        for (int code = 0; code < 27; code++)
        {
            int r = code % 3, y = code / 3 % 3, o = code / 9;
            bool[] cases = [o == r && r != y, o == r && o == y, o == y && o != r, o != r && o != y];
            Assert.Single(cases, c => c);
            Assert.True(cases[(int)CompositionTally.UpdateOf(r, y, o)]);
        }
    }

    [Fact]
    public void SomeLayersAndFewSentences()
    {
        using var device = TestDevices.Open(TestDevices.Processor);
        using var cases = new FeedForwardCases(FeedForwardCases.LanguageModels.ElementAt(1), device, FeedForwardCases.Random(20, 6));
        var all = FeedForwardComposition.Of(cases.Model, cases.Text, new HashSet<int>());
        Assert.Equal(19, all.Prefixes);
        Assert.All(all.Layers, l => Assert.Equal(19, l.Residual + l.Agreement + l.FeedForward + l.Composition));
        var second = FeedForwardComposition.Of(cases.Model, cases.Text, new HashSet<int>(), new FeedForwardOptions { Layers = [2] });
        Assert.Equal(all.Layers[1], Assert.Single(second.Layers));
        Assert.Empty(second.Examples);
        Assert.Equal(1, all.Layers[^1].Decided + ((all.Layers[^1].FeedForward + all.Layers[^1].Composition) / 19.0), 1e-12);
    }

    [Fact]
    public void APostNormModelIsRefused()
    {
        using var device = TestDevices.Open(TestDevices.Processor);
        using var cases = new FeedForwardCases(TinyModels.Transformer.AsLanguageModel(), device, [[4]]);
        Assert.Equal(
            "FeedForwardComposition: pre_norm must be true, got false: a post-norm model normalises the stream after every block, so that what is in front of it and what it adds have no common scale.",
            Assert.Throws<ArgumentException>(() => FeedForwardComposition.Of(cases.Model, cases.Text, new HashSet<int>())).Message);
    }

    [Fact]
    public void QuartilesAreNumPys()
    {
        // numpy.percentile([1, 2, 4, 7, 11, 12], [25, 50, 75])
        Assert.Equal(new Quartiles(2.5, 5.5, 10), Quartiles.Of([7, 1, 12, 2, 11, 4]));
        Assert.Equal(new Quartiles(3, 3, 3), Quartiles.Of([3]));
        Assert.True(double.IsNaN(Quartiles.Of([]).Median));
    }

    private static void Check(FeedForwardCases cases, (int Sentence, int Length)[] prefixes, int l, IReadOnlySet<int> stopWords, FeedForwardComposition found)
    {
        var layer = found.Layers[l];
        int[] values = [.. Enumerable.Range(0, 12).Select(cell => Top(cases.Reference.AddendLogits(cases.Reference.Value(l, cell))))];
        var active = new List<double>();
        var confidence = new List<double>();
        int[] updates = new int[4];
        int agreeing = 0, stops = 0, shorts = 0, decided = 0, overruled = 0;
        var compositions = new List<CompositionExample>();
        foreach (var (sentence, length) in prefixes)
        {
            var blocks = cases.Blocks(sentence, length);
            var block = blocks[l];
            int r = Top(cases.Reference.StateLogits(block.R[0])), y = Top(cases.Reference.AddendLogits(block.Y[0])), o = Top(cases.Reference.StateLogits(block.O[0]));
            int final = Top(cases.Reference.StateLogits(blocks[^1].O[0]));
            int[] firing = [.. Enumerable.Range(0, 12).Where(c => block.Z[0][c] > 0)];
            active.Add(firing.Length / 12.0);
            confidence.Add(FeedForwardValuesTests.Softmax(cases.Reference.StateLogits(block.R[0]))[final]);
            if (firing.Any(c => values[c] == y))
            {
                agreeing++;
                stops += stopWords.Contains(y) ? 1 : 0;
                shorts += length < 5 ? 1 : 0;
            }

            decided += r == final ? 1 : 0;
            overruled += r == y && y != o ? 1 : 0;
            updates[o == r ? (o == y ? 1 : 0) : o == y ? 2 : 3]++;
            if (o != r && o != y)
                compositions.Add(new CompositionExample(sentence, length, r, y, o));
        }

        Assert.Equal(active.Average(), layer.Active, 1e-12);
        Assert.Equal(Quartiles.Of([.. active]), layer.ActiveQuartiles);
        Assert.Equal(1 - (agreeing / 50.0), layer.Composed, 1e-12);
        Assert.Equal(agreeing, layer.Agreeing);
        Assert.Equal(stops / (double)agreeing, layer.AgreeingStopWords);
        Assert.Equal(shorts / (double)agreeing, layer.AgreeingShort);
        Assert.Equal(decided / 50.0, layer.Decided, 1e-12);
        Assert.Equal([.. updates, overruled], (int[])[layer.Residual, layer.Agreement, layer.FeedForward, layer.Composition, layer.Overruled]);
        var expected = Quartiles.Of([.. confidence]);
        Assert.Equal(expected.First, layer.Confidence.First, 1e-4);
        Assert.Equal(expected.Median, layer.Confidence.Median, 1e-4);
        Assert.Equal(expected.Third, layer.Confidence.Third, 1e-4);
        if (l == found.Layers.Count - 1)
            Assert.Equal(compositions.OrderBy(c => c.Sentence), found.Examples);
    }

    // The same draws: an order of the sentences that have a word, then one number for each of the first.
    private static (int Sentence, int Length)[] Drawn(FeedForwardCases cases, FeedForwardOptions options)
    {
        int[] sentences = [.. Enumerable.Range(0, cases.Sentences.Length).Where(i => cases.Sentences[i].Length > 0)];
        var random = new RandomSource(options.Seed);
        var chosen = new List<int>();
        for (int i = 0; i < sentences.Length; i++)
        {
            if (random.Below(sentences.Length - i) < options.Prefixes - chosen.Count)
                chosen.Add(sentences[i]);
            if (chosen.Count == options.Prefixes)
                break;
        }

        sentences = [.. chosen];
        float[] draws = new float[sentences.Length];
        random.Uniform(draws, 0, 1);
        return [.. sentences.Select((s, i) => (s, 1 + (int)(draws[i] * Math.Min(options.LongestPrefix, cases.Sentences[s].Length))))];
    }

    private static int Top(double[] logits) => Array.IndexOf(logits, logits.Max());
}
