using System.Globalization;

namespace CudaSeq.Models;

/// <summary>A variant of the MaxMatch score; scores are comparable only within one. The default is m2scorer's.</summary>
public sealed record MaxMatchOptions
{
    /// <summary>How many times more recall matters than precision.</summary>
    public double Beta { get; init; } = 0.5;

    /// <summary>How many unchanged words a phrase that is one edit may hold.</summary>
    public int MaxUnchangedWords { get; init; } = 2;

    /// <summary>The metric's name: <c>F0.5</c>.</summary>
    internal string Name => string.Create(CultureInfo.InvariantCulture, $"F{Beta:0.0###}");

    /// <summary>What the signature says of this variant.</summary>
    internal string Signature(int leastAnnotators, int mostAnnotators)
        => $"{ScoreText.References(leastAnnotators, mostAnnotators, lowercase: false)}|tok:none|edits:m2|unchanged:{ScoreText.Number(MaxUnchangedWords)}|{ScoreText.Version}";

    /// <summary>Refuses what is no variant of the score.</summary>
    internal void Check()
    {
        if (!double.IsFinite(Beta) || Beta <= 0)
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"MaxMatch: Beta must be a number above 0, got {Beta}."));
        if (MaxUnchangedWords < 0)
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"MaxMatch: MaxUnchangedWords must be at least 0, got {MaxUnchangedWords}."));
    }
}
