using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>
/// A corpus that needs no download: words, and the same with every two neighbours swapped, as <c>w7 w1901 w33 w512 w60</c> and <c>w1901 w7 w512 w33 w60</c>. There are so many words that each is seen a few
/// times only: a model must carry them over, having learned little about any of them, and their order it must learn. Both sides are for the <see cref="WordTokenizer"/>.
/// </summary>
public static class SwappedWordsCorpus
{
    /// <summary>Different words, all equally likely.</summary>
    public const int Words = 2_000;

    /// <summary>The most pairs of a part.</summary>
    public const int MostPairs = 200_000;

    private const int Shortest = 4;
    private const int Longest = 10;

    /// <summary>Draws the corpus: 4 to 10 words a pair, each length equally likely.</summary>
    /// <param name="seed">The same seed gives the same corpus.</param>
    /// <param name="trainPairs">From 1 to <see cref="MostPairs"/>.</param>
    /// <param name="testPairs">From 0 to <see cref="MostPairs"/>; no source of them is in training or validation.</param>
    /// <param name="validPairs">The same.</param>
    /// <param name="cancellation">Looked at now and then.</param>
    /// <exception cref="ArgumentOutOfRangeException">A count is outside its range.</exception>
    public static CorpusSplits Generate(ulong seed, int trainPairs = 2_000, int testPairs = 1_000, int validPairs = 500, CancellationToken cancellation = default)
        => DrawnPairs.Generate(nameof(SwappedWordsCorpus), MostPairs, seed, trainPairs, testPairs, validPairs, Pair, cancellation);

    private static (string Source, string Target) Pair(RandomSource random)
    {
        int[] words = new int[Shortest + DrawnPairs.Below(random, Longest - Shortest + 1)];
        for (int i = 0; i < words.Length; i++)
            words[i] = DrawnPairs.Below(random, Words);
        string source = Text(words);
        for (int i = 0; i + 1 < words.Length; i += 2)
            (words[i], words[i + 1]) = (words[i + 1], words[i]);
        return (source, Text(words));
    }

    private static string Text(int[] words) => string.Join(' ', words.Select(w => $"w{w}"));
}
