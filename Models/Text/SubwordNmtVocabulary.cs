using System.Globalization;

namespace CudaSeq.Models;

/// <summary>The tokens that <see cref="SubwordNmt"/> may write, and the merges to take others apart by.</summary>
internal sealed class SubwordNmtVocabulary
{
    private readonly HashSet<string> _tokens = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (string Left, string Right)> _parts = new(StringComparer.Ordinal);

    private SubwordNmtVocabulary(SubwordNmtCodes codes)
    {
        // Of several merges to one symbol, subword-nmt keeps the one whose last occurrence among the codes is the earliest.
        var last = new HashSet<(string Left, string Right)>();
        foreach (var merge in codes.Merges.Reverse())
        {
            if (last.Add(merge))
                _parts[merge.Left + merge.Right] = merge;
        }
    }

    /// <summary>How many tokens there are.</summary>
    public int Count => _tokens.Count;

    /// <summary>Reads a file with a token and its count on each line.</summary>
    public static SubwordNmtVocabulary Load(string path, long threshold, SubwordNmtCodes codes)
    {
        var vocabulary = new SubwordNmtVocabulary(codes);
        long number = 0;
        foreach (string line in TextFile.ReadLines(path, keepByteOrderMark: true))
        {
            number++;
            string[] fields = line.Trim('\r', ' ').Split(' ');
            if (fields.Length != 2 || !long.TryParse(fields[1], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long count))
                throw new InvalidDataException($"{path}: line {number} must be a token, a blank and a whole number, got '{line}'.");
            if (count >= threshold)
                vocabulary._tokens.Add(fields[0]);
        }

        return vocabulary;
    }

    /// <summary>
    /// Takes the parts of a word that are not in the vocabulary apart, each into the two symbols it was merged from, until the parts are in it or were never merged.
    /// </summary>
    public List<string> TakeApart(List<string> parts)
    {
        var result = new List<string>(parts.Count);
        var open = new Stack<(string Part, bool Final)>();
        for (int i = parts.Count - 1; i >= 0; i--)
            open.Push((parts[i], i == parts.Count - 1));
        while (open.TryPop(out var next))
        {
            var (part, final) = next;

            // Nothing is left of a symbol that lay within the end of the word: subword-nmt writes it as an empty token, or splits it for ever.
            if (part.Length == 0
                || _tokens.Contains(final ? part : part + SubwordNmt.Separator)
                || !_parts.TryGetValue(final ? part + SubwordNmt.EndOfWord : part, out var halves))
            {
                result.Add(part);
                continue;
            }

            open.Push((final ? WithoutEnd(halves.Right) : halves.Right, final));
            open.Push((halves.Left, false));
        }

        return result;
    }

    private static string WithoutEnd(string symbol) => symbol.Length > SubwordNmt.EndOfWord.Length ? symbol[..^SubwordNmt.EndOfWord.Length] : "";
}
