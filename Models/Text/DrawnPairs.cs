using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>Corpora whose pairs are drawn by chance, one after the other.</summary>
internal static class DrawnPairs
{
    /// <summary>The alphabet of the tasks about letters.</summary>
    public const string Letters = "abcdefghijklmnopqrstuvwxyz";

    /// <summary>How many pairs are drawn between two looks at what stops it.</summary>
    public const int PairsBetweenLooks = 1_000;

    /// <summary>Draws pairs whose sources all differ: those to test with, to validate with, then to train on.</summary>
    /// <param name="corpus">The corpus, for messages.</param>
    /// <param name="most">The most pairs of a part.</param>
    /// <param name="seed">The same seed gives the same corpus.</param>
    /// <param name="trainPairs">From 1 to the most.</param>
    /// <param name="testPairs">From 0 to the most.</param>
    /// <param name="validPairs">The same.</param>
    /// <param name="pair">Draws one.</param>
    /// <param name="cancellation">Looked at now and then.</param>
    /// <exception cref="ArgumentOutOfRangeException">A count is outside its range.</exception>
    public static CorpusSplits Generate(
        string corpus, int most, ulong seed, int trainPairs, int testPairs, int validPairs, Func<RandomSource, (string Source, string Target)> pair, CancellationToken cancellation)
    {
        Check(nameof(trainPairs), trainPairs, 1);
        Check(nameof(testPairs), testPairs, 0);
        Check(nameof(validPairs), validPairs, 0);
        var random = new RandomSource(seed);
        var seen = new HashSet<string>();
        var (test, valid, train) = (Pairs(testPairs), Pairs(validPairs), Pairs(trainPairs));
        return new CorpusSplits(train, valid, test);

        (string Source, string Target)[] Pairs(int count)
        {
            var pairs = new (string Source, string Target)[count];
            for (int i = 0; i < count; i++)
            {
                if (i % PairsBetweenLooks == 0)
                    cancellation.ThrowIfCancellationRequested();
                do
                    pairs[i] = pair(random);
                while (!seen.Add(pairs[i].Source));
            }

            return pairs;
        }

        void Check(string name, int value, int low)
        {
            if (value < low || value > most)
                throw new ArgumentOutOfRangeException(null, $"{corpus}: {name} must be in {low} .. {most}, got {value}.");
        }
    }

    /// <summary>A number below a bound, each equally likely.</summary>
    /// <param name="random">Where from.</param>
    /// <param name="bound">At least 1.</param>
    public static int Below(RandomSource random, int bound) => Math.Min((int)(Draw(random) * bound), bound - 1);

    /// <summary>A number in 0 .. 1.</summary>
    /// <param name="random">Where from.</param>
    public static float Draw(RandomSource random)
    {
        Span<float> one = stackalloc float[1];
        random.Uniform(one, 0, 1);
        return one[0];
    }

    /// <summary>Another of the <see cref="Letters"/>, each equally likely.</summary>
    /// <param name="random">Where from.</param>
    /// <param name="letter">One of them.</param>
    public static char OtherLetter(RandomSource random, char letter) => Letters[(letter - Letters[0] + 1 + Below(random, Letters.Length - 1)) % Letters.Length];
}
