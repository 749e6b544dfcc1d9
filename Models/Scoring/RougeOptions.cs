using System.Globalization;

namespace CudaSeq.Models;

/// <summary>What ROUGE counts of two texts.</summary>
public enum RougeMeasure
{
    /// <summary>Sequences of <see cref="RougeOptions.Order"/> words: ROUGE-1, ROUGE-2 and so on.</summary>
    NGrams,

    /// <summary>The longest common subsequence of the two texts: ROUGE-L.</summary>
    Subsequence,

    /// <summary>The union, for each sentence of the reference, of its longest common subsequences with all sentences of the hypothesis: summary-level ROUGE-L, Lsum for short.</summary>
    SummarySubsequence,
}

/// <summary>A variant of ROUGE; scores are comparable only within one.</summary>
public sealed record RougeOptions
{
    /// <summary>What is counted.</summary>
    public RougeMeasure Measure { get; init; }

    /// <summary>The length of n-grams.</summary>
    public int Order { get; init; } = 1;

    /// <summary>Whether words of more than three letters are stemmed (Porter), as ROUGE-1.5.5 does with <c>-m</c>.</summary>
    public bool Stem { get; init; }

    /// <summary>What separates sentences: text that belongs to no word, and for <see cref="RougeMeasure.SummarySubsequence"/> the end of one.</summary>
    public string SentenceSeparator { get; init; } = "\n";

    /// <summary>The metric's name.</summary>
    internal string Name => Measure switch
    {
        RougeMeasure.NGrams => $"ROUGE-{ScoreText.Number(Order)}",
        RougeMeasure.Subsequence => "ROUGE-L",
        _ => "ROUGE-Lsum",
    };

    /// <summary>What ROUGE's signature says of this variant.</summary>
    internal string Signature(int leastReferences, int mostReferences)
        => $"{ScoreText.References(leastReferences, mostReferences, lowercase: true)}|tok:rouge|stem:{(Stem ? "porter" : "no")}|{ScoreText.Version}";

    /// <summary>Refuses what is no variant of ROUGE.</summary>
    internal void Check()
    {
        if (Order < 1)
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"Rouge: Order must be at least 1, got {Order}."));
        if (SentenceSeparator.Length == 0)
            throw new ArgumentException("Rouge: SentenceSeparator must not be empty.");
    }
}
