using System.Globalization;

namespace CudaSeq.Models;

/// <summary>
/// fairseq's dictionaries, <c>dict.en.txt</c>: a token, a blank and its count on each line; line n is the token with the id n + 3, after <c>&lt;s&gt;</c>, <c>&lt;pad&gt;</c>,
/// <c>&lt;/s&gt;</c> and <c>&lt;unk&gt;</c>. A token that is there before must say <c>#fairseq:overwrite</c> after its count: then text means the later one.
/// </summary>
internal static class FairseqDictionary
{
    /// <summary>What names of languages must be: they become names of files.</summary>
    public const string Languages = "languages must be called by letters, digits, '-' and '_'";

    private const string Overwrite = " #fairseq:overwrite";

    private static readonly string[] Specials = ["<s>", "<pad>", "</s>", "<unk>"];

    /// <summary>Whether this may be the name of a language.</summary>
    public static bool IsLanguage(string name) => name.Length > 0 && name.All(c => char.IsLetterOrDigit(c) || c is '-' or '_');

    /// <summary>The name of a language's dictionary.</summary>
    public static string NameOf(string language) => $"dict.{language}.txt";

    /// <summary>Reads a dictionary.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is no dictionary; the message names the line.</exception>
    public static Vocabulary Load(string path)
    {
        var pieces = new List<string>();
        var lines = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (string text in TextFile.ReadLines(path, keepByteOrderMark: true))
        {
            int line = pieces.Count + 1;
            string rest = WithoutEnd(text);
            bool overwrites = rest.EndsWith(Overwrite, StringComparison.Ordinal);
            if (overwrites)
                rest = rest[..^Overwrite.Length];
            int blank = rest.LastIndexOf(' ');
            if (blank < 1 || !long.TryParse(rest.AsSpan(blank + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _))
                throw new InvalidDataException($"{path}: line {line} must be a token, a blank and its count, got '{ForeignFile.Printable(text)}'.");
            string token = rest[..blank];
            if (Specials.Contains(token))
                throw new InvalidDataException($"{path}: line {line} must not be a special symbol, those stand before the first line, got '{token}'.");
            if (lines.TryGetValue(token, out int earlier))
            {
                if (!overwrites)
                    throw Repeats(token, line, earlier);

                // The row stays where it is. Its name holds blanks, so that no text means it.
                pieces[earlier - 1] = $"{token}{Overwrite} {line}";
                if (!lines.TryAdd(pieces[earlier - 1], earlier))
                    throw Repeats(token, line, earlier);
            }

            lines[token] = line;
            pieces.Add(token);
        }

        return Vocabulary.Of(pieces);

        InvalidDataException Repeats(string token, int line, int earlier)
            => new($"{path}: line {line} repeats '{ForeignFile.Printable(token)}' of line {earlier}.");
    }

    /// <summary>Writes a dictionary. What was counted is not known: every token has the count 1, which fairseq looks at only while it makes a dictionary.</summary>
    /// <param name="path">The file to make or replace.</param>
    /// <param name="vocabulary">The tokens.</param>
    /// <exception cref="InvalidDataException">A token would break a line.</exception>
    public static void Save(string path, Vocabulary vocabulary)
    {
        for (int id = Vocabulary.SpecialCount; id < vocabulary.Count; id++)
        {
            if (vocabulary[id].AsSpan().ContainsAny('\r', '\n'))
                throw new InvalidDataException($"{Path.GetFileName(path)}: tokens must not hold the end of a line, got '{ForeignFile.Printable(vocabulary[id])}' with the id {id}.");
        }

        TextFile.WriteLines(path, vocabulary.Skip(Vocabulary.SpecialCount).Select(token => $"{token} 1"));
    }

    // As Python's rstrip has it.
    private static string WithoutEnd(string text)
    {
        int end = text.Length;
        while (end > 0 && SubwordNmtText.IsWhiteSpace(text[end - 1]))
            end--;
        return text[..end];
    }
}
