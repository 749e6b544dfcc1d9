namespace CudaSeq.Models;

/// <summary>How BLEU cuts text into words.</summary>
public enum BleuTokenization
{
    /// <summary>As mteval-v13a.pl of NIST and WMT does; sacreBLEU's default, for detokenised text of European languages.</summary>
    Mteval13a,

    /// <summary>At blanks only, for text that is tokenised already.</summary>
    None,
}

/// <summary>What BLEU makes of an n-gram order without matches.</summary>
public enum BleuSmoothing
{
    /// <summary>The k-th order without matches counts as 2^-k of a match (NIST; sacreBLEU's default).</summary>
    Exponential,

    /// <summary>One order without matches makes the score 0.</summary>
    None,
}

/// <summary>A variant of BLEU; scores are comparable only within one.</summary>
public sealed record BleuOptions
{
    /// <summary>How text is cut into words.</summary>
    public BleuTokenization Tokenization { get; init; } = BleuTokenization.Mteval13a;

    /// <summary>What an n-gram order without matches counts.</summary>
    public BleuSmoothing Smoothing { get; init; } = BleuSmoothing.Exponential;

    /// <summary>Whether upper and lower case are the same.</summary>
    public bool Lowercase { get; init; }

    /// <summary>Whether orders for which the hypotheses are too short are left out of the mean: for scores of single sentences.</summary>
    public bool EffectiveOrder { get; init; }
}

/// <summary>
/// BLEU of a whole corpus (Papineni, Roukos, Ward and Zhu, "BLEU: a method for automatic evaluation of machine translation", ACL 2002), equal to
/// sacreBLEU's corpus score (Post, "A call for clarity in reporting BLEU scores", WMT 2018).
/// </summary>
public static class Bleu
{
    /// <summary>The longest n-grams counted.</summary>
    public const int Order = 4;

    // What sacreBLEU takes for the logarithm of zero.
    private const double LogOfZero = -9999999999;

    /// <summary>Scores translations against one reference each.</summary>
    /// <param name="hypotheses">The translations, detokenised.</param>
    /// <param name="references">Line n is the reference of hypothesis n.</param>
    /// <param name="options">The variant; null is sacreBLEU's default: 13a, cased, exponential smoothing.</param>
    /// <exception cref="ArgumentException">There are no lines, or not as many references as hypotheses.</exception>
    public static BleuScore Corpus(IReadOnlyList<string> hypotheses, IReadOnlyList<string> references, BleuOptions? options = null)
        => Corpus(hypotheses, [references], options);

    /// <summary>
    /// Scores translations against several references each: BLEU = BP * (p1 * p2 * p3 * p4)^(1/4) in percent. p_n is the share of the hypotheses' n-grams that are
    /// found in a reference of their line, each at most as often as in the reference that has it most; BP = exp(1 - r / h) where the hypotheses' h words are
    /// fewer than r, the words of the references closest in length (the shorter of two equally close).
    /// </summary>
    /// <param name="hypotheses">The translations, detokenised.</param>
    /// <param name="references">One list for each set of references.</param>
    /// <param name="options">The variant; null is sacreBLEU's default: 13a, cased, exponential smoothing.</param>
    /// <exception cref="ArgumentException">There are no lines or references, or not as many references as hypotheses.</exception>
    public static BleuScore Corpus(IReadOnlyList<string> hypotheses, IReadOnlyList<IReadOnlyList<string>> references, BleuOptions? options = null)
    {
        options ??= new BleuOptions();
        if (references.Count == 0)
            throw new ArgumentException("Bleu: must be given references, got none.");
        foreach (var set in references)
        {
            if (set.Count != hypotheses.Count)
                throw new ArgumentException($"Bleu: hypotheses and references must have as many lines as each other, got {hypotheses.Count} and {set.Count}.");
        }

        if (hypotheses.Count == 0)
            throw new ArgumentException("Bleu: must be given at least one line, got none.");
        long[] matches = new long[Order], totals = new long[Order];
        long hypothesisLength = 0, referenceLength = 0;
        for (int i = 0; i < hypotheses.Count; i++)
        {
            var grams = new NGrams();
            string[] hypothesis = Words(hypotheses[i], options);
            int closest = 0, distance = int.MaxValue;
            foreach (var set in references)
            {
                string[] reference = Words(set[i], options);
                grams.AddReference(reference);
                int apart = Math.Abs(hypothesis.Length - reference.Length);
                if (apart < distance || (apart == distance && reference.Length < closest))
                    (closest, distance) = (reference.Length, apart);
            }

            grams.Match(hypothesis, matches, totals);
            hypothesisLength += hypothesis.Length;
            referenceLength += closest;
        }

        return FromCounts(matches, totals, hypothesisLength, referenceLength, references.Count, options);
    }

    /// <summary>The score that counts over a whole corpus amount to.</summary>
    internal static BleuScore FromCounts(long[] matches, long[] totals, long hypothesisLength, long referenceLength, int references, BleuOptions options)
    {
        double penalty = hypothesisLength >= referenceLength ? 1
            : hypothesisLength > 0 ? Math.Exp(1 - ((double)referenceLength / hypothesisLength)) : 0;
        var precisions = new double[Order];
        double score = 0;
        if (matches.Any(m => m > 0))
        {
            int order = Order;
            double smoothing = 1;
            for (int n = 0; n < Order && totals[n] > 0; n++)
            {
                if (options.EffectiveOrder)
                    order = n + 1;
                if (matches[n] > 0)
                    precisions[n] = 100.0 * matches[n] / totals[n];
                else if (options.Smoothing == BleuSmoothing.Exponential)
                    precisions[n] = 100.0 / ((smoothing *= 2) * totals[n]);
            }

            score = penalty * Math.Exp(precisions.Take(order).Sum(p => p > 0 ? Math.Log(p) : LogOfZero) / order);
        }

        return new BleuScore(score, precisions, penalty, hypothesisLength, referenceLength, Signature(references, options)) { Matches = matches, Totals = totals };
    }

    private static string Signature(int references, BleuOptions options)
    {
        string tokenization = options.Tokenization == BleuTokenization.Mteval13a ? "13a" : "none";
        string smoothing = options.Smoothing == BleuSmoothing.Exponential ? "exp" : "none";
        return $"nrefs:{references}|case:{(options.Lowercase ? "lc" : "mixed")}|eff:{(options.EffectiveOrder ? "yes" : "no")}|tok:{tokenization}|smooth:{smoothing}"
            + $"|version:cudaseq-{typeof(Bleu).Assembly.GetName().Version?.ToString(3)}";
    }

    private static string[] Words(string line, BleuOptions options)
    {
        if (options.Lowercase)
            line = line.ToLowerInvariant();
        return options.Tokenization == BleuTokenization.Mteval13a ? Mteval13a.Words(line) : Mteval13a.Split(line);
    }

    /// <summary>
    /// The n-grams of one line. An n-gram's number is that of its first n - 1 words followed by its last word, looked up in a dictionary: exact, no hashes compared.
    /// </summary>
    private sealed class NGrams
    {
        private readonly Dictionary<string, int> _words = new(StringComparer.Ordinal);
        private readonly Dictionary<(int Prefix, int Word), int> _numbers = [];
        private readonly Dictionary<int, int> _most = [];

        /// <summary>Notes how often a reference has each n-gram.</summary>
        public void AddReference(string[] words)
        {
            var counts = new Dictionary<int, int>();
            Walk(words, (gram, _) =>
            {
                int count = counts[gram] = counts.GetValueOrDefault(gram) + 1;
                if (count > _most.GetValueOrDefault(gram))
                    _most[gram] = count;
            });
        }

        /// <summary>Adds the hypothesis's n-grams to <paramref name="totals"/> and those that the references allow to <paramref name="matches"/>.</summary>
        public void Match(string[] words, long[] matches, long[] totals)
        {
            var counts = new Dictionary<int, int>();
            Walk(words, (gram, n) =>
            {
                totals[n - 1]++;
                int count = counts[gram] = counts.GetValueOrDefault(gram) + 1;
                if (count <= _most.GetValueOrDefault(gram))
                    matches[n - 1]++;
            });
        }

        private static int NumberOf<T>(Dictionary<T, int> numbers, T key)
            where T : notnull
        {
            if (!numbers.TryGetValue(key, out int number))
                numbers.Add(key, number = numbers.Count);
            return number;
        }

        private void Walk(string[] words, Action<int, int> visit)
        {
            int[] numbers = Array.ConvertAll(words, word => NumberOf(_words, word));
            for (int start = 0; start < numbers.Length; start++)
            {
                int gram = -1;
                for (int n = 1; n <= Order && start + n <= numbers.Length; n++)
                {
                    gram = NumberOf(_numbers, (gram, numbers[start + n - 1]));
                    visit(gram, n);
                }
            }
        }
    }
}
