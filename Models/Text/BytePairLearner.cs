using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;

namespace CudaSeq.Models;

/// <summary>
/// Learns the pieces of <see cref="BytePairEncoding"/>. All stretches lie in one array of symbols linked to their neighbours; each pair knows its count and its
/// places, so that a merge costs as much as the pair has places, and the most frequent pair comes from a heap whose stale entries are corrected when they surface.
/// </summary>
internal sealed class BytePairLearner
{
    private const int Unknown = -1;
    private const int Merged = -2;
    private const int None = -1;
    private const long RarestMerge = 2;

    private readonly int _size;
    private readonly List<string> _pieces = [];
    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);
    private readonly Dictionary<(int Left, int Right), Pair> _pairs = [];
    private readonly PriorityQueue<(int Left, int Right), Rank> _queue = new();
    private readonly HashSet<(int Left, int Right)> _grown = [];
    private readonly int[] _symbols;
    private readonly int[] _next;
    private readonly int[] _previous;
    private readonly long[] _counts;

    /// <param name="segments">Stretches and how often each occurs.</param>
    /// <param name="size">The most pieces to learn.</param>
    public BytePairLearner(IReadOnlyDictionary<string, long> segments, int size)
    {
        _size = size;
        AddCharacters(segments);
        int n = segments.Keys.Sum(Runes);
        _symbols = new int[n];
        _next = new int[n];
        _previous = new int[n];
        _counts = new long[n];
        int at = 0;
        foreach (var (segment, count) in segments.OrderBy(s => s.Key, StringComparer.Ordinal))
        {
            int start = at;
            for (int i = 0, length; i < segment.Length; i += length, at++)
            {
                _ = Rune.DecodeFromUtf16(segment.AsSpan(i), out _, out length);
                _symbols[at] = _ids.GetValueOrDefault(segment.Substring(i, length), Unknown);
                _previous[at] = at > start ? at - 1 : None;
                _next[at] = at + 1;
                _counts[at] = count;
            }

            _next[at - 1] = None;
        }
    }

    /// <summary>The pieces, from the oldest to the youngest.</summary>
    public string[] Learn(CancellationToken cancellation)
    {
        for (int i = 0; i < _symbols.Length; i++)
            Count(i, _counts[i]);
        QueueGrown();
        while (_pieces.Count < _size && _queue.TryDequeue(out var key, out var rank))
        {
            cancellation.ThrowIfCancellationRequested();
            if (!_pairs.TryGetValue(key, out var pair) || pair.Count != rank.Count)
            {
                if (pair is not null && pair.Count < rank.Count)
                    _queue.Enqueue(key, rank with { Count = pair.Count });
                continue;
            }

            if (pair.Count < RarestMerge)
                break;
            Merge(key, pair);
            QueueGrown();
        }

        return [.. _pieces];
    }

    private static int Runes(string segment)
    {
        int n = 0;
        for (int i = 0, length; i < segment.Length; i += length, n++)
            _ = Rune.DecodeFromUtf16(segment.AsSpan(i), out _, out length);
        return n;
    }

    private void AddCharacters(IReadOnlyDictionary<string, long> segments)
    {
        var characters = new Dictionary<Rune, long>();
        foreach (var (segment, count) in segments)
        {
            for (int i = 0, length; i < segment.Length; i += length)
            {
                if (Rune.DecodeFromUtf16(segment.AsSpan(i), out var rune, out length) == OperationStatus.Done)
                    CollectionsMarshal.GetValueRefOrAddDefault(characters, rune, out _) += count;
            }
        }

        foreach (var (rune, _) in characters.OrderByDescending(c => c.Value).ThenBy(c => c.Key).Take(_size))
            IdOf(rune.ToString());
    }

    private int IdOf(string piece)
    {
        if (_ids.TryAdd(piece, _pieces.Count))
            _pieces.Add(piece);
        return _ids[piece];
    }

    /// <summary>Adds to the count of the pair that begins at a place; a positive count also notes the place.</summary>
    private void Count(int place, long count)
    {
        int right = _next[place];
        if (right == None || _symbols[place] < 0 || _symbols[right] < 0)
            return;
        var key = (_symbols[place], _symbols[right]);
        ref var pair = ref CollectionsMarshal.GetValueRefOrAddDefault(_pairs, key, out bool known);
        if (!known && _pieces[key.Item1].Length + _pieces[key.Item2].Length > BytePairEncoding.LongestPiece)
        {
            _pairs.Remove(key);
            return;
        }

        pair ??= new Pair();
        pair.Count += count;
        if (count > 0)
        {
            pair.Places.Add(place);
            _grown.Add(key);
        }
    }

    private void QueueGrown()
    {
        foreach (var key in _grown)
        {
            if (_pairs.TryGetValue(key, out var pair) && pair.Count >= RarestMerge)
                _queue.Enqueue(key, new Rank(pair.Count, key.Left, key.Right));
        }

        _grown.Clear();
    }

    private void Merge((int Left, int Right) key, Pair pair)
    {
        int piece = IdOf(_pieces[key.Left] + _pieces[key.Right]);
        pair.Places.Sort();
        foreach (int place in pair.Places)
        {
            int right = _next[place];
            if (_symbols[place] != key.Left || right == None || _symbols[right] != key.Right)
                continue;
            int before = _previous[place], after = _next[right];
            long count = _counts[place];
            if (before != None)
                Count(before, -count);
            Count(right, -count);
            _symbols[place] = piece;
            _symbols[right] = Merged;
            _next[place] = after;
            if (after != None)
                _previous[after] = place;
            if (before != None)
                Count(before, count);
            Count(place, count);
        }

        _pairs.Remove(key);
    }

    private sealed class Pair
    {
        public long Count { get; set; }

        public List<int> Places { get; } = [];
    }

    /// <summary>Frequent before rare, then old before young.</summary>
    private readonly record struct Rank(long Count, int Left, int Right) : IComparable<Rank>
    {
        public int CompareTo(Rank other)
        {
            int order = other.Count.CompareTo(Count);
            if (order == 0)
                order = Left.CompareTo(other.Left);
            return order != 0 ? order : Right.CompareTo(other.Right);
        }
    }
}
