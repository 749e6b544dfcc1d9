using System.Runtime.InteropServices;
using System.Text;

namespace CudaSeq.Models;

/// <summary>
/// Learns merges as subword-nmt 0.3.9 does, whose results depend on how it counts: counts are corrected around each merge, and in between, pairs rarer than a
/// threshold are put aside with the count they had and are looked at again when none above the threshold is left. A symbol that arises in two ways ("ab c" and "a bc")
/// makes a corrected count differ from a true one, and a pair put aside twice keeps only what it gained in between; both are kept here.
/// </summary>
/// <remarks>
/// The pair with the highest count comes from a heap whose stale entries are corrected when they surface, so a merge costs as much as the words it changes.
/// Memory: for each pair the words it is in.
/// </remarks>
internal sealed class SubwordNmtLearner
{
    private const string EndOfWord = SubwordNmt.EndOfWord;
    private const int PruneEvery = 100;

    private readonly List<string> _symbols = [];
    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);
    private readonly Dictionary<(int Left, int Right), Pair> _pairs = [];
    private readonly HashSet<Pair> _grown = [];
    private readonly List<Word> _words = [];
    private PriorityQueue<Pair, Rank> _queue = new();

    public SubwordNmtLearner(WordCounts words)
    {
        foreach (var (text, count) in words.Entries)
        {
            var word = new Word(count, text.Any(SubwordNmtText.IsWhiteSpace), Symbols(text));
            for (int i = 0; i + 1 < word.Symbols.Length; i++)
                Change(word.Symbols[i], word.Symbols[i + 1], _words.Count, count, places: 1);
            _words.Add(word);
        }
    }

    /// <summary>At most <paramref name="merges"/> pairs of symbols, the first learned first; fewer when no pair left has a count of <paramref name="minFrequency"/>.</summary>
    public List<(string Left, string Right)> Learn(int merges, long minFrequency, CancellationToken cancellation)
    {
        var learned = new List<(string Left, string Right)>();
        foreach (var pair in _pairs.Values)
            pair.Full = pair.Count;
        Requeue();
        double threshold = Best()?.Count / 10.0 ?? 0;
        for (int i = 0; i < merges; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            var best = Best();
            if (best is null || (i > 0 && best.Count < threshold))
            {
                Prune(threshold);
                Restore();
                best = Best();
                threshold = (best?.Count ?? 0) * (long)i / (i + 10000.0);
                Prune(threshold);
            }

            if (best is null || best.Count < minFrequency)
                break;
            learned.Add((_symbols[best.Left], _symbols[best.Right]));
            Merge(best);
            if (i % PruneEvery == 0)
                Prune(threshold);
        }

        return learned;
    }

    private static int CompareCodePoints(string a, string b)
    {
        int same = a.AsSpan().CommonPrefixLength(b);
        return same == a.Length || same == b.Length ? a.Length.CompareTo(b.Length) : Place(a[same]).CompareTo(Place(b[same]));

        // Surrogates stand for the code points above U+FFFF.
        static int Place(char c) => char.IsSurrogate(c) ? c + 0x10000 : c;
    }

    private int IdOf(string symbol)
    {
        ref int id = ref CollectionsMarshal.GetValueRefOrAddDefault(_ids, symbol, out bool known);
        if (!known)
        {
            id = _symbols.Count;
            _symbols.Add(symbol);
        }

        return id;
    }

    private int[] Symbols(string word)
    {
        var ids = new List<int>(word.Length);
        for (int i = 0, length; i < word.Length; i += length)
        {
            _ = Rune.DecodeFromUtf16(word.AsSpan(i), out _, out length);
            ids.Add(IdOf(i + length < word.Length ? word.Substring(i, length) : word[i..] + EndOfWord));
        }

        return [.. ids];
    }

    private void Change(int left, int right, int word, long count, int places)
    {
        ref var pair = ref CollectionsMarshal.GetValueRefOrAddDefault(_pairs, (left, right), out _);
        pair ??= new Pair(left, right);
        pair.IsCounted = true;
        pair.Count += count;
        CollectionsMarshal.GetValueRefOrAddDefault(pair.Words, word, out _) += places;
        if (count > 0)
            _grown.Add(pair);
    }

    /// <summary>The counted pair with the highest count, of equals the greatest in code points; null when no count is positive.</summary>
    private Pair? Best()
    {
        foreach (var pair in _grown)
            Offer(pair);
        _grown.Clear();
        while (_queue.TryPeek(out var pair, out var rank))
        {
            if (pair.IsCounted && pair.Count == rank.Count)
                return pair;
            _queue.Dequeue();
            if (pair.Count < rank.Count)
                Offer(pair);
        }

        return null;
    }

    private void Offer(Pair pair)
    {
        if (pair.IsCounted && pair.Count > 0)
            _queue.Enqueue(pair, RankOf(pair));
    }

    private Rank RankOf(Pair pair) => new(pair.Count, _symbols[pair.Left], _symbols[pair.Right]);

    private void Requeue()
    {
        _grown.Clear();
        _queue = new PriorityQueue<Pair, Rank>(_pairs.Values.Where(p => p is { IsCounted: true, Count: > 0 }).Select(p => (p, RankOf(p))));
    }

    private void Prune(double threshold)
    {
        foreach (var pair in _pairs.Values)
        {
            if (!pair.IsCounted || pair.Count >= threshold)
                continue;
            pair.Full = pair.Count < 0 ? (pair.Full ?? 0) + pair.Count : pair.Count;
            pair.IsCounted = false;
            pair.Count = 0;
        }
    }

    private void Restore()
    {
        foreach (var pair in _pairs.Values)
        {
            pair.IsCounted = pair.Full is not null;
            pair.Count = pair.Full ?? 0;
        }

        Requeue();
    }

    private void Merge(Pair pair)
    {
        int merged = IdOf(_symbols[pair.Left] + _symbols[pair.Right]);
        var words = pair.Words;
        pair.Words = [];
        var changes = new List<(int Word, int[] Before)>();
        foreach (var (index, places) in words)
        {
            if (places < 1)
                continue;
            var word = _words[index];
            changes.Add((index, word.Symbols));
            word.Symbols = word.HasWhiteSpace ? ReplaceInText(word.Symbols, pair) : Replace(word.Symbols, pair, merged);
        }

        foreach (var (index, before) in changes)
        {
            Forget(pair, index, before);
            Note(merged, index);
        }

        pair.Count = 0;
        pair.IsCounted = true;
    }

    private static int[] Replace(int[] symbols, Pair pair, int merged)
    {
        int n = 0;
        int[] result = new int[symbols.Length];
        for (int i = 0; i < symbols.Length; i++)
        {
            bool found = symbols[i] == pair.Left && i + 1 < symbols.Length && symbols[i + 1] == pair.Right;
            result[n++] = found ? merged : symbols[i];
            i += found ? 1 : 0;
        }

        return result[..n];
    }

    // subword-nmt joins the symbols with blanks and replaces between white space; white space inside a symbol is then a place to begin or end as good as any.
    private int[] ReplaceInText(int[] symbols, Pair pair)
    {
        string text = string.Join(' ', symbols.Select(s => _symbols[s])), pattern = $"{_symbols[pair.Left]} {_symbols[pair.Right]}";
        var result = new StringBuilder(text.Length);
        int copied = 0;
        for (int at = 0; (at = text.IndexOf(pattern, at, StringComparison.Ordinal)) >= 0;)
        {
            int end = at + pattern.Length;
            bool alone = (at == 0 || SubwordNmtText.IsWhiteSpace(text[at - 1])) && (end == text.Length || SubwordNmtText.IsWhiteSpace(text[end]));
            if (!alone)
            {
                at++;
                continue;
            }

            result.Append(text, copied, at - copied).Append(_symbols[pair.Left]).Append(_symbols[pair.Right]);
            copied = at = end;
        }

        return [.. result.Append(text, copied, text.Length - copied).ToString().Split(' ').Select(IdOf)];
    }

    /// <summary>Takes away what stood beside the pair before the merge: of A B C D with B C merged, A B and C D.</summary>
    private void Forget(Pair pair, int index, int[] word)
    {
        long count = _words[index].Count;
        for (int i = 0; (i = Array.IndexOf(word, pair.Left, i)) >= 0;)
        {
            if (i + 1 >= word.Length || word[i + 1] != pair.Right)
            {
                i++;
                continue;
            }

            if (i > 0)
                Change(word[i - 1], word[i], index, -count, places: -1);
            if (i + 2 < word.Length && (word[i + 2] != pair.Left || i + 3 >= word.Length || word[i + 3] != pair.Right))
                Change(word[i + 1], word[i + 2], index, -count, places: -1);
            i += 2;
        }
    }

    /// <summary>Adds what stands beside the merged symbol; a symbol of that spelling that was there before is counted once more.</summary>
    private void Note(int merged, int index)
    {
        var (count, word) = (_words[index].Count, _words[index].Symbols);
        for (int i = 0; (i = Array.IndexOf(word, merged, i)) >= 0; i++)
        {
            if (i > 0)
                Change(word[i - 1], word[i], index, count, places: 1);
            if (i + 1 < word.Length && word[i + 1] != merged)
                Change(word[i], word[i + 1], index, count, places: 1);
        }
    }

    private sealed class Word(long count, bool hasWhiteSpace, int[] symbols)
    {
        public long Count { get; } = count;

        public bool HasWhiteSpace { get; } = hasWhiteSpace;

        public int[] Symbols { get; set; } = symbols;
    }

    private sealed class Pair(int left, int right)
    {
        public int Left { get; } = left;

        public int Right { get; } = right;

        /// <summary>Whether it is among the pairs that are looked at.</summary>
        public bool IsCounted { get; set; }

        /// <summary>Its count among those; 0 when it is put aside.</summary>
        public long Count { get; set; }

        /// <summary>The count it was put aside with; null while it never was.</summary>
        public long? Full { get; set; }

        /// <summary>Words, by index, and in how many places of each it is.</summary>
        public Dictionary<int, int> Words { get; set; } = [];
    }

    /// <summary>Frequent before rare, then great code points before small ones, as Python's <c>max</c> over (count, (left, right)).</summary>
    private readonly record struct Rank(long Count, string Left, string Right) : IComparable<Rank>
    {
        public int CompareTo(Rank other)
        {
            int order = other.Count.CompareTo(Count);
            if (order == 0)
                order = CompareCodePoints(other.Left, Left);
            return order != 0 ? order : CompareCodePoints(other.Right, Right);
        }
    }
}
