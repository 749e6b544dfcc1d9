namespace CudaSeq.Models;

/// <summary>
/// BLEU (Papineni, Roukos, Ward and Zhu, "BLEU: a method for automatic evaluation of machine translation", ACL 2002), equal to
/// sacreBLEU's scores (Post, "A call for clarity in reporting BLEU scores", WMT 2018).
/// </summary>
public static class Bleu
{
    /// <summary>The longest n-grams counted, unless <see cref="BleuOptions.Order"/> says otherwise.</summary>
    public const int Order = 4;

    // What sacreBLEU takes for the logarithm of zero.
    private const double LogOfZero = -9999999999;

    /// <summary>Scores translations against one reference each.</summary>
    /// <param name="hypotheses">The translations, detokenised.</param>
    /// <param name="references">Line n is the reference of hypothesis n.</param>
    /// <param name="options">The variant; null is sacreBLEU's default: 13a, cased, exponential smoothing.</param>
    /// <exception cref="ArgumentException">There are no lines, not as many references as hypotheses, or the options are no variant of BLEU.</exception>
    public static BleuScore Corpus(IReadOnlyList<string> hypotheses, IReadOnlyList<string> references, BleuOptions? options = null)
        => Corpus(hypotheses, [references], options);

    /// <summary>
    /// Scores translations against several references each: BLEU = BP * (p1 * p2 * p3 * p4)^(1/4) in percent. p_n is the share of the hypotheses' n-grams that are
    /// found in a reference of their line, each at most as often as in the reference that has it most; BP = exp(1 - r / h) where the hypotheses' h words are
    /// fewer than r, the words of the references closest in length (the shorter of two equally close).
    /// </summary>
    /// <param name="hypotheses">The translations, detokenised.</param>
    /// <param name="references">
    /// One list for each set of references. A null is a reference that is missing, an empty line a reference without words, which can be the closest in length.
    /// </param>
    /// <param name="options">The variant; null is sacreBLEU's default: 13a, cased, exponential smoothing.</param>
    /// <exception cref="ArgumentException">
    /// There are no lines or references, not as many references as hypotheses, a line has none, or the options are no variant of BLEU.
    /// </exception>
    public static BleuScore Corpus(IReadOnlyList<string> hypotheses, IReadOnlyList<IReadOnlyList<string?>> references, BleuOptions? options = null)
    {
        options ??= new BleuOptions();
        var statistics = Statistics(hypotheses, references, options);
        return FromSum(statistics.Sum(), statistics.Signature, options);
    }

    /// <summary>Scores one sentence, as <see cref="Corpus(IReadOnlyList{string}, IReadOnlyList{IReadOnlyList{string}}, BleuOptions)"/> a corpus of it alone.</summary>
    /// <param name="hypothesis">The translation, detokenised.</param>
    /// <param name="references">Its references; a null is one that is missing.</param>
    /// <param name="options">The variant; null is sacreBLEU's default for sentences: 13a, cased, exponential smoothing, effective order.</param>
    /// <exception cref="ArgumentException">There is no reference, or the options are no variant of BLEU.</exception>
    public static BleuScore Sentence(string hypothesis, IReadOnlyList<string?> references, BleuOptions? options = null)
        => Corpus([hypothesis], [.. references.Select(r => new[] { r })], options ?? new BleuOptions { EffectiveOrder = true });

    /// <summary>What BLEU is computed from, line by line: words of hypothesis and closest reference, matches and n-grams of each order.</summary>
    /// <param name="hypotheses">The translations, detokenised.</param>
    /// <param name="references">One list for each set of references.</param>
    /// <param name="options">The variant; null is sacreBLEU's default.</param>
    /// <param name="cancellation">Asks to stop.</param>
    /// <exception cref="ArgumentException">As for a corpus.</exception>
    /// <exception cref="OperationCanceledException">It was asked to stop.</exception>
    public static CorpusStatistics Statistics(
        IReadOnlyList<string> hypotheses, IReadOnlyList<IReadOnlyList<string?>> references, BleuOptions? options = null, CancellationToken cancellation = default)
    {
        options ??= new BleuOptions();
        options.Check();
        string[][] lines = ReferenceLines.Of("Bleu", hypotheses.Count, references);
        var statistics = new double[lines.Length][];
        for (int i = 0; i < lines.Length; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            statistics[i] = Count(hypotheses[i], lines[i], options);
        }

        string signature = options.Signature(lines.Min(l => l.Length), lines.Max(l => l.Length));
        return new CorpusStatistics("BLEU", signature, statistics, sum => FromSum(sum, signature, options).Score);
    }

    private static BleuScore FromSum(ReadOnlySpan<double> sum, string signature, BleuOptions options)
    {
        long[] matches = new long[options.Order], totals = new long[options.Order];
        for (int n = 0; n < options.Order; n++)
            (matches[n], totals[n]) = ((long)sum[2 + n], (long)sum[2 + options.Order + n]);
        return FromCounts(matches, totals, (long)sum[0], (long)sum[1], signature, options);
    }

    /// <summary>The score that counts over a whole corpus amount to.</summary>
    internal static BleuScore FromCounts(long[] matches, long[] totals, long hypothesisLength, long referenceLength, string signature, BleuOptions options)
    {
        double penalty = hypothesisLength >= referenceLength ? 1
            : hypothesisLength > 0 ? Math.Exp(1 - ((double)referenceLength / hypothesisLength)) : 0;
        var precisions = new double[options.Order];
        double score = 0;
        if (matches.Any(m => m > 0))
        {
            int order = Smooth(matches, totals, options, precisions);
            score = penalty * Math.Exp(precisions.Take(order).Sum(p => p > 0 ? Math.Log(p) : LogOfZero) / order);
        }

        return new BleuScore(score, precisions, penalty, hypothesisLength, referenceLength, signature) { Matches = matches, Totals = totals };
    }

    // Fills the precisions and returns how many of them are in the mean.
    private static int Smooth(long[] matches, long[] totals, BleuOptions options, double[] precisions)
    {
        int order = options.Order;
        double value = options.EffectiveSmoothingValue ?? 0, halves = 1;
        for (int n = 0; n < options.Order; n++)
        {
            double added = options.Smoothing == BleuSmoothing.AddK && n > 0 ? value : 0;
            double matched = matches[n] + added, total = totals[n] + added;
            if (total == 0)
                break;
            if (options.EffectiveOrder)
                order = n + 1;
            precisions[n] = matched > 0 ? 100 * matched / total : options.Smoothing switch
            {
                BleuSmoothing.Exponential => 100 / ((halves *= 2) * total),
                BleuSmoothing.Floor => 100 * value / total,
                _ => 0,
            };
        }

        return order;
    }

    private static double[] Count(string hypothesis, string[] references, BleuOptions options)
    {
        var grams = new NGramCounts();
        int[] symbols = grams.Symbols(BleuWords.Of(hypothesis, options));
        Dictionary<int, int>[]? most = null;
        int closest = 0, distance = int.MaxValue;
        foreach (string reference in references)
        {
            int[] words = grams.Symbols(BleuWords.Of(reference, options));
            int apart = Math.Abs(symbols.Length - words.Length);
            if (apart < distance || (apart == distance && words.Length < closest))
                (closest, distance) = (words.Length, apart);
            var counts = grams.Count(words, options.Order);
            if (most is null)
            {
                most = counts;
                continue;
            }

            for (int n = 0; n < options.Order; n++)
            {
                foreach (var (gram, count) in counts[n])
                    most[n][gram] = Math.Max(count, most[n].GetValueOrDefault(gram));
            }
        }

        var own = grams.Count(symbols, options.Order);
        return
        [
            symbols.Length,
            closest,
            .. own.Zip(most!, (counts, wanted) => (double)NGramCounts.Matches(counts, wanted)),
            .. Enumerable.Range(1, options.Order).Select(n => (double)NGramCounts.Total(symbols.Length, n)),
        ];
    }
}
