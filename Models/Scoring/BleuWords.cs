using System.Text;

namespace CudaSeq.Models;

/// <summary>The words that BLEU counts.</summary>
internal static class BleuWords
{
    /// <summary>The words of a line in a variant of BLEU.</summary>
    public static string[] Of(string line, BleuOptions options)
    {
        line = ScoredText.TrimEnd(options.Lowercase ? ScoredText.Lower(line) : line);
        if (options.SplitCompounds)
            return ScoredText.Split(Compounds.Split(options.Tokenization == BleuTokenization.None ? line : string.Join(' ', Of(line, options with { Lowercase = false, SplitCompounds = false }))));
        return options.Tokenization switch
        {
            BleuTokenization.Mteval13a => Mteval13a.Words(line),
            BleuTokenization.International => Mteval14International.Words(line),
            BleuTokenization.Character => [.. ScoredText.CodePoints(line).Where(c => !ScoredText.IsBlank(c)).Select(c => new StringBuilder().AppendCodePoint(c).ToString())],
            _ => ScoredText.Split(line),
        };
    }
}
