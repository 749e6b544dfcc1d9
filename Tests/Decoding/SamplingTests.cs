using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed class SamplingTests
{
    private static readonly DecodingOptions Plain = new() { Sampling = true, NBest = 5, MaxLengthA = 1, MaxLengthB = 4, MinLength = 2, LengthPenalty = 0 };

    private static readonly DecodingOptions[] Searches =
    [
        Plain,
        Plain with { Temperature = 1.7f, Seed = 9 },
        Plain with { SamplingTopK = 3, NoRepeatNGramSize = 1 },
        Plain with { SamplingTopP = 0.6f, Temperature = 0.5f },
    ];

    /// <summary>The same random numbers over the probabilities of the whole decoder, read off the definition.</summary>
    [Theory, Devices]
    public void EqualsPlainSampling(string name)
    {
        using var device = TestDevices.Open(name);
        int[][] sources = TinyModels.Sentences(new Random(3), 11, 6, 3, 9, 1, 4);
        using var model = TinyModels.Create(TinyModels.Transformer, device);
        foreach (var options in Searches)
        {
            var results = new SequenceGenerator(model).Generate(sources, options);
            int compared = 0;
            for (int i = 0; i < sources.Length; i++)
            {
                Assert.Equal(5, results[i].Count);
                Assert.Equal(results[i].Select(h => h.Score).OrderDescending(), results[i].Select(h => h.Score));
                var plain = Enumerable.Range(0, options.NBest).Select(row => Sample(model, sources[i], row, options)).OrderByDescending(s => s.Scores.Sum()).ToArray();
                if (plain.Any(s => s.Closest < PlainSearch.Tie))
                    continue;
                compared++;
                Assert.Equal(plain.Select(s => s.Tokens), results[i].Select(h => h.Tokens));
                Assert.All(plain.Zip(results[i]), p => Assert.Equal(p.First.Scores.Sum(), p.Second.Score, 1e-3));
                Assert.All(plain.Zip(results[i]), p => Assert.All(p.First.Scores.Zip(p.Second.TokenScores), s => Assert.Equal(s.First, s.Second, 1e-4)));
            }

            Assert.True(compared >= 3, $"only {compared} sentences had no ties");
        }
    }

    [Theory, Devices]
    public void TheSeedAndTheSentenceAreAllThatSamplesDependOn(string name)
    {
        using var device = TestDevices.Open(name);
        using var model = TinyModels.Create(TinyModels.Conv(Architecture.LightConv), device);
        int[][] sources = TinyModels.Sentences(new Random(4), 11, 7, 2, 7, 12, 1, 4, 9);
        var options = Plain with { SamplingTopP = 0.9f };
        var together = Tokens(sources, options);
        Assert.Equal(together, Tokens(sources, options));
        Assert.Equal(together, Tokens(sources, options with { BatchTokens = 1 }));
        Assert.Equal(together, Tokens([.. sources.Reverse()], options).AsEnumerable().Reverse());
        Assert.NotEqual(together, Tokens(sources, options with { Seed = 2 }));

        string[] Tokens(int[][] sources, DecodingOptions options)
            => [.. new SequenceGenerator(model).Generate(sources, options).Select(r => string.Join(" / ", r.Select(h => string.Join(' ', h.Tokens))))];
    }

    [Theory, Devices]
    public void FromTheLikeliestTokenAloneItIsGreedySearch(string name)
    {
        using var device = TestDevices.Open(name);
        using var model = TinyModels.Create(TinyModels.Transformer, device);
        int[][] sources = TinyModels.Sentences(new Random(4), 11, 7, 2, 12);
        var greedy = new SequenceGenerator(model).Generate(sources, Plain.Greedy());
        foreach (var options in (DecodingOptions[])[Plain with { SamplingTopK = 1 }, Plain with { SamplingTopP = 1e-6f }])
        {
            foreach (var (expected, samples) in greedy.Zip(new SequenceGenerator(model).Generate(sources, options)))
            {
                Assert.Equal(5, samples.Count);
                Assert.All(samples, s => Assert.Equal(expected[0].Tokens, s.Tokens));
                Assert.All(samples, s => Assert.Equal(expected[0].Score, s.Score, 1e-4f));
            }
        }
    }

    [Theory, Devices]
    public void TokensComeAsOftenAsTheyAreLikely(string name)
    {
        using var device = TestDevices.Open(name);
        using var model = TinyModels.Create(TinyModels.Transformer, device);
        int[] source = [4, 7, 5, Vocabulary.Eos];
        int samples = name == TestDevices.Emulated ? 400 : 4000;
        var options = Plain with { NBest = samples, MinLength = 0, MaxLengthA = 0, MaxLengthB = 1 };
        var counts = new double[11];
        foreach (var hypothesis in new SequenceGenerator(model).Generate([source], options)[0])
            counts[hypothesis.Tokens.Append(Vocabulary.Eos).First()]++;
        using var scope = TensorScope.Begin();
        double[] expected = Array.ConvertAll(PlainSearch.Next(model, TinyModels.Encode(model, [source]), [Vocabulary.Eos]), Math.Exp);
        expected[Vocabulary.Pad] = 0;
        double total = expected.Sum();
        for (int token = 0; token < counts.Length; token++)
        {
            double p = expected[token] / total;
            Assert.Equal(p * samples, counts[token], 1 + (5 * Math.Sqrt(p * (1 - p) * samples)));
        }
    }

    private static (int[] Tokens, double[] Scores, double Closest) Sample(Seq2SeqModel model, int[] source, int row, DecodingOptions options)
    {
        using var scope = TensorScope.Begin();
        var encoded = TinyModels.Encode(model, [source]);
        var random = new RandomSource(SamplingSearch.SeedOf(options.Seed, source, row));
        float[] number = new float[1];
        List<double> scores = [];
        double closest = 1;
        for (int[] tokens = []; ;)
        {
            random.Uniform(number, 0, 1);
            var (next, forced) = PlainSearch.Allowed(model, encoded, tokens, source.Length + options.MaxLengthB, [], options);
            int[] order = [.. Enumerable.Range(0, next.Length).Where(v => !double.IsNegativeInfinity(next[v]))];
            if (options.SamplingTopK > 0 || options.SamplingTopP < 1)
                order = [.. order.OrderByDescending(v => next[v])];
            if (options.SamplingTopK > 0 && !forced)
                order = [.. order.Take(options.SamplingTopK)];
            if (options.SamplingTopP < 1 && !forced)
            {
                double[] reached = [.. order.Select((_, i) => order.Take(i + 1).Sum(v => Math.Exp(next[v])))];
                closest = Math.Min(closest, reached.Min(r => Math.Abs(r - options.SamplingTopP)));
                order = [.. order.Take(1 + reached.Count(r => r < options.SamplingTopP))];
            }

            double total = order.Sum(v => Math.Exp(next[v]));
            double[] bounds = [.. order.Select((_, i) => order.Take(i + 1).Sum(v => Math.Exp(next[v])) / total)];
            closest = Math.Min(closest, bounds.Take(order.Length - 1).Append(2).Min(b => Math.Abs(b - number[0])));
            int token = order[bounds.TakeWhile(b => b <= number[0]).Count()];
            scores.Add(next[token]);
            if (token == Vocabulary.Eos)
                return (tokens, [.. scores], closest);
            tokens = [.. tokens, token];
        }
    }
}
