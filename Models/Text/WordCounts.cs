using System.Runtime.InteropServices;

namespace CudaSeq.Models;

/// <summary>The words of a tokenised text, in the order of their first occurrence, and how often each occurs: all that <see cref="SubwordNmt"/> learns from.</summary>
/// <remarks>Words are separated by U+0020 or a lone CR; any other character, also a tab or U+00A0, is part of its word. Memory: one entry a distinct word.</remarks>
public sealed class WordCounts
{
    private readonly List<string> _words = [];
    private readonly List<long> _counts = [];
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _places
        = new Dictionary<string, int>(StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>Counts the words of lines.</summary>
    /// <param name="lines">Lines without their LF; for merges equal to subword-nmt's, a byte order mark is part of the first.</param>
    /// <param name="cancellation">Stops the counting.</param>
    public WordCounts(IEnumerable<string> lines, CancellationToken cancellation = default)
    {
        foreach (string line in lines)
        {
            cancellation.ThrowIfCancellationRequested();
            foreach (var range in line.AsSpan().SplitAny(' ', '\r'))
                Add(line.AsSpan(range), 1);
        }
    }

    private WordCounts()
    {
    }

    /// <summary>How many distinct words there are.</summary>
    public int Count => _words.Count;

    /// <summary>The words and their counts, in the order of first occurrence.</summary>
    public IEnumerable<KeyValuePair<string, long>> Entries => _words.Select((word, i) => KeyValuePair.Create(word, _counts[i]));

    /// <summary>The words of several texts as <see cref="SubwordNmt.Learn(IEnumerable{WordCounts}, int, long, CancellationToken)"/> sees them: cut after what ends a line for subword-nmt.</summary>
    internal static WordCounts ForLearning(IEnumerable<WordCounts> texts)
    {
        var all = new WordCounts();
        foreach (var (word, count) in texts.SelectMany(text => text.Entries))
            all.AddLines(word, count);
        return all;
    }

    /// <summary>The tokens of this text when each word is written as tokens; a token, too, is cut after what ends a line for subword-nmt.</summary>
    internal WordCounts Segmented(Func<string, IEnumerable<string>> segment)
    {
        var tokens = new WordCounts();
        foreach (var (word, count) in Entries)
        {
            foreach (string token in segment(word))
                tokens.AddLines(token, count);
        }

        return tokens;
    }

    private void AddLines(ReadOnlySpan<char> word, long count)
    {
        while (!word.IsEmpty)
            Add(SubwordNmtText.NextLine(ref word), count);
    }

    private void Add(ReadOnlySpan<char> word, long count)
    {
        if (word.IsEmpty)
            return;
        if (_places.TryGetValue(word, out int place))
        {
            CollectionsMarshal.AsSpan(_counts)[place] += count;
            return;
        }

        string text = word.ToString();
        _places[text] = _words.Count;
        _words.Add(text);
        _counts.Add(count);
    }
}
