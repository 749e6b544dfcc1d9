using System.Collections;
using System.Security.Cryptography;
using System.Text;

namespace CudaSeq.Models;

/// <summary>
/// The pieces a model knows, numbered: four special symbols first (as fairseq numbers them), then pieces from the most to the least frequent.
/// </summary>
public sealed class Vocabulary : IReadOnlyList<string>
{
    /// <summary>The id of <c>&lt;s&gt;</c>.</summary>
    public const int Bos = 0;

    /// <summary>The id of <c>&lt;pad&gt;</c>, which fills the short rows of a batch.</summary>
    public const int Pad = 1;

    /// <summary>The id of <c>&lt;/s&gt;</c>, which ends every sentence and, as in fairseq, is also what a decoder sees first.</summary>
    public const int Eos = 2;

    /// <summary>The id of <c>&lt;unk&gt;</c>, which stands for every piece that is not in the vocabulary.</summary>
    public const int Unk = 3;

    /// <summary>How many special symbols stand before the first piece.</summary>
    public const int SpecialCount = 4;

    private static readonly string[] Specials = ["<s>", "<pad>", "</s>", "<unk>"];

    private readonly string[] _pieces;
    private readonly Dictionary<string, int> _ids;

    private Vocabulary(string[] pieces)
    {
        _pieces = pieces;
        _ids = new Dictionary<string, int>(pieces.Length, StringComparer.Ordinal);
        for (int id = SpecialCount; id < pieces.Length; id++)
            _ids.Add(pieces[id], id);
        Hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Concat(FileLines().Select(line => line + "\n")))));
    }

    /// <summary>V: how many ids there are, the special symbols included.</summary>
    public int Count => _pieces.Length;

    /// <summary>The SHA-256 of the file that <see cref="Save"/> writes, in hexadecimal: equal hashes, equal ids.</summary>
    public string Hash { get; }

    /// <summary>The piece with this id.</summary>
    /// <param name="id">From 0 to <see cref="Count"/> - 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such id.</exception>
    public string this[int id] => (uint)id < (uint)_pieces.Length
        ? _pieces[id]
        : throw new ArgumentOutOfRangeException(null, $"Vocabulary: ids must be in 0 .. {Count - 1}, got {id}.");

    /// <summary>
    /// Numbers pieces by their counts: the most frequent first, equally frequent ones in ordinal order. Pieces spelled like a special symbol are left out.
    /// </summary>
    /// <param name="counts">Pieces and how often each occurs; a piece named twice has its counts added.</param>
    /// <param name="size">The largest number of ids, special symbols included; the rarest pieces beyond it are left out.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="size"/> leaves no room for the special symbols.</exception>
    /// <exception cref="ArgumentException">A piece is empty or holds half a surrogate pair.</exception>
    public static Vocabulary FromCounts(IEnumerable<KeyValuePair<string, long>> counts, int size = int.MaxValue)
    {
        if (size < SpecialCount)
            throw new ArgumentOutOfRangeException(null, $"Vocabulary: size must be at least {SpecialCount}, the special symbols, got {size}.");
        var total = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var (piece, count) in counts)
        {
            if (piece.Length == 0 || !TextFile.Utf16IsValid(piece))
                throw new ArgumentException("Vocabulary: pieces must not be empty or hold half a surrogate pair.");
            if (!Specials.Contains(piece))
                total[piece] = total.GetValueOrDefault(piece) + count;
        }

        var sorted = total.OrderByDescending(p => p.Value).ThenBy(p => p.Key, StringComparer.Ordinal).Select(p => p.Key);
        return new Vocabulary([.. Specials, .. sorted.Take(size - SpecialCount)]);
    }

    /// <summary>Numbers pieces in their order, from <see cref="SpecialCount"/> on.</summary>
    /// <param name="pieces">Distinct and not empty.</param>
    internal static Vocabulary Of(IEnumerable<string> pieces) => new([.. Specials, .. pieces]);

    /// <summary>
    /// Counts the pieces of a text and numbers them. Where the tokeniser's pieces are a closed set, all of them are numbered, also those the text does not use,
    /// and no others.
    /// </summary>
    /// <param name="tokenizer">What cuts the lines.</param>
    /// <param name="lines">The training text; for a vocabulary shared by both sides, the lines of both.</param>
    /// <param name="size">The largest number of ids, special symbols included.</param>
    /// <param name="cancellation">Stops the counting.</param>
    public static Vocabulary Build(ITokenizer tokenizer, IEnumerable<string> lines, int size = int.MaxValue, CancellationToken cancellation = default)
        => Build(tokenizer, lines.Select(line => (tokenizer.Encode(line), 1L)), size, cancellation);

    /// <summary>Numbers the pieces of stretches of text that occur as often as is said, as <see cref="Build(ITokenizer, IEnumerable{string}, int, CancellationToken)"/>.</summary>
    internal static Vocabulary Build(ITokenizer tokenizer, IEnumerable<(string[] Pieces, long Count)> text, int size, CancellationToken cancellation)
    {
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (string piece in tokenizer.Pieces)
            counts[piece] = 0;
        bool closed = counts.Count > 0;
        foreach (var (pieces, times) in text)
        {
            cancellation.ThrowIfCancellationRequested();
            foreach (string piece in pieces)
            {
                if (counts.TryGetValue(piece, out long count))
                    counts[piece] = count + times;
                else if (!closed && TextFile.Utf16IsValid(piece))
                    counts[piece] = times;
            }
        }

        return FromCounts(counts, size);
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <param name="path">A file with one piece a line, line n the piece with id n - 1.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is not a vocabulary; the message names the line.</exception>
    public static Vocabulary Load(string path)
    {
        var lines = new Dictionary<string, int>(StringComparer.Ordinal);
        var pieces = new List<string>();
        foreach (string text in TextFile.ReadLines(path))
        {
            int line = pieces.Count + 1;
            string piece = Unescape(text) ?? throw new InvalidDataException($"{path}: line {line} has a backslash that is not followed by \\, r or n.");
            if (line <= SpecialCount && piece != Specials[line - 1])
                throw new InvalidDataException($"{path}: line {line} of a vocabulary must be {Specials[line - 1]}, got '{text}'.");
            if (piece.Length == 0)
                throw new InvalidDataException($"{path}: line {line} is empty.");
            if (!lines.TryAdd(piece, line))
                throw new InvalidDataException($"{path}: line {line} repeats '{text}' of line {lines[piece]}.");
            pieces.Add(piece);
        }

        return pieces.Count >= SpecialCount
            ? new Vocabulary([.. pieces])
            : throw new InvalidDataException($"{path}: a vocabulary begins with the {SpecialCount} lines {string.Join(' ', Specials)}, got {pieces.Count} lines.");
    }

    /// <summary>
    /// Writes one piece a line, line n the piece with id n - 1, so from the most to the least frequent. Backslash, CR and LF inside a piece are written
    /// <c>\\</c>, <c>\r</c> and <c>\n</c>.
    /// </summary>
    /// <param name="path">The file to make or replace.</param>
    public void Save(string path) => TextFile.WriteLines(path, FileLines());

    /// <summary>
    /// The id of a piece, or <see cref="Unk"/> if it is not in the vocabulary. Text is never a special symbol: a word spelled <c>&lt;/s&gt;</c> is unknown.
    /// </summary>
    /// <param name="piece">Any string.</param>
    public int IndexOf(string piece) => _ids.GetValueOrDefault(piece, Unk);

    /// <inheritdoc/>
    public IEnumerator<string> GetEnumerator() => _pieces.AsEnumerable().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private IEnumerable<string> FileLines()
        => _pieces.Select(piece => piece.Replace("\\", "\\\\").Replace("\r", "\\r").Replace("\n", "\\n"));

    private static string? Unescape(string line)
    {
        var piece = new StringBuilder(line.Length);
        for (int i = 0; i < line.Length; i++)
        {
            char? c = line[i];
            if (c == '\\')
                c = (++i < line.Length ? line[i] : ' ') switch { '\\' => '\\', 'r' => '\r', 'n' => '\n', _ => null };
            if (c is null)
                return null;
            piece.Append(c);
        }

        return piece.ToString();
    }
}
