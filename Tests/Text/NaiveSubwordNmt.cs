using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>
/// The slow twin of <see cref="SubwordNmt"/>: strings and dictionaries, the best pair by looking at all, a word cut by trying the merges one after another.
/// For words without white space inside.
/// </summary>
internal static class NaiveSubwordNmt
{
    private const string End = "</w>";

    public static List<(string Left, string Right)> Learn(IEnumerable<string> lines, int merges, long minFrequency)
    {
        var words = lines.SelectMany(l => l.Split(' ')).Where(w => w.Length > 0).GroupBy(w => w).Select(g => (Symbols: Characters(g.Key, false), Count: g.LongCount())).ToArray();
        var counts = new Dictionary<(string, string), long>();
        var places = new Dictionary<((string, string) Pair, int Word), int>();
        for (int w = 0; w < words.Length; w++)
        {
            foreach (var pair in Pairs(words[w].Symbols))
                Add(pair, w, words[w].Count, 1);
        }

        var full = new Dictionary<(string, string), long>(counts);
        var learned = new List<(string, string)>();
        double threshold = counts.Count == 0 ? 0 : counts.Values.Max() / 10.0;
        for (int i = 0; i < merges; i++)
        {
            if (counts.Count == 0 || (i > 0 && counts.Values.Max() < threshold))
            {
                PutAside();
                counts = new Dictionary<(string, string), long>(full);
                if (counts.Count == 0)
                    break;
                threshold = counts.Values.Max() * i / (i + 10000.0);
                PutAside();
            }

            var best = counts.MaxBy(c => c, Comparer<KeyValuePair<(string, string), long>>.Create(Compare));
            if (best.Value < minFrequency)
                break;
            learned.Add(best.Key);
            Merge(best.Key);
            if (i % 100 == 0)
                PutAside();
        }

        return learned;

        void Add((string, string) pair, int word, long count, int change)
        {
            counts[pair] = counts.GetValueOrDefault(pair) + count;
            places[(pair, word)] = places.GetValueOrDefault((pair, word)) + change;
        }

        void PutAside()
        {
            foreach (var (pair, count) in counts.Where(c => c.Value < threshold).ToList())
            {
                full[pair] = count < 0 ? full.GetValueOrDefault(pair) + count : count;
                counts.Remove(pair);
            }
        }

        void Merge((string Left, string Right) pair)
        {
            int[] found = [.. Enumerable.Range(0, words.Length).Where(w => places.GetValueOrDefault((pair, w)) > 0)];
            for (int w = 0; w < words.Length; w++)
                places.Remove((pair, w));
            string merged = pair.Left + pair.Right;
            foreach (int w in found)
            {
                var (before, count) = words[w];
                var after = Replace(before, pair);
                words[w].Symbols = after;
                for (int i = 0; i + 1 < before.Count; i++)
                {
                    if ((before[i], before[i + 1]) != pair)
                        continue;
                    if (i > 0)
                        Add((before[i - 1], before[i]), w, -count, -1);
                    if (i + 2 < before.Count && !(i + 3 < before.Count && (before[i + 2], before[i + 3]) == pair))
                        Add((before[i + 1], before[i + 2]), w, -count, -1);
                    i++;
                }

                for (int i = 0; i < after.Count; i++)
                {
                    if (after[i] == merged && i > 0)
                        Add((after[i - 1], after[i]), w, count, 1);
                    if (after[i] == merged && i + 1 < after.Count && after[i + 1] != merged)
                        Add((after[i], after[i + 1]), w, count, 1);
                }
            }

            counts[pair] = 0;
        }
    }

    /// <summary>The tokens of a word, the end of the word a symbol of its own or not.</summary>
    public static string[] Segment(string word, IReadOnlyList<(string Left, string Right)> merges, bool endIsOwnSymbol = false)
    {
        var symbols = Characters(word, endIsOwnSymbol);
        while (true)
        {
            var pairs = Pairs(symbols).ToHashSet();
            int first = Enumerable.Range(0, merges.Count).FirstOrDefault(i => pairs.Contains(merges[i]), -1);
            if (first < 0)
                break;
            symbols = Replace(symbols, merges[first]);
        }

        string[] parts = [.. symbols.SkipLast(1), symbols[^1][..^End.Length]];
        parts = [.. parts.Where(p => p.Length > 0)];
        return [.. parts.SkipLast(1).Select(p => p + "@@"), parts[^1]];
    }

    private static List<string> Characters(string word, bool endIsOwnSymbol)
    {
        List<string> symbols = [.. word.EnumerateRunes().Select(r => r.ToString())];
        if (endIsOwnSymbol)
            symbols.Add(End);
        else
            symbols[^1] += End;
        return symbols;
    }

    private static IEnumerable<(string, string)> Pairs(List<string> symbols) => symbols.Zip(symbols.Skip(1));

    private static List<string> Replace(List<string> symbols, (string Left, string Right) pair)
    {
        var result = new List<string>();
        for (int i = 0; i < symbols.Count; i++)
        {
            bool found = i + 1 < symbols.Count && (symbols[i], symbols[i + 1]) == pair;
            result.Add(found ? symbols[i] + symbols[++i] : symbols[i]);
        }

        return result;
    }

    private static int Compare(KeyValuePair<(string Left, string Right), long> a, KeyValuePair<(string Left, string Right), long> b)
    {
        int order = a.Value.CompareTo(b.Value);
        if (order == 0)
            order = Runes(a.Key.Left, b.Key.Left);
        return order != 0 ? order : Runes(a.Key.Right, b.Key.Right);

        static int Runes(string a, string b)
        {
            int[] x = [.. a.EnumerateRunes().Select(r => r.Value)], y = [.. b.EnumerateRunes().Select(r => r.Value)];
            return x.AsSpan().SequenceCompareTo(y);
        }
    }
}
