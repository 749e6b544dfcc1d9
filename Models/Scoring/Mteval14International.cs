using System.Globalization;
using System.Text;

namespace CudaSeq.Models;

/// <summary>
/// The tokenisation of mteval-v14.pl --international-tokenization, in sacreBLEU's reading of it: every symbol of Unicode stands alone, and every punctuation mark
/// does that has a character before it that is no number, or after it. As the script has it, a full stop after a number at the very end stays with the number.
/// </summary>
/// <remarks>
/// What is a number (N), punctuation (P) or a symbol (S) is read from .NET's own table of Unicode, which is part of the runtime (16.0 in .NET 10) and does not
/// depend on the system. sacreBLEU reads it from whichever version of Python's <c>regex</c> is installed. The two can differ only in characters that became part
/// of Unicode between their versions; those are new scripts and emoji.
/// </remarks>
internal static class Mteval14International
{
    /// <summary>The words of a line that does not end in blanks.</summary>
    public static string[] Words(string line)
    {
        // Three passes of substitutions from left to right; as in a regular expression, a character taken into one match is not looked at again in that pass.
        int[] points = ScoredText.CodePoints(line);
        var passed = new List<int>(2 * points.Length);
        for (int i = 0; i < points.Length; i++)
        {
            passed.Add(points[i]);
            if (i + 1 < points.Length && !IsNumber(points[i]) && IsPunctuation(points[i + 1]))
                passed.AddRange(' ', points[++i], ' ');
        }

        var text = new StringBuilder(2 * passed.Count);
        for (int i = 0; i < passed.Count; i++)
        {
            if (i + 1 < passed.Count && IsPunctuation(passed[i]) && !IsNumber(passed[i + 1]))
            {
                text.Append(' ').AppendCodePoint(passed[i]).Append(' ');
                i++;
            }

            if (IsSymbol(passed[i]))
                text.Append(' ').AppendCodePoint(passed[i]).Append(' ');
            else
                text.AppendCodePoint(passed[i]);
        }

        return ScoredText.Split(text.ToString());
    }

    private static bool IsNumber(int point) => CharUnicodeInfo.GetUnicodeCategory(point)
        is UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber;

    private static bool IsPunctuation(int point) => CharUnicodeInfo.GetUnicodeCategory(point)
        is UnicodeCategory.ConnectorPunctuation or UnicodeCategory.DashPunctuation or UnicodeCategory.OpenPunctuation or UnicodeCategory.ClosePunctuation
        or UnicodeCategory.InitialQuotePunctuation or UnicodeCategory.FinalQuotePunctuation or UnicodeCategory.OtherPunctuation;

    private static bool IsSymbol(int point) => CharUnicodeInfo.GetUnicodeCategory(point)
        is UnicodeCategory.MathSymbol or UnicodeCategory.CurrencySymbol or UnicodeCategory.ModifierSymbol or UnicodeCategory.OtherSymbol;
}
