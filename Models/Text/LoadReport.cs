using System.Globalization;

namespace CudaSeq.Models;

/// <summary>What became of the lines of a parallel corpus.</summary>
/// <param name="Name">What the corpus is called, as a rule its source file.</param>
/// <param name="Lines">Line pairs read.</param>
/// <param name="Kept">Pairs kept.</param>
/// <param name="Empty">Pairs left out because one side is empty or white space.</param>
/// <param name="TooLong">Pairs left out because one side has more pieces than allowed.</param>
/// <param name="MaxLength">The most pieces allowed on a side, the end of the sentence not counted.</param>
/// <param name="SourceTokens">Source ids kept, ends of sentences included.</param>
/// <param name="TargetTokens">Target ids kept, ends of sentences included.</param>
/// <param name="SourceUnknown">Those of the source ids that are <see cref="Vocabulary.Unk"/>.</param>
/// <param name="TargetUnknown">Those of the target ids that are <see cref="Vocabulary.Unk"/>.</param>
public sealed record LoadReport(
    string Name, long Lines, long Kept, long Empty, long TooLong, int MaxLength, long SourceTokens, long TargetTokens, long SourceUnknown, long TargetUnknown)
{
    /// <summary>The sums of two reports under the name of this one.</summary>
    internal LoadReport Plus(LoadReport other) => this with
    {
        Lines = Lines + other.Lines,
        Kept = Kept + other.Kept,
        Empty = Empty + other.Empty,
        TooLong = TooLong + other.TooLong,
        SourceTokens = SourceTokens + other.SourceTokens,
        TargetTokens = TargetTokens + other.TargetTokens,
        SourceUnknown = SourceUnknown + other.SourceUnknown,
        TargetUnknown = TargetUnknown + other.TargetUnknown,
    };

    /// <summary>The report in one line for people.</summary>
    public override string ToString()
    {
        var parts = new List<string> { $"{Name}: {Lines} pairs" };
        if (Empty > 0)
            parts.Add($"{Empty} left out with an empty side");
        if (TooLong > 0)
            parts.Add($"{TooLong} left out with more than {MaxLength} pieces on a side");
        parts.Add($"{SourceTokens} source and {TargetTokens} target tokens");
        if (SourceUnknown + TargetUnknown > 0)
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"{Share(SourceUnknown, SourceTokens):0.00} and {Share(TargetUnknown, TargetTokens):0.00} % unknown"));
        return string.Join(", ", parts);

        static double Share(long part, long whole) => whole == 0 ? 0 : 100.0 * part / whole;
    }
}
