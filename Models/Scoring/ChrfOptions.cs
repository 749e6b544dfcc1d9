using System.Globalization;

namespace CudaSeq.Models;

/// <summary>A variant of chrF; scores are comparable only within one.</summary>
public sealed record ChrfOptions
{
    /// <summary>The longest n-grams of characters counted.</summary>
    public int CharacterOrder { get; init; } = 6;

    /// <summary>The longest n-grams of words counted: 0 is chrF, 2 is chrF++.</summary>
    public int WordOrder { get; init; }

    /// <summary>How many times more recall matters than precision.</summary>
    public int Beta { get; init; } = 2;

    /// <summary>Whether upper and lower case are the same.</summary>
    public bool Lowercase { get; init; }

    /// <summary>Whether blanks are characters like others; else they are taken out before characters are counted.</summary>
    public bool Whitespace { get; init; }

    /// <summary>
    /// Whether the F-scores of all orders are averaged, a missing order counting almost 0, as chrF++.py does; else precision and recall are averaged over the
    /// orders that hypothesis and reference have, sacreBLEU's default.
    /// </summary>
    public bool EpsilonSmoothing { get; init; }

    /// <summary>chrF++: characters up to 6, words up to 2.</summary>
    public static ChrfOptions PlusPlus { get; } = new() { WordOrder = 2 };

    /// <summary>The metric's name.</summary>
    internal string Name => $"chrF{ScoreText.Number(Beta)}{new string('+', WordOrder)}";

    /// <summary>What chrF's signature says of this variant.</summary>
    internal string Signature(int leastReferences, int mostReferences)
        => $"{ScoreText.References(leastReferences, mostReferences, Lowercase)}|eff:{ScoreText.YesNo(!EpsilonSmoothing)}|nc:{ScoreText.Number(CharacterOrder)}"
            + $"|nw:{ScoreText.Number(WordOrder)}|space:{ScoreText.YesNo(Whitespace)}|{ScoreText.Version}";

    /// <summary>Refuses what is no variant of chrF.</summary>
    internal void Check()
    {
        if (CharacterOrder < 1)
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"Chrf: CharacterOrder must be at least 1, got {CharacterOrder}."));
        if (WordOrder < 0)
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"Chrf: WordOrder must be at least 0, got {WordOrder}."));
        if (Beta < 0)
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"Chrf: Beta must be at least 0, got {Beta}."));
    }
}
