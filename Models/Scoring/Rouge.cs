namespace CudaSeq.Models;

/// <summary>
/// ROUGE (Lin, "ROUGE: a package for automatic evaluation of summaries", Text Summarization Branches Out, 2004), equal to Google's <c>rouge_score</c>, which follows the
/// program ROUGE-1.5.5.
/// </summary>
public static class Rouge
{
    /// <summary>Words that are stemmed have more letters.</summary>
    private const int LongestUnstemmed = 3;

    /// <summary>Scores texts against one reference each.</summary>
    /// <param name="hypotheses">The texts.</param>
    /// <param name="references">Line n is the reference of hypothesis n.</param>
    /// <param name="options">The variant; null is ROUGE-1 without stemming.</param>
    /// <exception cref="ArgumentException">There are no lines, not as many references as hypotheses, or the options are no variant of ROUGE.</exception>
    public static RougeScore Corpus(IReadOnlyList<string> hypotheses, IReadOnlyList<string> references, RougeOptions? options = null)
        => Corpus(hypotheses, [references], options);

    /// <summary>
    /// Scores texts against several references each: the mean over the lines of F = 2 P R / (P + R), where P and R are the shares of the hypothesis' and of the
    /// reference's n-grams, or words, that are found in the other; of several references a line counts the one with the best F (the first of equals). Words are runs of
    /// a to z and 0 to 9 after lower-casing.
    /// </summary>
    /// <param name="hypotheses">The texts.</param>
    /// <param name="references">One list for each set of references. A null is a reference that is missing, an empty line a reference without words.</param>
    /// <param name="options">The variant; null is ROUGE-1 without stemming.</param>
    /// <param name="cancellation">Asks to stop.</param>
    /// <exception cref="ArgumentException">
    /// There are no lines or references, not as many references as hypotheses, a line has none, or the options are no variant of ROUGE.
    /// </exception>
    /// <exception cref="OperationCanceledException">It was asked to stop.</exception>
    public static RougeScore Corpus(
        IReadOnlyList<string> hypotheses, IReadOnlyList<IReadOnlyList<string?>> references, RougeOptions? options = null, CancellationToken cancellation = default)
    {
        var statistics = Statistics(hypotheses, references, options, cancellation);
        double[] sum = statistics.Sum();
        return new RougeScore(statistics.Name, statistics.Score, 100 * sum[0] / sum[3], 100 * sum[1] / sum[3], statistics.Signature);
    }

    /// <summary>Scores one text, as <see cref="Corpus(IReadOnlyList{string}, IReadOnlyList{IReadOnlyList{string}}, RougeOptions, CancellationToken)"/> a corpus of it alone.</summary>
    /// <param name="hypothesis">The text.</param>
    /// <param name="references">Its references; a null is one that is missing.</param>
    /// <param name="options">The variant; null is ROUGE-1 without stemming.</param>
    /// <exception cref="ArgumentException">There is no reference, or the options are no variant of ROUGE.</exception>
    public static RougeScore Sentence(string hypothesis, IReadOnlyList<string?> references, RougeOptions? options = null)
        => Corpus([hypothesis], [.. references.Select(r => new[] { r })], options);

    /// <summary>What ROUGE is computed from, line by line: precision, recall, F and a 1 that counts lines.</summary>
    /// <param name="hypotheses">The texts.</param>
    /// <param name="references">One list for each set of references.</param>
    /// <param name="options">The variant; null is ROUGE-1 without stemming.</param>
    /// <param name="cancellation">Asks to stop.</param>
    /// <exception cref="ArgumentException">As for a corpus.</exception>
    /// <exception cref="OperationCanceledException">It was asked to stop.</exception>
    public static CorpusStatistics Statistics(
        IReadOnlyList<string> hypotheses, IReadOnlyList<IReadOnlyList<string?>> references, RougeOptions? options = null, CancellationToken cancellation = default)
    {
        options ??= new RougeOptions();
        options.Check();
        string[][] lines = ReferenceLines.Of("Rouge", hypotheses.Count, references);
        var statistics = new double[lines.Length][];
        for (int i = 0; i < lines.Length; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            var (precision, recall, f) = Best(hypotheses[i], lines[i], options);
            statistics[i] = [precision, recall, f, 1];
        }

        string signature = options.Signature(lines.Min(l => l.Length), lines.Max(l => l.Length));
        return new CorpusStatistics(options.Name, signature, statistics, sum => 100 * sum[2] / sum[3]);
    }

    /// <summary>The words that ROUGE counts.</summary>
    internal static string[] Words(string text, bool stem)
    {
        var words = new List<string>();
        string lower = ScoredText.Lower(text);
        for (int start = 0, i = 0; i <= lower.Length; i++)
        {
            if (i < lower.Length && (char.IsAsciiLetterLower(lower[i]) || char.IsAsciiDigit(lower[i])))
                continue;
            if (i > start)
                words.Add(stem && i - start > LongestUnstemmed ? PorterStemmer.Stem(lower[start..i]) : lower[start..i]);
            start = i + 1;
        }

        return [.. words];
    }

    private static (double Precision, double Recall, double F) Best(string hypothesis, string[] references, RougeOptions options)
    {
        var grams = new NGramCounts();
        int[][] own = Sentences(hypothesis);
        var best = (Precision: 0.0, Recall: 0.0, F: -1.0);
        foreach (string reference in references)
        {
            int[][] wanted = Sentences(reference);
            var (matches, inHypothesis, inReference) = options.Measure switch
            {
                RougeMeasure.NGrams => NGrams(grams, own[0], wanted[0], options.Order),
                RougeMeasure.Subsequence => (Subsequence(wanted[0], own[0]).Count, own[0].Length, wanted[0].Length),
                _ => Union(wanted, own),
            };
            double precision = (double)matches / Math.Max(inHypothesis, 1), recall = (double)matches / Math.Max(inReference, 1);
            double f = matches > 0 ? 2 * precision * recall / (precision + recall) : 0;
            if (f > best.F)
                best = (precision, recall, f);
        }

        return best;

        int[][] Sentences(string text)
        {
            int[][] sentences = [.. text.Split(options.SentenceSeparator).Select(sentence => grams.Symbols(Words(sentence, options.Stem)))];
            return options.Measure == RougeMeasure.SummarySubsequence ? sentences : [[.. sentences.SelectMany(words => words)]];
        }
    }

    private static (int Matches, int Hypothesis, int Reference) NGrams(NGramCounts grams, int[] hypothesis, int[] reference, int order)
    {
        long matches = NGramCounts.Matches(grams.Count(hypothesis, order)[order - 1], grams.Count(reference, order)[order - 1]);
        return ((int)matches, (int)NGramCounts.Total(hypothesis.Length, order), (int)NGramCounts.Total(reference.Length, order));
    }

    // Words that several sentences of the reference have in common with the hypothesis count only as often as both texts have them, as in ROUGE-1.5.5.
    private static (int Matches, int Hypothesis, int Reference) Union(int[][] reference, int[][] hypothesis)
    {
        var left = hypothesis.SelectMany(s => s).CountBy(w => w).ToDictionary();
        int matches = 0;
        foreach (int[] sentence in reference)
        {
            var found = new SortedSet<int>();
            foreach (int[] other in hypothesis)
                found.UnionWith(Subsequence(sentence, other));
            foreach (int at in found)
            {
                int count = left.GetValueOrDefault(sentence[at]);
                if (count == 0)
                    continue;
                left[sentence[at]] = count - 1;
                matches++;
            }
        }

        return (matches, hypothesis.Sum(s => s.Length), reference.Sum(s => s.Length));
    }

    // Where the words of one of the longest common subsequences stand in the reference; which one decides what a union of them has.
    private static List<int> Subsequence(int[] reference, int[] hypothesis)
    {
        int columns = hypothesis.Length + 1;
        var lengths = new int[WordGrid.Size("ROUGE", columns, reference.Length + 1)];
        for (int i = 1; i <= reference.Length; i++)
        {
            for (int j = 1; j < columns; j++)
            {
                lengths[(i * columns) + j] = reference[i - 1] == hypothesis[j - 1]
                    ? lengths[((i - 1) * columns) + j - 1] + 1
                    : Math.Max(lengths[((i - 1) * columns) + j], lengths[(i * columns) + j - 1]);
            }
        }

        var places = new List<int>();
        for (int i = reference.Length, j = hypothesis.Length; i > 0 && j > 0;)
        {
            if (reference[i - 1] == hypothesis[j - 1])
            {
                places.Add(i - 1);
                (i, j) = (i - 1, j - 1);
            }
            else if (lengths[(i * columns) + j - 1] > lengths[((i - 1) * columns) + j])
            {
                j--;
            }
            else
            {
                i--;
            }
        }

        return places;
    }
}
