using System.Globalization;
using System.Text;

namespace CudaSeq.Models;

/// <summary>
/// Text as Python's strings have it, by which sacreBLEU's scores are defined: made of code points, cut at Unicode's white space, lower-cased by Unicode's full
/// mapping (The Unicode Standard, section 3.13).
/// </summary>
internal static class ScoredText
{
    private const int CapitalSigma = 0x3A3, SmallSigma = 0x3C3, FinalSigma = 0x3C2, CapitalIWithDot = 0x130;

    // Other characters that do not end a word for the rule of the final sigma: Word_Break is MidLetter, MidNumLet or Single_Quote.
    private const string InsideWords = "'.:\u00B7\u0387\u055F\u05F4\u2018\u2019\u2024\u2027\uFE13\uFE52\uFE55\uFF07\uFF0E\uFF1A";

    /// <summary>Whether a character is white space: Unicode's, and the four ASCII separators.</summary>
    public static bool IsBlank(int c) => c is >= 0x1C and <= 0x1F || (c <= char.MaxValue && char.IsWhiteSpace((char)c));

    /// <summary>What stands between blanks, as <c>str.split</c>.</summary>
    public static string[] Split(ReadOnlySpan<char> line)
    {
        var words = new List<string>();
        for (int start = 0, i = 0; i <= line.Length; i++)
        {
            if (i < line.Length && !IsBlank(line[i]))
                continue;
            if (i > start)
                words.Add(line[start..i].ToString());
            start = i + 1;
        }

        return [.. words];
    }

    /// <summary>A line without the blanks at its end, as <c>str.rstrip</c>.</summary>
    public static string TrimEnd(string line)
    {
        int end = line.Length;
        while (end > 0 && IsBlank(line[end - 1]))
            end--;
        return line[..end];
    }

    /// <summary>The code points of a line; half a surrogate pair is one of its own.</summary>
    public static int[] CodePoints(string line)
    {
        var points = new List<int>(line.Length);
        for (int i = 0; i < line.Length; i++)
        {
            bool isPair = char.IsHighSurrogate(line[i]) && i + 1 < line.Length && char.IsLowSurrogate(line[i + 1]);
            points.Add(isPair ? char.ConvertToUtf32(line[i], line[++i]) : line[i]);
        }

        return [.. points];
    }

    /// <summary>Adds a code point to a text.</summary>
    public static StringBuilder AppendCodePoint(this StringBuilder text, int point)
        => point <= char.MaxValue ? text.Append((char)point) : text.Append(char.ConvertFromUtf32(point));

    /// <summary>
    /// Lower case as <c>str.lower</c>, which differs from .NET's in two places: U+0130 becomes i and a combining dot, and a capital sigma that ends a word
    /// becomes a final sigma.
    /// </summary>
    public static string Lower(string line)
    {
        if (line.AsSpan().IndexOfAny((char)CapitalSigma, (char)CapitalIWithDot) < 0)
            return line.ToLowerInvariant();
        int[] points = CodePoints(line);
        var text = new StringBuilder(line.Length + 1);
        for (int i = 0; i < points.Length; i++)
        {
            if (points[i] == CapitalIWithDot)
                text.Append("i\u0307");
            else if (points[i] == CapitalSigma)
                text.AppendCodePoint(EndsWord(points, i) ? FinalSigma : SmallSigma);
            else
                text.AppendCodePoint(Rune.IsValid(points[i]) ? Rune.ToLowerInvariant(new Rune(points[i])).Value : points[i]);
        }

        return text.ToString();
    }

    // Final_Sigma of the standard: a cased letter before it and none after it, whatever is case-ignorable in between.
    private static bool EndsWord(int[] points, int at)
    {
        int before = at - 1, after = at + 1;
        while (before >= 0 && IsCaseIgnorable(points[before]))
            before--;
        while (after < points.Length && IsCaseIgnorable(points[after]))
            after++;
        return before >= 0 && IsCased(points[before]) && (after == points.Length || !IsCased(points[after]));
    }

    private static bool IsCaseIgnorable(int c) => CharUnicodeInfo.GetUnicodeCategory(c)
        is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.Format or UnicodeCategory.ModifierLetter or UnicodeCategory.ModifierSymbol
        || (c <= char.MaxValue && InsideWords.Contains((char)c));

    // Beside the letters: ordinal indicators, Roman numerals, letters in circles and squares (Other_Lowercase and Other_Uppercase that are not case-ignorable).
    private static bool IsCased(int c) => CharUnicodeInfo.GetUnicodeCategory(c)
        is UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter
        || c is 0xAA or 0xBA or (>= 0x2160 and <= 0x217F) or (>= 0x24B6 and <= 0x24E9) or (>= 0x1F130 and <= 0x1F149) or (>= 0x1F150 and <= 0x1F169) or (>= 0x1F170 and <= 0x1F189);
}
