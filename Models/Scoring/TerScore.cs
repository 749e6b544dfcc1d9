namespace CudaSeq.Models;

/// <summary>A TER score with what it was computed from.</summary>
/// <param name="Score">Edits for each word of the references in percent: less is better, and more than 100 is possible.</param>
/// <param name="Edits">Insertions, deletions, substitutions and shifts that make the hypotheses their nearest references.</param>
/// <param name="ReferenceLength">Words in the references, of several references of a line their mean.</param>
/// <param name="Signature">The variant as sacreBLEU writes it.</param>
public sealed record TerScore(double Score, long Edits, double ReferenceLength, string Signature) : IMetricScore
{
    /// <inheritdoc/>
    public string Name => "TER";

    /// <summary>One line as sacreBLEU prints it: <c>TER|nrefs:1|case:lc|tok:tercom|norm:no|punct:yes|asian:no|version:... = 63.25</c>.</summary>
    public override string ToString() => $"{Name}|{Signature} = {ScoreText.Fixed(Score, 2)}";
}
