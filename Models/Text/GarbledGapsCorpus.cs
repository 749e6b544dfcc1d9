using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>
/// A corpus that needs no download: <see cref="FilledGapsCorpus"/> with targets to learn from in which three letters of ten are wrong; those to validate and to test with are right. What a trained model says
/// of the training sources is nearer to the truth than what it learned from, and so worth learning from. Both sides are for the <see cref="WordTokenizer"/>.
/// </summary>
public static class GarbledGapsCorpus
{
    /// <summary>The probability with which a letter of a training target becomes another one, each of the others alike.</summary>
    public const float Noise = 0.3f;

    private const ulong OfNoise = 0x6E6F697365;

    /// <summary>Draws the corpus: the pairs of <see cref="FilledGapsCorpus"/> with the same seed.</summary>
    /// <param name="seed">The same seed gives the same corpus.</param>
    /// <param name="trainPairs">From 1 to <see cref="FilledGapsCorpus.MostPairs"/>.</param>
    /// <param name="testPairs">From 0 to the same; no source of them is in training or validation.</param>
    /// <param name="validPairs">The same.</param>
    /// <param name="cancellation">Looked at now and then.</param>
    /// <exception cref="ArgumentOutOfRangeException">A count is outside its range.</exception>
    public static CorpusSplits Generate(ulong seed, int trainPairs = 5_000, int testPairs = 1_000, int validPairs = 500, CancellationToken cancellation = default)
    {
        var splits = FilledGapsCorpus.Generate(seed, trainPairs, testPairs, validPairs, cancellation);
        var random = new RandomSource(seed ^ OfNoise);
        var train = new (string Source, string Target)[splits.Train.Count];
        for (int i = 0; i < train.Length; i++)
        {
            if (i % DrawnPairs.PairsBetweenLooks == 0)
                cancellation.ThrowIfCancellationRequested();
            train[i] = (splits.Train[i].Source, string.Join(' ', splits.Train[i].Target.Split(' ').Select(l => DrawnPairs.Draw(random) < Noise ? DrawnPairs.OtherLetter(random, l[0]) : l[0])));
        }

        return splits with { Train = train };
    }
}
