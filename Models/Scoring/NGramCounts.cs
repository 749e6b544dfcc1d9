using System.Runtime.InteropServices;

namespace CudaSeq.Models;

/// <summary>
/// Counts the n-grams of one line and its references. An n-gram's number is that of its first n - 1 symbols followed by its last, looked up in a dictionary:
/// exact, no hashes compared.
/// </summary>
internal sealed class NGramCounts
{
    private readonly Dictionary<string, int> _words = new(StringComparer.Ordinal);
    private readonly Dictionary<(int Prefix, int Last), int> _numbers = [];

    /// <summary>Words as symbols: equal words have equal numbers.</summary>
    public int[] Symbols(string[] words) => Array.ConvertAll(words, word => NumberOf(_words, word));

    /// <summary>[order]: how often each n-gram of 1 to <paramref name="order"/> symbols occurs, by its number.</summary>
    public Dictionary<int, int>[] Count(int[] symbols, int order)
    {
        var counts = new Dictionary<int, int>[order];
        for (int n = 0; n < order; n++)
            counts[n] = [];
        for (int start = 0; start < symbols.Length; start++)
        {
            int gram = -1;
            for (int n = 0; n < order && start + n < symbols.Length; n++)
            {
                gram = NumberOf(_numbers, (gram, symbols[start + n]));
                CollectionsMarshal.GetValueRefOrAddDefault(counts[n], gram, out _)++;
            }
        }

        return counts;
    }

    /// <summary>How many n-grams a hypothesis shares with a reference, each counted as often as in the one that has it less often.</summary>
    public static long Matches(Dictionary<int, int> hypothesis, Dictionary<int, int> reference)
        => hypothesis.Sum(gram => (long)Math.Min(gram.Value, reference.GetValueOrDefault(gram.Key)));

    /// <summary>How many n-grams of length <paramref name="n"/> there are in so many symbols.</summary>
    public static long Total(int symbols, int n) => Math.Max(0, symbols - n + 1);

    private static int NumberOf<T>(Dictionary<T, int> numbers, T key)
        where T : notnull
    {
        if (!numbers.TryGetValue(key, out int number))
            numbers.Add(key, number = numbers.Count);
        return number;
    }
}
