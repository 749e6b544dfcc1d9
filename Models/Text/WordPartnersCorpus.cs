using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>
/// A corpus that needs no download: lines of words in which every word is followed, three places on, by its partner. Which word is whose partner is drawn once; each word has one and is one's, and none is its
/// own. A language model must look back, which attention does, and know five hundred pairs, for which its feed-forward blocks are the place. The target is the line, the source its first three words, which
/// decide the others; a language model reads the targets alone. Both sides are for the <see cref="WordTokenizer"/>.
/// </summary>
public static class WordPartnersCorpus
{
    /// <summary>Different words.</summary>
    public const int Words = 500;

    /// <summary>How many places on a word's partner comes.</summary>
    public const int Distance = 3;

    /// <summary>Words of a line.</summary>
    public const int Length = 62;

    /// <summary>The most pairs of a part.</summary>
    public const int MostPairs = 200_000;

    private const ulong OfPartners = 0x706172746E657273;

    /// <summary>Draws the corpus: the first words of a line are equally likely, all others follow.</summary>
    /// <param name="seed">The same seed gives the same corpus, and the same partners.</param>
    /// <param name="trainPairs">From 1 to <see cref="MostPairs"/>.</param>
    /// <param name="testPairs">From 0 to <see cref="MostPairs"/>; no source of them is in training or validation.</param>
    /// <param name="validPairs">The same.</param>
    /// <param name="cancellation">Looked at now and then.</param>
    /// <exception cref="ArgumentOutOfRangeException">A count is outside its range.</exception>
    public static CorpusSplits Generate(ulong seed, int trainPairs = 8_000, int testPairs = 1_000, int validPairs = 500, CancellationToken cancellation = default)
    {
        int[] partners = Partners(new RandomSource(seed ^ OfPartners));
        return DrawnPairs.Generate(nameof(WordPartnersCorpus), MostPairs, seed, trainPairs, testPairs, validPairs, random => Pair(random, partners), cancellation);
    }

    private static (string Source, string Target) Pair(RandomSource random, int[] partners)
    {
        int[] words = new int[Length];
        for (int i = 0; i < Length; i++)
            words[i] = i < Distance ? DrawnPairs.Below(random, Words) : partners[words[i - Distance]];
        return (Text(words.AsSpan(0, Distance)), Text(words));
    }

    // Sattolo's shuffle: one cycle through all words, so that none is its own partner and none comes back before all others have come.
    private static int[] Partners(RandomSource random)
    {
        int[] partners = [.. Enumerable.Range(0, Words)];
        for (int i = Words - 1; i > 0; i--)
        {
            int other = DrawnPairs.Below(random, i);
            (partners[i], partners[other]) = (partners[other], partners[i]);
        }

        return partners;
    }

    private static string Text(ReadOnlySpan<int> words)
    {
        var text = new System.Text.StringBuilder();
        foreach (int word in words)
            text.Append(text.Length > 0 ? " " : "").Append('w').Append(word);
        return text.ToString();
    }
}
