using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>
/// A corpus that needs no download: letters that were each sent several times over a line that garbles some, as <c>b b k b b a q a a a</c>, and what was sent, <c>b a</c>. No single position of the source is
/// to be trusted, a vote of its neighbours is: what a mean over a window gives. Both sides are for the <see cref="WordTokenizer"/>.
/// </summary>
public static class NoisyRunsCorpus
{
    /// <summary>How often each letter is sent.</summary>
    public const int Copies = 5;

    /// <summary>The probability with which a copy becomes another letter, each of the others alike.</summary>
    public const float Noise = 0.3f;

    /// <summary>The most pairs of a part.</summary>
    public const int MostPairs = 200_000;

    private const int Shortest = 4;
    private const int Longest = 10;

    /// <summary>Draws the corpus: 4 to 10 letters a pair, each length equally likely, no letter beside its like, so that where a run ends is seen.</summary>
    /// <param name="seed">The same seed gives the same corpus.</param>
    /// <param name="trainPairs">From 1 to <see cref="MostPairs"/>.</param>
    /// <param name="testPairs">From 0 to <see cref="MostPairs"/>; no source of them is in training or validation.</param>
    /// <param name="validPairs">The same.</param>
    /// <param name="cancellation">Looked at now and then.</param>
    /// <exception cref="ArgumentOutOfRangeException">A count is outside its range.</exception>
    public static CorpusSplits Generate(ulong seed, int trainPairs = 10_000, int testPairs = 1_000, int validPairs = 500, CancellationToken cancellation = default)
        => DrawnPairs.Generate(nameof(NoisyRunsCorpus), MostPairs, seed, trainPairs, testPairs, validPairs, Pair, cancellation);

    private static (string Source, string Target) Pair(RandomSource random)
    {
        int length = Shortest + DrawnPairs.Below(random, Longest - Shortest + 1);
        var sent = new char[length];
        var received = new char[length * Copies];
        for (int i = 0; i < length; i++)
        {
            sent[i] = i == 0 ? DrawnPairs.Letters[DrawnPairs.Below(random, DrawnPairs.Letters.Length)] : DrawnPairs.OtherLetter(random, sent[i - 1]);
            for (int copy = 0; copy < Copies; copy++)
                received[(i * Copies) + copy] = DrawnPairs.Draw(random) < Noise ? DrawnPairs.OtherLetter(random, sent[i]) : sent[i];
        }

        return (string.Join(' ', received), string.Join(' ', sent));
    }
}
