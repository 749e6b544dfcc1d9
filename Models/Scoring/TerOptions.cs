namespace CudaSeq.Models;

/// <summary>A variant of TER; scores are comparable only within one. The default is sacreBLEU's, which is Tercom's.</summary>
public sealed record TerOptions
{
    /// <summary>Whether punctuation is cut off words and XML's entities are resolved first, Tercom's <c>-N</c>; else words are what stands between blanks.</summary>
    public bool Normalized { get; init; }

    /// <summary>Whether punctuation is taken out, Tercom's <c>-P</c>.</summary>
    public bool NoPunctuation { get; init; }

    /// <summary>Whether <see cref="Normalized"/> makes words of single Chinese characters and <see cref="NoPunctuation"/> takes out East Asian punctuation too.</summary>
    public bool AsianSupport { get; init; }

    /// <summary>Whether upper and lower case differ, Tercom's <c>-s</c>; by default they are the same.</summary>
    public bool CaseSensitive { get; init; }

    /// <summary>What TER's signature says of this variant.</summary>
    internal string Signature(int leastReferences, int mostReferences)
        => $"{ScoreText.References(leastReferences, mostReferences, !CaseSensitive)}|tok:tercom|norm:{ScoreText.YesNo(Normalized)}"
            + $"|punct:{ScoreText.YesNo(!NoPunctuation)}|asian:{ScoreText.YesNo(AsianSupport)}|{ScoreText.Version}";
}
