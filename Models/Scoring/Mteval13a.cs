using System.Text.RegularExpressions;

namespace CudaSeq.Models;

/// <summary>
/// The tokenisation of mteval-v13a.pl, the scoring script of NIST's and WMT's evaluations, in sacreBLEU's reading of it:
/// four entities are resolved, ASCII punctuation stands alone, period and comma do unless between digits, a hyphen does after a digit.
/// </summary>
internal static partial class Mteval13a
{
    /// <summary>The words of a line that does not end in blanks.</summary>
    public static string[] Words(string line)
    {
        line = line.Replace("<skipped>", "").Replace("-\n", "").Replace('\n', ' ');
        if (line.Contains('&'))
            line = line.Replace("&quot;", "\"").Replace("&amp;", "&").Replace("&lt;", "<").Replace("&gt;", ">");
        line = Punctuation().Replace($" {line} ", " $1 ");
        line = PointAfterOther().Replace(line, "$1 $2 ");
        line = PointBeforeOther().Replace(line, " $1 $2");
        line = HyphenAfterDigit().Replace(line, "$1 $2 ");
        return ScoredText.Split(line);
    }

    [GeneratedRegex(@"([{-~[-` -&(-+:-@/])")]
    private static partial Regex Punctuation();

    [GeneratedRegex(@"([^0-9])([.,])")]
    private static partial Regex PointAfterOther();

    [GeneratedRegex(@"([.,])([^0-9])")]
    private static partial Regex PointBeforeOther();

    [GeneratedRegex(@"([0-9])(-)")]
    private static partial Regex HyphenAfterDigit();
}
