using System.Collections.Concurrent;
using System.Globalization;
using System.Text;

namespace CudaSeq.Models;

/// <summary>
/// Byte pair encoding of words, for text that is tokenised already (Sennrich, Haddow and Birch, "Neural machine translation of rare words with subword units",
/// ACL 2016), byte for byte as the authors' tool subword-nmt 0.3.9 learns and applies it: a token that does not end its word ends in <c>@@</c>, so
/// "unbelievable" may be <c>un@@ believ@@ able</c>.
/// </summary>
/// <remarks>
/// <para>Words are separated by U+0020 alone. A word is its code points, the last with <see cref="EndOfWord"/>; again and again all places of the pair that was
/// learned first are merged. With a vocabulary, tokens that are not in it are taken apart again, merge by merge.</para>
/// <para>Reversible where the text has single blanks between its words, none at its ends, and no word with <c>@@</c> at its end.</para>
/// <para>Cost: n log n in the length of a word; words seen before come from a cache.</para>
/// </remarks>
public sealed class SubwordNmt : ITokenizer
{
    /// <summary>What ends a token that does not end its word.</summary>
    public const string Separator = "@@";

    /// <summary>What the last symbol of a word ends in.</summary>
    public const string EndOfWord = "</w>";

    private const int CachedWords = 1 << 17;
    private const int Unknown = -1;

    private readonly SubwordNmtCodes _codes;
    private readonly SubwordNmtVocabulary? _vocabulary;
    private readonly Dictionary<string, int> _symbols = new(StringComparer.Ordinal);
    private readonly Dictionary<(int Left, int Right), (int Rank, int Symbol)> _merges = [];
    private readonly ConcurrentDictionary<string, string[]> _cache = new(StringComparer.Ordinal);
    private int _cached;

    /// <summary>Whether a vocabulary file, besides the merges, decides what a word becomes.</summary>
    internal bool HasVocabulary => _vocabulary is not null;

    internal SubwordNmt(SubwordNmtCodes codes, SubwordNmtVocabulary? vocabulary = null)
    {
        _codes = codes;
        _vocabulary = vocabulary;
        foreach (var (left, right) in codes.Merges)
            _merges.TryAdd((IdOf(left), IdOf(right)), (_merges.Count, IdOf(left + right)));
    }

    /// <inheritdoc/>
    public string Name => "subword_nmt";

    /// <summary>None: the vocabulary is counted on the text that the merges were applied to, as fairseq does it.</summary>
    public IReadOnlyList<string> Pieces => [];

    /// <summary>The pairs of symbols that are merged, the first learned first.</summary>
    public IReadOnlyList<(string Left, string Right)> Merges => _codes.Merges;

    /// <summary>
    /// Learns merges, those of subword-nmt's <c>learn-bpe</c> and <c>learn-joint-bpe-and-vocab</c>: again and again the most frequent pair of neighbours, of equals the
    /// greatest in code points.
    /// </summary>
    /// <param name="texts">The words of the training texts; several are learned from together.</param>
    /// <param name="merges">The most merges to learn.</param>
    /// <param name="minFrequency">Learning ends when no pair has this count; subword-nmt's default is 2.</param>
    /// <param name="cancellation">Stops the learning.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="merges"/> or <paramref name="minFrequency"/> is less than 1.</exception>
    public static SubwordNmt Learn(IEnumerable<WordCounts> texts, int merges, long minFrequency = 2, CancellationToken cancellation = default)
    {
        if (merges < 1)
            throw new ArgumentOutOfRangeException(null, $"SubwordNmt: merges must be at least 1, got {merges}.");
        if (minFrequency < 1)
            throw new ArgumentOutOfRangeException(null, $"SubwordNmt: minFrequency must be at least 1, got {minFrequency}.");
        return new SubwordNmt(SubwordNmtCodes.Current(new SubwordNmtLearner(WordCounts.ForLearning(texts)).Learn(merges, minFrequency, cancellation)));
    }

    /// <summary>Learns merges from the words of lines.</summary>
    /// <param name="lines">The training text; for merges shared by both sides, the lines of both.</param>
    /// <param name="merges">The most merges to learn.</param>
    /// <param name="minFrequency">Learning ends when no pair has this count.</param>
    /// <param name="cancellation">Stops the learning.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="merges"/> or <paramref name="minFrequency"/> is less than 1.</exception>
    public static SubwordNmt Learn(IEnumerable<string> lines, int merges, long minFrequency = 2, CancellationToken cancellation = default)
        => Learn([new WordCounts(lines, cancellation)], merges, minFrequency, cancellation);

    /// <summary>Reads codes that <see cref="SaveCodes"/> or subword-nmt wrote, of version 0.1 or 0.2.</summary>
    /// <param name="path">A codes file: <c>#version: 0.2</c>, then one merge a line; without that line it is of version 0.1.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is not a codes file; the message names the line.</exception>
    public static SubwordNmt LoadCodes(string path) => new(SubwordNmtCodes.Load(path));

    /// <summary>
    /// Takes <c>@@</c> away again where a blank or the line's end follows it, as subword-nmt advises to with <c>sed -r 's/(@@ )|(@@ ?$)//g'</c>.
    /// </summary>
    /// <param name="line">A line of tokens without its end.</param>
    public static string Undo(string line)
    {
        string text = line.Replace(Separator + " ", "", StringComparison.Ordinal);
        return line.EndsWith(Separator, StringComparison.Ordinal) ? text[..^Separator.Length] : text;
    }

    /// <summary>The same merges with a vocabulary: a token that is not in it is taken apart until its parts are, or are single characters.</summary>
    /// <param name="path">A vocabulary file, one token and its count a line, as <see cref="SaveVocabulary"/> and subword-nmt write it.</param>
    /// <param name="threshold">Tokens with a smaller count are not in the vocabulary. Where that leaves none, nothing is taken apart, as in subword-nmt.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is not a vocabulary; the message names the line.</exception>
    public SubwordNmt WithVocabulary(string path, long threshold = long.MinValue) => new(_codes, SubwordNmtVocabulary.Load(path, threshold, _codes));

    /// <summary>Writes the merges as a codes file that subword-nmt can read.</summary>
    /// <param name="path">The file to make or replace.</param>
    public void SaveCodes(string path) => TextFile.WriteLines(path, CodesLines());

    /// <summary>The lines of the codes file.</summary>
    public IEnumerable<string> CodesLines() => _codes.Lines();

    /// <summary>
    /// Writes the tokens of a text and their counts, one token, a blank and its count a line: the most frequent first, of equals the one that occurs first.
    /// Equal to subword-nmt's <c>learn-joint-bpe-and-vocab --write-vocabulary</c>.
    /// </summary>
    /// <param name="path">The file to make or replace.</param>
    /// <param name="text">The words of the text.</param>
    public void SaveVocabulary(string path, WordCounts text)
        => TextFile.WriteLines(path, text.Segmented(word => Segment(word)).Entries.OrderByDescending(e => e.Value).Select(e => string.Create(CultureInfo.InvariantCulture, $"{e.Key} {e.Value}")));

    /// <summary>Cuts a line into tokens.</summary>
    /// <param name="line">Words between blanks, without a line end.</param>
    public string[] Encode(string line)
    {
        var tokens = new List<string>();
        foreach (var range in line.AsSpan().SplitAny(' ', '\r'))
        {
            for (var rest = line.AsSpan(range); !rest.IsEmpty;)
                tokens.AddRange(Segment(SubwordNmtText.NextLine(ref rest)).Where(token => token.Length > 0));
        }

        return [.. tokens];
    }

    /// <inheritdoc/>
    public string Decode(params ReadOnlySpan<string> pieces) => Undo(string.Join(' ', pieces));

    /// <summary>
    /// Writes a line with its words as tokens, byte for byte as subword-nmt's <c>apply-bpe</c>: blanks and line ends at its start and end stay, several blanks between
    /// words become one.
    /// </summary>
    /// <param name="line">A line, with its end if it has one; what ends a line for subword-nmt may also be inside it.</param>
    /// <param name="output">Where it goes.</param>
    public void Apply(ReadOnlySpan<char> line, TextWriter output)
    {
        while (!line.IsEmpty)
        {
            var one = SubwordNmtText.NextLine(ref line);
            var words = one.Trim("\r\n ");
            int start = one.Length - one.TrimStart("\r\n ").Length;
            output.Write(one[..start]);
            bool first = true;
            foreach (var range in words.Split(' '))
            {
                if (words[range].IsEmpty)
                    continue;
                foreach (string token in Segment(words[range]))
                {
                    if (!first)
                        output.Write(' ');
                    output.Write(token);
                    first = false;
                }
            }

            output.Write(one[(start + words.Length)..]);
        }
    }

    /// <summary>The tokens of one word, all but the last with <see cref="Separator"/>.</summary>
    private string[] Segment(ReadOnlySpan<char> word)
    {
        var cache = _cache.GetAlternateLookup<ReadOnlySpan<char>>();
        if (cache.TryGetValue(word, out string[]? tokens))
            return tokens;
        var parts = Cut(word);
        if (_vocabulary is { Count: > 0 } vocabulary && Runes(word) > 1)
            parts = vocabulary.TakeApart(parts);
        tokens = [.. parts.Select((part, i) => i + 1 < parts.Count ? part + Separator : part)];
        if (word.Length <= BytePairEncoding.LongestPiece)
        {
            if (Interlocked.Increment(ref _cached) <= CachedWords)
                cache[word] = tokens;
            else
                Interlocked.Decrement(ref _cached);
        }

        return tokens;
    }

    private static int Runes(ReadOnlySpan<char> word)
    {
        int n = 0;
        for (int length; !word.IsEmpty; word = word[length..], n++)
            _ = Rune.DecodeFromUtf16(word, out _, out length);
        return n;
    }

    private int IdOf(string symbol)
    {
        if (!_symbols.TryGetValue(symbol, out int id))
            _symbols.Add(symbol, id = _symbols.Count);
        return id;
    }

    /// <summary>
    /// Merges within one word. All places of the pair of the lowest rank are merged, from the left, before the pairs that this makes are looked at: a symbol that arises
    /// in two ways may make a pair of a lower rank.
    /// </summary>
    private List<string> Cut(ReadOnlySpan<char> word)
    {
        var symbols = new List<int>(word.Length + 1);
        var starts = new List<int>(word.Length + 1);
        for (int i = 0, length; i < word.Length; i += length)
        {
            _ = Rune.DecodeFromUtf16(word[i..], out _, out length);
            bool last = i + length == word.Length;
            string symbol = last && !_codes.EndIsOwnSymbol ? string.Concat(word.Slice(i, length), EndOfWord) : word.Slice(i, length).ToString();
            symbols.Add(_symbols.GetValueOrDefault(symbol, Unknown));
            starts.Add(i);
        }

        if (_codes.EndIsOwnSymbol)
        {
            symbols.Add(_symbols.GetValueOrDefault(EndOfWord, Unknown));
            starts.Add(word.Length);
        }

        int n = symbols.Count;
        starts.Add(word.Length);
        int[] next = [.. Enumerable.Range(1, n)], previous = [.. Enumerable.Range(-1, n)];
        var queue = new PriorityQueue<int, (int Rank, int Place)>();
        for (int i = 0; i + 1 < n; i++)
            Offer(i);
        var made = new List<int>();
        while (queue.TryPeek(out _, out var first))
        {
            made.Clear();
            while (queue.TryPeek(out int left, out var at) && at.Rank == first.Rank)
            {
                queue.Dequeue();
                if (MergeAt(left) is not { } merge || merge.Rank != at.Rank)
                    continue;
                int right = next[left];
                symbols[left] = merge.Symbol;
                symbols[right] = Unknown;
                next[left] = next[right];
                if (next[left] < n)
                    previous[next[left]] = left;
                made.Add(left);
            }

            foreach (int left in made)
            {
                if (previous[left] >= 0)
                    Offer(previous[left]);
                Offer(left);
            }
        }

        var parts = new List<string>();
        for (int i = 0; i < n; i = next[i])
        {
            // The end of the word as a symbol of its own, left over, is no part.
            if (starts[next[i]] > starts[i])
                parts.Add(word[starts[i]..starts[next[i]]].ToString());
        }

        return parts;

        void Offer(int left)
        {
            if (MergeAt(left) is { } merge)
                queue.Enqueue(left, (merge.Rank, left));
        }

        (int Rank, int Symbol)? MergeAt(int left)
            => symbols[left] >= 0 && next[left] < n && _merges.TryGetValue((symbols[left], symbols[next[left]]), out var merge) ? merge : null;
    }
}
