using System.Globalization;

namespace CudaSeq.Models;

/// <summary>
/// Tests whether systems differ from a baseline by more than the choice of the test set explains, as sacreBLEU's <c>--paired-bs</c> and <c>--paired-ar</c> do and with
/// their random numbers.
/// </summary>
/// <remarks>
/// The sums of sacreBLEU's resamples are in float32, and the version of numpy decides what is computed from them in float32 too; here all is in float64. Means and
/// intervals agree with sacreBLEU's to about five decimals.
/// </remarks>
public static class PairedTest
{
    /// <summary>
    /// Compares each system with the first. Bootstrap resampling draws as many lines as there are, with replacement, the same for all systems; p is the share of the
    /// resamples whose difference, taken relative to their mean difference, is larger than that of the corpora. Approximate randomisation swaps each line between the
    /// two systems or does not; p is the share of the swapped pairs whose difference is larger. To both counts one is added.
    /// </summary>
    /// <param name="systems">The statistics of one metric for each system, of the same lines; the first is the baseline.</param>
    /// <param name="options">The test; null is bootstrap resampling, 1000 times.</param>
    /// <param name="cancellation">Asks to stop.</param>
    /// <returns>A result for each system, in their order.</returns>
    /// <exception cref="ArgumentException">There are fewer than two systems, they differ in metric or lines, or the options are no test.</exception>
    /// <exception cref="OperationCanceledException">It was asked to stop.</exception>
    public static IReadOnlyList<PairedTestResult> Run(IReadOnlyList<CorpusStatistics> systems, PairedTestOptions? options = null, CancellationToken cancellation = default)
    {
        options ??= new PairedTestOptions();
        options.Check();
        if (systems.Count < 2)
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"PairedTest: must be given two systems or more, got {systems.Count}."));
        foreach (var system in systems)
        {
            if (system.Name != systems[0].Name || system.Count != systems[0].Count || system.Width != systems[0].Width)
            {
                throw new ArgumentException(string.Create(
                    CultureInfo.InvariantCulture,
                    $"PairedTest: systems must have the same metric and lines, got {systems[0].Name} of {systems[0].Count} lines and {system.Name} of {system.Count}."));
            }
        }

        return options.Method == PairedTestMethod.BootstrapResampling ? Bootstrap(systems, options, cancellation) : Randomize(systems, options, cancellation);
    }

    private static PairedTestResult[] Bootstrap(IReadOnlyList<CorpusStatistics> systems, PairedTestOptions options, CancellationToken cancellation)
    {
        double[][] scores = Resample(systems, options.EffectiveSamples, new Pcg64(options.Seed), cancellation);
        return [.. systems.Select((system, k) => Result(system, scores[k], k == 0 ? null : P(k)))];

        double P(int k)
        {
            double[] differences = [.. scores[k].Zip(scores[0], (own, baseline) => Math.Abs(own - baseline))];
            double mean = differences.Average();
            return PValue(differences.Select(d => d - mean), systems[k], systems[0]);
        }
    }

    private static PairedTestResult[] Randomize(IReadOnlyList<CorpusStatistics> systems, PairedTestOptions options, CancellationToken cancellation)
    {
        int samples = options.EffectiveSamples, lines = systems[0].Count, width = systems[0].Width;
        var random = new Pcg64(options.Seed);
        var differences = new double[systems.Count][];
        for (int k = 1; k < systems.Count; k++)
            differences[k] = new double[samples];
        var chosen = new bool[lines];
        double[] first = new double[width], second = new double[width];
        for (int t = 0; t < samples; t++)
        {
            cancellation.ThrowIfCancellationRequested();
            for (int i = 0; i < lines; i++)
                chosen[i] = random.NextBit();
            for (int k = 1; k < systems.Count; k++)
            {
                first.AsSpan().Clear();
                second.AsSpan().Clear();
                for (int i = 0; i < lines; i++)
                {
                    systems[0].Add(i, chosen[i] ? first : second);
                    systems[k].Add(i, chosen[i] ? second : first);
                }

                differences[k][t] = Math.Abs(systems[k].ScoreOf(first) - systems[k].ScoreOf(second));
            }
        }

        // Those of the systems go on where the swaps ended, those of the baseline begin anew.
        double[][] scores =
        [
            .. Resample([systems[0]], options.ConfidenceSamples, new Pcg64(options.Seed), cancellation),
            .. Resample([.. systems.Skip(1)], options.ConfidenceSamples, random, cancellation),
        ];
        return [.. systems.Select((system, k) => Result(system, scores[k], k == 0 ? null : PValue(differences[k], system, systems[0])))];
    }

    // [systems][samples]: the scores of resamples, the same lines for all systems.
    private static double[][] Resample(IReadOnlyList<CorpusStatistics> systems, int samples, Pcg64 random, CancellationToken cancellation)
    {
        double[][] scores = [.. systems.Select(_ => new double[samples])];
        var lines = new int[systems[0].Count];
        var sum = new double[systems[0].Width];
        for (int t = 0; t < samples; t++)
        {
            cancellation.ThrowIfCancellationRequested();
            for (int i = 0; i < lines.Length; i++)
                lines[i] = random.Below(lines.Length);
            for (int k = 0; k < systems.Count; k++)
            {
                sum.AsSpan().Clear();
                foreach (int line in lines)
                    systems[k].Add(line, sum);
                scores[k][t] = systems[k].ScoreOf(sum);
            }
        }

        return scores;
    }

    private static PairedTestResult Result(CorpusStatistics system, double[] scores, double? p)
    {
        double[] sorted = [.. scores.Order()];
        int cut = sorted.Length / 40;
        return new PairedTestResult(system.Score, scores.Average(), 0.5 * (sorted[^(cut + 1)] - sorted[cut]), p);
    }

    private static double PValue(IEnumerable<double> differences, CorpusStatistics system, CorpusStatistics baseline)
    {
        double seen = Math.Abs(baseline.Score - system.Score);
        int count = 0, larger = 0;
        foreach (double difference in differences)
        {
            count++;
            larger += difference > seen ? 1 : 0;
        }

        return (larger + 1.0) / (count + 1);
    }
}
