namespace CudaSeq.Models;

/// <summary>
/// chrF (Popović, "chrF: character n-gram F-score for automatic MT evaluation", WMT 2015) and chrF++, which counts words too (Popović, "chrF++: words helping
/// character n-grams", WMT 2017), equal to sacreBLEU's scores.
/// </summary>
public static class Chrf
{
    private const double Epsilon = 1e-16;
    private const string AsciiPunctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

    /// <summary>Scores translations against one reference each.</summary>
    /// <param name="hypotheses">The translations, detokenised.</param>
    /// <param name="references">Line n is the reference of hypothesis n.</param>
    /// <param name="options">The variant; null is chrF2.</param>
    /// <exception cref="ArgumentException">There are no lines, not as many references as hypotheses, or the options are no variant of chrF.</exception>
    public static ChrfScore Corpus(IReadOnlyList<string> hypotheses, IReadOnlyList<string> references, ChrfOptions? options = null)
        => Corpus(hypotheses, [references], options);

    /// <summary>
    /// Scores translations against several references each: chrF = (1 + b^2) P R / (b^2 P + R) in percent. P and R are the means over the orders 1 to 6 of the share
    /// of the hypotheses' n-grams of characters that are found in their references, and of the references' found in the hypotheses; of several references a line
    /// counts the one with which its own score is best (the first of equals).
    /// </summary>
    /// <param name="hypotheses">The translations, detokenised.</param>
    /// <param name="references">One list for each set of references. A null is a reference that is missing, an empty line a reference without characters.</param>
    /// <param name="options">The variant; null is chrF2.</param>
    /// <exception cref="ArgumentException">
    /// There are no lines or references, not as many references as hypotheses, a line has none, or the options are no variant of chrF.
    /// </exception>
    public static ChrfScore Corpus(IReadOnlyList<string> hypotheses, IReadOnlyList<IReadOnlyList<string?>> references, ChrfOptions? options = null)
    {
        options ??= new ChrfOptions();
        var statistics = Statistics(hypotheses, references, options);
        var sum = Orders(statistics.Sum());
        return new ChrfScore(options.Name, statistics.Score, statistics.Signature)
        {
            HypothesisTotals = [.. sum.Select(c => c.Hypothesis)],
            ReferenceTotals = [.. sum.Select(c => c.Reference)],
            Matches = [.. sum.Select(c => c.Matches)],
        };
    }

    /// <summary>Scores one sentence, as <see cref="Corpus(IReadOnlyList{string}, IReadOnlyList{IReadOnlyList{string}}, ChrfOptions)"/> a corpus of it alone.</summary>
    /// <param name="hypothesis">The translation, detokenised.</param>
    /// <param name="references">Its references; a null is one that is missing.</param>
    /// <param name="options">The variant; null is chrF2.</param>
    /// <exception cref="ArgumentException">There is no reference, or the options are no variant of chrF.</exception>
    public static ChrfScore Sentence(string hypothesis, IReadOnlyList<string?> references, ChrfOptions? options = null)
        => Corpus([hypothesis], [.. references.Select(r => new[] { r })], options);

    /// <summary>What chrF is computed from, line by line: n-grams of hypothesis and best reference, and those they share, of each order.</summary>
    /// <param name="hypotheses">The translations, detokenised.</param>
    /// <param name="references">One list for each set of references.</param>
    /// <param name="options">The variant; null is chrF2.</param>
    /// <param name="cancellation">Asks to stop.</param>
    /// <exception cref="ArgumentException">As for a corpus.</exception>
    /// <exception cref="OperationCanceledException">It was asked to stop.</exception>
    public static CorpusStatistics Statistics(
        IReadOnlyList<string> hypotheses, IReadOnlyList<IReadOnlyList<string?>> references, ChrfOptions? options = null, CancellationToken cancellation = default)
    {
        options ??= new ChrfOptions();
        options.Check();
        string[][] lines = ReferenceLines.Of("Chrf", hypotheses.Count, references);
        var statistics = new double[lines.Length][];
        for (int i = 0; i < lines.Length; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            statistics[i] = [.. Best(hypotheses[i], lines[i], options).SelectMany(c => new double[] { c.Hypothesis, c.Reference, c.Matches })];
        }

        string signature = options.Signature(lines.Min(l => l.Length), lines.Max(l => l.Length));
        return new CorpusStatistics(options.Name, signature, statistics, sum => FScore(Orders(sum), options));
    }

    /// <summary>The words that chrF++ counts: what stands between blanks, with one mark of ASCII punctuation cut off its end or, if there is none, its beginning.</summary>
    internal static string[] Words(string line)
    {
        var words = new List<string>();
        foreach (string word in ScoredText.Split(line))
        {
            if (word.Length > 1 && AsciiPunctuation.Contains(word[^1]))
                words.AddRange(word[..^1], word[^1..]);
            else if (word.Length > 1 && AsciiPunctuation.Contains(word[0]))
                words.AddRange(word[..1], word[1..]);
            else
                words.Add(word);
        }

        return [.. words];
    }

    private static OrderCounts[] Best(string hypothesis, string[] references, ChrfOptions options)
    {
        var (characters, words) = (new NGramCounts(), new NGramCounts());
        var own = Grams(hypothesis);
        OrderCounts[]? best = null;
        double bestScore = -1;
        foreach (string reference in references)
        {
            OrderCounts[] counts = [.. own.Zip(Grams(reference), Compare)];
            double score = FScore(counts, options);
            if (score > bestScore)
                (best, bestScore) = (counts, score);
        }

        return best!;

        Dictionary<int, int>[] Grams(string line)
        {
            if (options.Lowercase)
                line = ScoredText.Lower(line);
            int[] points = ScoredText.CodePoints(line);
            if (!options.Whitespace)
                points = [.. points.Where(c => !ScoredText.IsBlank(c))];
            return [.. characters.Count(points, options.CharacterOrder), .. words.Count(words.Symbols(Words(line)), options.WordOrder)];
        }
    }

    private static OrderCounts[] Orders(ReadOnlySpan<double> sum)
    {
        var orders = new OrderCounts[sum.Length / 3];
        for (int n = 0; n < orders.Length; n++)
            orders[n] = new((long)sum[3 * n], (long)sum[(3 * n) + 1], (long)sum[(3 * n) + 2]);
        return orders;
    }

    private static OrderCounts Compare(Dictionary<int, int> hypothesis, Dictionary<int, int> reference)
        => new(reference.Count > 0 ? hypothesis.Values.Sum() : 0, reference.Values.Sum(), NGramCounts.Matches(hypothesis, reference));

    private static double FScore(OrderCounts[] orders, ChrfOptions options)
    {
        double factor = (double)options.Beta * options.Beta;
        double precisions = 0, recalls = 0, scores = 0;
        int effective = 0;
        foreach (var (hypothesis, reference, matches) in orders)
        {
            double precision = hypothesis > 0 ? (double)matches / hypothesis : Epsilon;
            double recall = reference > 0 ? (double)matches / reference : Epsilon;
            double denominator = (factor * precision) + recall;
            scores += denominator > 0 ? (1 + factor) * precision * recall / denominator : Epsilon;
            if (hypothesis == 0 || reference == 0)
                continue;
            precisions += precision;
            recalls += recall;
            effective++;
        }

        if (options.EpsilonSmoothing)
            return 100 * scores / orders.Length;
        if (precisions + recalls == 0)
            return 0;
        precisions /= effective;
        recalls /= effective;
        return 100 * ((1 + factor) * precisions * recalls / ((factor * precisions) + recalls));
    }

    /// <summary>How many n-grams of one order hypotheses, references and both have.</summary>
    private readonly record struct OrderCounts(long Hypothesis, long Reference, long Matches);
}
