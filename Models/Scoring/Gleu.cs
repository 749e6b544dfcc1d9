using System.Globalization;

namespace CudaSeq.Models;

/// <summary>
/// GLEU for grammatical error correction (Napoles, Sakaguchi, Post and Tetreault, "Ground truth for grammatical error correction metrics", ACL 2015, with their update of
/// 2016, "GLEU without tuning"), equal to the script gleu.py of JFLEG, whose random choices of references are drawn alike.
/// </summary>
public static class Gleu
{
    private const int Order = 4;

    // Lengths of hypothesis and reference, then for each order matches and n-grams.
    private const int Width = 2 + (2 * Order);

    // The seeds of gleu.py's draws are multiples of it.
    private const uint SeedStep = 101;

    /// <summary>
    /// Scores corrections: GLEU = BP * (p1 * p2 * p3 * p4)^(1/4) in percent. p_n is the share of a hypothesis' n-grams that its reference has, less those that the
    /// source has and the reference has not; BP = exp(1 - r / h) where the hypotheses' h words are fewer than the references' r. For each line one of its references
    /// is drawn, many times over the corpus, and the score is the mean.
    /// </summary>
    /// <param name="hypotheses">The corrections, tokenised: words are what stands between blanks.</param>
    /// <param name="sources">Line n is what hypothesis n corrects.</param>
    /// <param name="references">One list for each set of references; none is missing.</param>
    /// <param name="options">The variant; null is gleu.py's default.</param>
    /// <param name="cancellation">Asks to stop.</param>
    /// <exception cref="ArgumentException">
    /// There are no lines or references, not as many sources or references as hypotheses, a reference is missing, or the options are no variant of GLEU.
    /// </exception>
    /// <exception cref="OperationCanceledException">It was asked to stop.</exception>
    public static GleuScore Corpus(
        IReadOnlyList<string> hypotheses,
        IReadOnlyList<string> sources,
        IReadOnlyList<IReadOnlyList<string>> references,
        GleuOptions? options = null,
        CancellationToken cancellation = default)
    {
        var statistics = Statistics(hypotheses, sources, references, options, cancellation);
        double[] scores = Scores(statistics.Sum());
        return new GleuScore(statistics.Score, Deviation(scores), statistics.Signature);
    }

    /// <summary>
    /// Scores one sentence: the mean over all its references of GLEU as of a corpus of it alone, except that n-grams without a match count as one match, as gleu.py does
    /// with <c>--sent</c>.
    /// </summary>
    /// <param name="hypothesis">The correction, tokenised.</param>
    /// <param name="source">What it corrects.</param>
    /// <param name="references">Its references.</param>
    /// <param name="options">The variant; null is gleu.py's default.</param>
    /// <exception cref="ArgumentException">There is no reference, or the options are no variant of GLEU.</exception>
    public static GleuScore Sentence(string hypothesis, string source, IReadOnlyList<string> references, GleuOptions? options = null)
    {
        options ??= new GleuOptions();
        options.Check();
        string[][] lines = Lines([hypothesis], [source], [.. references.Select(r => new[] { r })]);
        double[] scores = [.. Count(hypothesis, source, lines[0], options).Select(counts => Score([.. counts.Select(c => c == 0 ? 1 : c)]))];
        return new GleuScore(100 * scores.Average(), Deviation(scores), options.Signature(references.Count));
    }

    /// <summary>What GLEU is computed from, line by line: for each draw the lengths of hypothesis and reference, matches and n-grams of each order.</summary>
    /// <param name="hypotheses">The corrections, tokenised.</param>
    /// <param name="sources">Line n is what hypothesis n corrects.</param>
    /// <param name="references">One list for each set of references.</param>
    /// <param name="options">The variant; null is gleu.py's default.</param>
    /// <param name="cancellation">Asks to stop.</param>
    /// <exception cref="ArgumentException">As for a corpus.</exception>
    /// <exception cref="OperationCanceledException">It was asked to stop.</exception>
    public static CorpusStatistics Statistics(
        IReadOnlyList<string> hypotheses,
        IReadOnlyList<string> sources,
        IReadOnlyList<IReadOnlyList<string>> references,
        GleuOptions? options = null,
        CancellationToken cancellation = default)
    {
        options ??= new GleuOptions();
        options.Check();
        string[][] wanted = Lines(hypotheses, sources, references);
        int[][] draws = Draws(options.EffectiveIterations(references.Count), hypotheses.Count, references.Count);
        var lines = new double[hypotheses.Count][];
        for (int i = 0; i < lines.Length; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            double[][] counts = Count(hypotheses[i], sources[i], wanted[i], options);
            lines[i] = [.. draws.SelectMany(draw => counts[draw[i]])];
        }

        return new CorpusStatistics("GLEU", options.Signature(references.Count), lines, sum => 100 * Scores(sum).Average());
    }

    private static string[][] Lines(IReadOnlyList<string> hypotheses, IReadOnlyList<string> sources, IReadOnlyList<IReadOnlyList<string>> references)
    {
        if (sources.Count != hypotheses.Count)
        {
            throw new ArgumentException(string.Create(
                CultureInfo.InvariantCulture, $"Gleu: hypotheses and sources must have as many lines as each other, got {hypotheses.Count} and {sources.Count}."));
        }

        string[][] lines = ReferenceLines.Of("Gleu", hypotheses.Count, references);
        int lacking = Array.FindIndex(lines, line => line.Length < references.Count);
        return lacking < 0 ? lines : throw new ArgumentException(string.Create(
            CultureInfo.InvariantCulture, $"Gleu: every line must have all {references.Count} references, line {lacking + 1} has {lines[lacking].Length}."));
    }

    // [iterations][lines]: the reference of each line.
    private static int[][] Draws(int iterations, int lines, int references)
    {
        var draws = new int[iterations][];
        for (int k = 0; k < iterations; k++)
        {
            draws[k] = new int[lines];
            if (references == 1)
                continue;
            var random = new MersenneTwister((uint)k * SeedStep);
            for (int i = 0; i < lines; i++)
                draws[k][i] = random.Below(references);
        }

        return draws;
    }

    // [references][Width].
    private static double[][] Count(string hypothesis, string source, string[] references, GleuOptions options)
    {
        var grams = new NGramCounts();
        int[] own = Symbols(hypothesis);
        var (ownGrams, sourceGrams) = (grams.Count(own, Order), grams.Count(Symbols(source), Order));
        var counts = new double[references.Length][];
        for (int r = 0; r < references.Length; r++)
        {
            int[] wanted = Symbols(references[r]);
            var wantedGrams = grams.Count(wanted, Order);
            counts[r] = new double[Width];
            (counts[r][0], counts[r][1]) = (own.Length, wanted.Length);
            for (int n = 0; n < Order; n++)
            {
                var kept = sourceGrams[n].Where(gram => !wantedGrams[n].ContainsKey(gram.Key)).ToDictionary();
                long matches = NGramCounts.Matches(ownGrams[n], wantedGrams[n]) - NGramCounts.Matches(ownGrams[n], kept);
                (counts[r][2 + (2 * n)], counts[r][3 + (2 * n)]) = (Math.Max(0, matches), NGramCounts.Total(own.Length, n + 1));
            }
        }

        return counts;

        int[] Symbols(string line) => grams.Symbols(ScoredText.Split(options.Lowercase ? ScoredText.Lower(line) : line));
    }

    private static double[] Scores(ReadOnlySpan<double> sum)
    {
        var scores = new double[sum.Length / Width];
        for (int k = 0; k < scores.Length; k++)
            scores[k] = Score(sum.Slice(k * Width, Width));
        return scores;
    }

    // A fraction, not percent.
    private static double Score(ReadOnlySpan<double> counts)
    {
        if (counts.Contains(0))
            return 0;
        double logarithms = 0;
        for (int n = 0; n < Order; n++)
            logarithms += Math.Log(counts[2 + (2 * n)] / counts[3 + (2 * n)]);
        return Math.Exp(Math.Min(0, 1 - (counts[1] / counts[0])) + (logarithms / Order));
    }

    private static double Deviation(double[] scores)
    {
        double mean = scores.Average();
        return 100 * Math.Sqrt(scores.Average(s => (s - mean) * (s - mean)));
    }
}
