using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>
/// A corpus that needs no download: letters with gaps ahead of them, as <c>. . . k . b</c>, and the same with the gaps filled by the alphabet on its way to the letter, <c>h i j k a b</c>. What stands at a
/// place follows from what stands at the next one by one rule, so that a layer that is applied often enough fills every gap. Both sides are for the <see cref="WordTokenizer"/>.
/// </summary>
public static class FilledGapsCorpus
{
    /// <summary>The longest gap; 0 to so many places are ahead of each letter, each number equally likely.</summary>
    public const int LongestGap = 6;

    /// <summary>The most pairs of a part.</summary>
    public const int MostPairs = 200_000;

    private const char Gap = '.';
    private const int Fewest = 4;
    private const int Most = 8;

    /// <summary>Draws the corpus: 4 to 8 letters a pair, the alphabet's end being followed by its beginning.</summary>
    /// <param name="seed">The same seed gives the same corpus.</param>
    /// <param name="trainPairs">From 1 to <see cref="MostPairs"/>.</param>
    /// <param name="testPairs">From 0 to <see cref="MostPairs"/>; no source of them is in training or validation.</param>
    /// <param name="validPairs">The same.</param>
    /// <param name="cancellation">Looked at now and then.</param>
    /// <exception cref="ArgumentOutOfRangeException">A count is outside its range.</exception>
    public static CorpusSplits Generate(ulong seed, int trainPairs = 5_000, int testPairs = 1_000, int validPairs = 500, CancellationToken cancellation = default)
        => DrawnPairs.Generate(nameof(FilledGapsCorpus), MostPairs, seed, trainPairs, testPairs, validPairs, Pair, cancellation);

    private static (string Source, string Target) Pair(RandomSource random)
    {
        int letters = Fewest + DrawnPairs.Below(random, Most - Fewest + 1);
        var (source, target) = (new List<char>(), new List<char>());
        for (int i = 0; i < letters; i++)
        {
            int gap = DrawnPairs.Below(random, LongestGap + 1), letter = DrawnPairs.Below(random, DrawnPairs.Letters.Length);
            for (int ahead = gap; ahead >= 0; ahead--)
            {
                source.Add(ahead == 0 ? DrawnPairs.Letters[letter] : Gap);
                target.Add(DrawnPairs.Letters[(letter - ahead + DrawnPairs.Letters.Length) % DrawnPairs.Letters.Length]);
            }
        }

        return (string.Join(' ', source), string.Join(' ', target));
    }
}
