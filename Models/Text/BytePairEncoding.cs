using System.Collections.Concurrent;
using System.Text;

namespace CudaSeq.Models;

/// <summary>
/// Byte pair encoding learned on raw text (Sennrich, Haddow and Birch, "Neural machine translation of rare words with subword units", ACL 2016), with spaces marked
/// inside the pieces (Kudo and Richardson, "SentencePiece", EMNLP 2018), so that pieces join to text by themselves: "Hello  you." is
/// <c>▁Hello ▁ ▁you .</c>
/// </summary>
/// <remarks>
/// <para>Reversible for any string: a space is written U+2581 and a U+2581 of the text as a space; one mark is put before the line and taken away again; characters
/// that were never seen are pieces of their own.</para>
/// <para>A piece never reaches over a space nor from letters to digits or punctuation, and has at most <see cref="LongestPiece"/> UTF-16 units.</para>
/// <para>A stretch of text is cut by merging, again and again, the two neighbours whose concatenation is the oldest piece, the leftmost first.
/// Cost: n log n in the length of a stretch; stretches seen before come from a cache.</para>
/// </remarks>
public sealed class BytePairEncoding : ITokenizer
{
    /// <summary>The most UTF-16 units of a piece.</summary>
    public const int LongestPiece = 64;

    private const int CachedSegments = 1 << 17;

    private readonly string[] _pieces;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _ids;
    private readonly ConcurrentDictionary<string, string[]> _cache = new(StringComparer.Ordinal);
    private readonly int _longest;
    private int _cached;

    /// <summary>Takes pieces that <see cref="BytePairLearner"/> learned or a file held.</summary>
    internal BytePairEncoding(string[] pieces)
    {
        _pieces = pieces;
        var ids = new Dictionary<string, int>(pieces.Length, StringComparer.Ordinal);
        foreach (string piece in pieces)
        {
            ids.Add(piece, ids.Count);
            _longest = Math.Max(_longest, piece.Length);
        }

        _ids = ids.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <inheritdoc/>
    public string Name => "bpe";

    /// <summary>All pieces from the oldest to the youngest: first single characters, then one piece for each merge.</summary>
    public IReadOnlyList<string> Pieces => _pieces;

    /// <summary>
    /// Learns pieces: characters first, from the most to the least frequent (equally frequent ones by scalar value); then, again and again, the most frequent
    /// pair of neighbours becomes a piece. Of equally frequent pairs the one with the older left piece, then with the older right piece, is taken, so the same
    /// lines in any order give the same pieces. Learning ends at the size wanted, or when no pair occurs twice.
    /// </summary>
    /// <param name="lines">The training text; for pieces shared by both sides, the lines of both.</param>
    /// <param name="size">
    /// How many pieces to learn, characters included; where the text has more characters than that, the rarest stay unknown. A vocabulary of them is
    /// <see cref="Vocabulary.SpecialCount"/> larger.
    /// </param>
    /// <param name="cancellation">Stops the learning.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="size"/> is less than 1.</exception>
    public static BytePairEncoding Learn(IEnumerable<string> lines, int size, CancellationToken cancellation = default)
        => size < 1
            ? throw new ArgumentOutOfRangeException(null, $"BytePairEncoding: size must be at least 1 piece, got {size}.")
            : Learn(Stretches(lines, cancellation), size, cancellation);

    /// <summary>Learns pieces from stretches of text, those of <see cref="Stretches"/>.</summary>
    internal static BytePairEncoding Learn(Dictionary<string, long> stretches, int size, CancellationToken cancellation)
        => new(new BytePairLearner(stretches, size).Learn(cancellation));

    /// <summary>The stretches of lines inside which pieces lie, and how often each occurs: all that is learned from. Memory: one entry a distinct stretch.</summary>
    internal static Dictionary<string, long> Stretches(IEnumerable<string> lines, CancellationToken cancellation)
    {
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        var lookup = counts.GetAlternateLookup<ReadOnlySpan<char>>();
        foreach (string line in lines)
        {
            cancellation.ThrowIfCancellationRequested();
            var segments = new WordSegments(Mark(line));
            while (segments.Next(out var segment))
                lookup[segment] = lookup.TryGetValue(segment, out long count) ? count + 1 : 1;
        }

        return counts;
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <param name="path">A tokeniser file.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is damaged, or of another tokeniser; the message says where.</exception>
    public static BytePairEncoding Load(string path) => TokenizerFile.Load(path) is BytePairEncoding encoding
        ? encoding
        : throw new InvalidDataException($"{path}: must be a bpe tokeniser.");

    /// <summary>Writes the pieces as one JSON file, see <see cref="TokenizerFile"/>.</summary>
    /// <param name="path">The file to make or replace.</param>
    public void Save(string path) => TokenizerFile.Save(path, this);

    /// <inheritdoc/>
    public string[] Encode(string line)
    {
        var pieces = new List<string>(line.Length / 2);
        var cache = _cache.GetAlternateLookup<ReadOnlySpan<char>>();
        var segments = new WordSegments(Mark(line));
        while (segments.Next(out var segment))
        {
            if (segment.Length > LongestPiece)
            {
                pieces.AddRange(Cut(segment));
                continue;
            }

            if (!cache.TryGetValue(segment, out string[]? cut))
            {
                cut = Cut(segment);
                if (Interlocked.Increment(ref _cached) <= CachedSegments)
                    cache[segment] = cut;
                else
                    Interlocked.Decrement(ref _cached);
            }

            pieces.AddRange(cut);
        }

        return [.. pieces];
    }

    /// <inheritdoc/>
    public string Decode(params ReadOnlySpan<string> pieces)
    {
        string text = string.Concat(pieces);
        return SpaceMark.Exchange(text is [SpaceMark.Mark, ..] ? text[1..] : text);
    }

    private static string Mark(string line) => line.Length == 0 ? line : SpaceMark.Mark + SpaceMark.Exchange(line);

    /// <summary>Cuts one stretch of a marked line. Symbols are a linked list over the stretch's characters; the queue holds merges, the stale ones among them skipped.</summary>
    internal string[] Cut(ReadOnlySpan<char> text)
    {
        int[] starts = new int[text.Length + 1];
        int n = 0;
        for (int i = 0, length; i < text.Length; i += length)
        {
            _ = Rune.DecodeFromUtf16(text[i..], out _, out length);
            starts[n++] = i;
        }

        starts[n] = text.Length;
        int[] next = new int[n], previous = new int[n];
        for (int i = 0; i < n; i++)
            (previous[i], next[i]) = (i - 1, i + 1);
        var queue = new PriorityQueue<(int Left, int Right, int End), (int Piece, int Left)>();
        for (int i = 0; i + 1 < n; i++)
            Offer(text, i);
        while (queue.TryDequeue(out var merge, out _))
        {
            bool stale = next[merge.Left] != merge.Right || next[merge.Right] != merge.End;
            if (stale)
                continue;
            next[merge.Left] = merge.End;
            next[merge.Right] = -1;
            if (merge.End < n)
                previous[merge.End] = merge.Left;
            if (previous[merge.Left] >= 0)
                Offer(text, previous[merge.Left]);
            Offer(text, merge.Left);
        }

        var pieces = new List<string>();
        for (int i = 0; i < n; i = next[i])
        {
            var piece = text[starts[i]..starts[next[i]]];
            pieces.Add(_ids.TryGetValue(piece, out int id) ? _pieces[id] : piece.ToString());
        }

        return [.. pieces];

        void Offer(ReadOnlySpan<char> text, int left)
        {
            int right = next[left];
            if (right >= n)
                return;
            int end = next[right], length = starts[end] - starts[left];
            if (length <= _longest && _ids.TryGetValue(text.Slice(starts[left], length), out int piece))
                queue.Enqueue((left, right, end), (piece, left));
        }
    }
}
