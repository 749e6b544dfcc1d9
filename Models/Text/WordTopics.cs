using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>
/// In how many texts words occur together: all that a topic model needs to know of them. Where texts must stay where they are, each owner counts its own and gives away the counts alone;
/// <see cref="Sum"/> of them is what one count of all texts would be. Counts are no promise of privacy: a pair of rare words that is counted once has been in a text.
/// </summary>
public sealed class WordStatistics
{
    // V^2 of them must have an int for their number.
    private const int MostWords = 46_340;

    private readonly long[] _together;

    /// <summary>Counts nothing yet.</summary>
    /// <param name="vocabulary">V, tokens, at most 46,340; the table has V^2 entries.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no token beside the special ones, or there are too many.</exception>
    public WordStatistics(int vocabulary)
    {
        if (vocabulary <= CudaSeq.Models.Vocabulary.SpecialCount)
            throw new ArgumentOutOfRangeException(null, $"WordStatistics: the vocabulary must have more than the {CudaSeq.Models.Vocabulary.SpecialCount} special tokens, got {vocabulary}.");
        if (vocabulary > MostWords)
            throw new ArgumentOutOfRangeException(null, $"WordStatistics: the vocabulary must have at most {MostWords} tokens, whose pairs are counted in one table, got {vocabulary}.");
        Vocabulary = vocabulary;
        _together = new long[vocabulary * vocabulary];
    }

    /// <summary>V, tokens.</summary>
    public int Vocabulary { get; }

    /// <summary>Texts that have both words, or, of a word and itself, that have the word. Special tokens are not counted.</summary>
    public long this[int first, int second] => _together[(first * Vocabulary) + second];

    /// <summary>Counts an owner's texts.</summary>
    /// <param name="vocabulary">V, tokens.</param>
    /// <param name="texts">Tokens of each.</param>
    public static WordStatistics Of(int vocabulary, IEnumerable<IEnumerable<int>> texts)
    {
        var statistics = new WordStatistics(vocabulary);
        foreach (var text in texts)
            statistics.Add(text);
        return statistics;
    }

    /// <summary>The counts of several owners' texts.</summary>
    /// <param name="parts">One or more, of one vocabulary.</param>
    /// <exception cref="ArgumentException">The vocabularies differ.</exception>
    public static WordStatistics Sum(IReadOnlyList<WordStatistics> parts)
    {
        var sum = new WordStatistics(parts[0].Vocabulary);
        foreach (var part in parts)
        {
            if (part.Vocabulary != sum.Vocabulary)
                throw new ArgumentException($"WordStatistics: vocabularies must be the same, got {sum.Vocabulary} and {part.Vocabulary}.");
            for (int i = 0; i < sum._together.Length; i++)
                sum._together[i] += part._together[i];
        }

        return sum;
    }

    /// <summary>Counts a text.</summary>
    /// <param name="tokens">Tokens in 0 .. V - 1.</param>
    public void Add(IEnumerable<int> tokens)
    {
        int[] words = [.. tokens.Where(t => t >= CudaSeq.Models.Vocabulary.SpecialCount).Distinct()];
        foreach (int first in words)
        {
            foreach (int second in words)
                _together[(first * Vocabulary) + second]++;
        }
    }
}

/// <summary>
/// A fixed word-topic matrix Phi, p(topic | word), for <see cref="TopicMemory2021"/>: the symmetric non-negative factorisation S ~ F F^T of S[i, j] = n[i, j] / sqrt(n[i, i] n[j, j]), n the
/// counts of <see cref="WordStatistics"/>, with each row of F divided by its sum. Computed in float64, the same for the same seed on every machine.
/// Multiplicative updates F = F (1/2 + 1/2 (S F) / (F F^T F)) of Ding, He and Simon, "On the equivalence of nonnegative matrix factorization and spectral clustering", SDM 2005.
/// </summary>
public sealed class WordTopics
{
    private readonly double[] _phi;

    private WordTopics(double[] phi, int vocabulary, int topics, IReadOnlyList<double> errors)
        => (_phi, Vocabulary, Topics, Errors) = (phi, vocabulary, topics, errors);

    /// <summary>V, tokens.</summary>
    public int Vocabulary { get; }

    /// <summary>Kt, topics.</summary>
    public int Topics { get; }

    /// <summary>|S - F F^T|^2 before each update; it never grows but by rounding.</summary>
    public IReadOnlyList<double> Errors { get; }

    /// <summary>p(topic | word); 0 for special tokens and for words that were in no text.</summary>
    public double this[int word, int topic] => _phi[(word * Topics) + topic];

    /// <summary>Finds topics.</summary>
    /// <param name="statistics">The counts.</param>
    /// <param name="topics">Kt, at least 1.</param>
    /// <param name="updates">Of the matrix.</param>
    /// <param name="seed">Of its first values.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are no topics.</exception>
    public static WordTopics Factorize(WordStatistics statistics, int topics, int updates = 100, ulong seed = 1)
    {
        if (topics < 1)
            throw new ArgumentOutOfRangeException(null, $"WordTopics: topics must be at least 1, got {topics}.");
        int words = statistics.Vocabulary;
        var similarities = new double[words * words];
        for (int i = 0; i < words; i++)
        {
            for (int j = 0; j < words; j++)
            {
                if (statistics[i, j] > 0)
                    similarities[(i * words) + j] = statistics[i, j] / Math.Sqrt((double)statistics[i, i] * statistics[j, j]);
            }
        }

        var first = new float[words * topics];
        new RandomSource(seed).Uniform(first, 0.1f, 1);
        double[] factor = Array.ConvertAll(first, v => (double)v);
        var errors = new double[updates];
        double squares = similarities.Sum(s => s * s);
        for (int update = 0; update < updates; update++)
        {
            var product = Product(similarities, factor, words, topics);
            var gram = Gram(factor, words, topics);
            errors[update] = squares - (2 * product.Zip(factor, (a, b) => a * b).Sum()) + gram.Sum(g => g * g);
            var next = new double[factor.Length];
            for (int i = 0; i < factor.Length; i++)
            {
                double denominator = 0;
                for (int l = 0; l < topics; l++)
                    denominator += factor[(i / topics * topics) + l] * gram[(l * topics) + (i % topics)];
                next[i] = denominator > 0 ? factor[i] * (0.5 + (0.5 * product[i] / denominator)) : 0;
            }

            factor = next;
        }

        for (int i = 0; i < words; i++)
        {
            var row = factor.AsSpan(i * topics, topics);
            double sum = 0;
            foreach (double value in row)
                sum += value;
            for (int k = 0; k < topics; k++)
                row[k] = statistics[i, i] > 0 && sum > 0 ? row[k] / sum : 0;
        }

        return new WordTopics(factor, words, topics, errors);
    }

    // S F, [V, Kt]; most of S is 0.
    private static double[] Product(double[] similarities, double[] factor, int words, int topics)
    {
        var product = new double[factor.Length];
        for (int i = 0; i < words; i++)
        {
            for (int j = 0; j < words; j++)
            {
                double s = similarities[(i * words) + j];
                for (int k = 0; k < topics && s != 0; k++)
                    product[(i * topics) + k] += s * factor[(j * topics) + k];
            }
        }

        return product;
    }

    // F^T F, [Kt, Kt].
    private static double[] Gram(double[] factor, int words, int topics)
    {
        var gram = new double[topics * topics];
        for (int i = 0; i < words; i++)
        {
            for (int k = 0; k < topics; k++)
            {
                for (int l = 0; l < topics; l++)
                    gram[(k * topics) + l] += factor[(i * topics) + k] * factor[(i * topics) + l];
            }
        }

        return gram;
    }
}
