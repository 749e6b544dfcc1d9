using System.Globalization;

namespace CudaSeq.Models;

/// <summary>A variant of GLEU; scores are comparable only within one.</summary>
public sealed record GleuOptions
{
    /// <summary>How often a reference is drawn for each line where lines have several; the score is the mean. gleu.py's default.</summary>
    public int Iterations { get; init; } = 500;

    /// <summary>Whether upper and lower case are the same.</summary>
    public bool Lowercase { get; init; }

    /// <summary>What GLEU's signature says of this variant.</summary>
    internal string Signature(int references)
        => $"{ScoreText.References(references, references, Lowercase)}|tok:none|iter:{ScoreText.Number(EffectiveIterations(references))}|{ScoreText.Version}";

    /// <summary>How many draws can differ.</summary>
    internal int EffectiveIterations(int references) => references == 1 ? 1 : Iterations;

    /// <summary>Refuses what is no variant of GLEU.</summary>
    internal void Check()
    {
        if (Iterations is < 1 or > 1000000)
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"Gleu: Iterations must be 1 to 1000000, got {Iterations}."));
    }
}
