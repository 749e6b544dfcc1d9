namespace CudaSeq.Models;

/// <summary>A MaxMatch score with what it was computed from.</summary>
/// <param name="Name"><c>F</c> and beta: <c>F0.5</c>.</param>
/// <param name="Score">The F-score of the edits in percent; 0 where no edit is right.</param>
/// <param name="Correct">Edits of the hypotheses that the chosen annotators made too.</param>
/// <param name="Proposed">Edits of the hypotheses.</param>
/// <param name="Gold">Edits of the chosen annotators.</param>
/// <param name="Signature">The variant of the score, in the form of sacreBLEU's signatures; <c>nrefs</c> counts annotators.</param>
public sealed record MaxMatchScore(string Name, double Score, long Correct, long Proposed, long Gold, string Signature) : IMetricScore
{
    /// <summary>The share of the proposed edits that are right in percent; 100 where none is proposed, as m2scorer has it.</summary>
    public double Precision => Proposed == 0 ? 100 : 100.0 * Correct / Proposed;

    /// <summary>The share of the annotators' edits that were found in percent; 100 where there are none.</summary>
    public double Recall => Gold == 0 ? 100 : 100.0 * Correct / Gold;

    /// <summary>One line: <c>F0.5|nrefs:2|case:mixed|... = 80.00 (P = 80.00 R = 80.00)</c>.</summary>
    public override string ToString() => $"{Name}|{Signature} = {ScoreText.Fixed(Score, 2)} (P = {ScoreText.Fixed(Precision, 2)} R = {ScoreText.Fixed(Recall, 2)})";
}
