using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed class TokenSamplerTests
{
    private const double Step = 1.0 / 4096;
    private static readonly double[] Probabilities = [0.05, 0.1, 0.2, 0.05, 0.25, 0.25, 0.1, 0];

    public static TheoryData<int, float, int[]> Cases => new()
    {
        // k, p, forbidden.
        { 0, 1, [] },
        { 0, 1, [4, 1] },
        { 1, 1, [] },
        { 3, 1, [] },
        { 3, 1, [5] },
        { 100, 1, [0] },
        { 0, 0.01f, [] },
        { 0, 0.24f, [] },
        { 0, 0.49f, [] },
        { 0, 0.51f, [] },
        { 0, 0.71f, [] },
        { 0, 0.71f, [2] },
        { 0, 0.99f, [4, 5] },
        { 2, 0.9f, [] },
        { 5, 0.3f, [] },
    };

    /// <summary>Random numbers a step apart: each token is drawn as often as a plain reading of the definition says.</summary>
    [Theory, MemberData(nameof(Cases))]
    public void DrawsFromTheTokensOfTheDefinitionInProportion(int topK, float topP, int[] forbidden)
    {
        // No p is where a token more begins: rounding would decide.
        var allowed = Enumerable.Range(0, Probabilities.Length).Where(t => Probabilities[t] > 0 && !forbidden.Contains(t)).OrderByDescending(t => Probabilities[t]).ThenBy(t => t).ToList();
        if (topK > 0)
            allowed = [.. allowed.Take(topK)];
        if (topP < 1)
        {
            int count = Enumerable.Range(1, allowed.Count).Cast<int?>().FirstOrDefault(n => allowed.Take(n!.Value).Sum(t => Probabilities[t]) > topP - 1e-6) ?? allowed.Count;
            allowed = [.. allowed.Take(count)];
        }

        float[] scores = Array.ConvertAll(Probabilities, p => (float)Math.Log(p));
        var sampler = new TokenSampler(topK, topP);
        var counts = new int[Probabilities.Length];
        for (double u = Step / 2; u < 1; u += Step)
            counts[sampler.Draw(scores, forbidden.ToHashSet(), u)!.Value]++;
        double total = allowed.Sum(t => Probabilities[t]);
        for (int token = 0; token < counts.Length; token++)
            Assert.Equal(allowed.Contains(token) ? Probabilities[token] / total : 0, counts[token] * Step, 1.5 * Step);
    }

    [Fact]
    public void TheEndsOfTheRangeDrawWhatThereIs()
    {
        float[] scores = [float.NegativeInfinity, 0, float.NegativeInfinity];
        foreach (double u in (double[])[0, 1])
            Assert.Equal(1, new TokenSampler(0, 1).Draw(scores, new HashSet<int>(), u));
        Assert.Null(new TokenSampler(0, 1).Draw(scores, new HashSet<int> { 1 }, 0.5));
    }

    /// <summary>At a low temperature all that is likely may be forbidden: what is left is drawn by its proportions, though no number holds its probability.</summary>
    [Fact]
    public void ProbabilitiesTooSmallForANumberKeepTheirProportions()
    {
        float[] scores = [0, -5000, -4000, -4000, -6000];
        foreach (var sampler in (TokenSampler[])[new(0, 1), new(3, 1), new(0, 0.9f)])
        {
            Assert.Equal([2, 2, 3, 3], ((double[])[0, 0.49, 0.51, 1]).Select(u => sampler.Draw(scores, new HashSet<int> { 0 }, u)!.Value));
            Assert.Equal([1, 1], ((double[])[0.1, 0.9]).Select(u => sampler.Draw(scores, new HashSet<int> { 0, 2, 3 }, u)!.Value));
        }
    }

    [Fact]
    public void SeedsDifferForSeedSentenceAndSample()
    {
        HashSet<ulong> seeds = [];
        for (ulong seed = 0; seed < 5; seed++)
        {
            foreach (int[] source in (int[][])[[2], [4, 2], [5, 2], [4, 5, 2], [5, 4, 2]])
            {
                for (int row = 0; row < 4; row++)
                    Assert.True(seeds.Add(SamplingSearch.SeedOf(seed, source, row)));
            }
        }

        // The first numbers of many samples fill the range.
        float[] first = new float[1];
        double[] numbers = [.. Enumerable.Range(0, 10_000).Select(row =>
        {
            new RandomSource(SamplingSearch.SeedOf(7, [4, 5, 2], row)).Uniform(first, 0, 1);
            return (double)first[0];
        })];
        Assert.Equal(0.5, numbers.Average(), 0.02);
        Assert.Equal(1.0 / 12, numbers.Average(n => (n - 0.5) * (n - 0.5)), 0.005);
    }
}
