using System.Text.RegularExpressions;

namespace CudaSeq.Models;

/// <summary>The words that TER counts: the normalisation of Tercom (Normalizer.java), in sacreBLEU's reading of it.</summary>
/// <remarks>
/// sacreBLEU's rules for kana apply only at the beginning of a line, before which its own normalisation has put a blank; so kana are never cut from each other,
/// here as there.
/// </remarks>
internal static partial class TercomWords
{
    /// <summary>The words of a line in a variant of TER.</summary>
    public static string[] Of(string line, TerOptions options)
    {
        if (!options.CaseSensitive)
            line = ScoredText.Lower(line);
        if (options.Normalized)
        {
            line = Normalize(ScoredText.TrimEnd(line));
            if (options.AsianSupport)
                line = EastAsianPunctuation().Replace(EastAsianCharacter().Replace(line, " $1 "), " $1 ");
        }

        if (options.NoPunctuation)
        {
            line = Punctuation().Replace(line, "");
            if (options.AsianSupport)
                line = EastAsianPunctuation().Replace(line, "");
        }

        return ScoredText.Split(line);
    }

    /// <summary>
    /// The words of a reference: normalised twice, as sacreBLEU does, so that the possessive of <c>Anna's, too</c>, which has its comma still attached the first time,
    /// is cut off in a reference and not in a hypothesis.
    /// </summary>
    public static string[] OfReference(string line, TerOptions options)
    {
        string[] words = Of(line, options);
        return options.Normalized ? Of(string.Join(' ', words), options) : words;
    }

    private static string Normalize(string line)
    {
        line = line.Replace("\n-", "").Replace('\n', ' ');
        if (line.Contains('&'))
            line = line.Replace("&quot;", "\"").Replace("&amp;", "&").Replace("&lt;", "<").Replace("&gt;", ">");
        line = Symbol().Replace($" {line} ", " $1 ").Replace("'s ", " 's ");
        line = PointAfterOther().Replace(line, "$1 $2 ");
        line = PointBeforeOther().Replace(line, " $1 $2");
        return HyphenAfterDigit().Replace(line, "$1 $2 ");
    }

    [GeneratedRegex(@"([{-~[-` -&(-+:-@/])")]
    private static partial Regex Symbol();

    [GeneratedRegex(@"([^0-9])([.,])")]
    private static partial Regex PointAfterOther();

    [GeneratedRegex(@"([.,])([^0-9])")]
    private static partial Regex PointBeforeOther();

    [GeneratedRegex(@"([0-9])(-)")]
    private static partial Regex HyphenAfterDigit();

    [GeneratedRegex(@"[.,?:;!""()]")]
    private static partial Regex Punctuation();

    // Ideographs, strokes, radicals and compatibility forms; the block that begins at U+3200 reaches into the ideographs, as sacreBLEU has it.
    [GeneratedRegex(@"([\u2E80-\u2EFF\u31C0-\u31EF\u3200-\u4DBF\u4E00-\u9FFF\uF900-\uFAFF\uFE30-\uFE4F])")]
    private static partial Regex EastAsianCharacter();

    [GeneratedRegex(@"([\u3001\u3002\u3008-\u3011\u3014-\u301F\uFF61-\uFF65\u30FB\uFF0E\uFF0C\uFF1F\uFF1A\uFF1B\uFF01\uFF02\uFF08\uFF09])")]
    private static partial Regex EastAsianPunctuation();
}
