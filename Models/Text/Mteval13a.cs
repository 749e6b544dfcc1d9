using System.Text.RegularExpressions;

namespace CudaSeq.Models;

/// <summary>
/// The tokenisation of mteval-v13a.pl, the scoring script of NIST's and WMT's evaluations, in sacreBLEU's reading of it:
/// four entities are resolved, ASCII punctuation stands alone, period and comma do unless between digits, a hyphen does after a digit.
/// </summary>
internal static partial class Mteval13a
{
    /// <summary>The words of a line.</summary>
    public static string[] Words(string line)
    {
        int end = line.Length;
        while (end > 0 && IsBlank(line[end - 1]))
            end--;
        line = line[..end].Replace("<skipped>", "").Replace("-\n", "").Replace('\n', ' ');
        if (line.Contains('&'))
            line = line.Replace("&quot;", "\"").Replace("&amp;", "&").Replace("&lt;", "<").Replace("&gt;", ">");
        line = Punctuation().Replace($" {line} ", " $1 ");
        line = PointAfterOther().Replace(line, "$1 $2 ");
        line = PointBeforeOther().Replace(line, " $1 $2");
        line = HyphenAfterDigit().Replace(line, "$1 $2 ");
        return Split(line);
    }

    /// <summary>What stands between blanks; blanks are Unicode's white space and the four ASCII separators, as Python's <c>str.split</c> has it.</summary>
    public static string[] Split(string line)
    {
        var words = new List<string>();
        for (int start = 0, i = 0; i <= line.Length; i++)
        {
            if (i < line.Length && !IsBlank(line[i]))
                continue;
            if (i > start)
                words.Add(line[start..i]);
            start = i + 1;
        }

        return [.. words];
    }

    private static bool IsBlank(char c) => char.IsWhiteSpace(c) || c is >= '\x1C' and <= '\x1F';

    [GeneratedRegex(@"([{-~[-` -&(-+:-@/])")]
    private static partial Regex Punctuation();

    [GeneratedRegex(@"([^0-9])([.,])")]
    private static partial Regex PointAfterOther();

    [GeneratedRegex(@"([.,])([^0-9])")]
    private static partial Regex PointBeforeOther();

    [GeneratedRegex(@"([0-9])(-)")]
    private static partial Regex HyphenAfterDigit();
}
