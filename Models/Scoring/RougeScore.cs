namespace CudaSeq.Models;

/// <summary>A ROUGE score: means over the lines, each in percent.</summary>
/// <param name="Name"><c>ROUGE-1</c>, <c>ROUGE-2</c>, <c>ROUGE-L</c> or <c>ROUGE-Lsum</c>.</param>
/// <param name="Score">The harmonic mean of precision and recall of each line.</param>
/// <param name="Precision">How much of the hypothesis is in the reference.</param>
/// <param name="Recall">How much of the reference is in the hypothesis.</param>
/// <param name="Signature">The variant of ROUGE, in the form of sacreBLEU's signatures.</param>
public sealed record RougeScore(string Name, double Score, double Precision, double Recall, string Signature) : IMetricScore
{
    /// <summary>One line: <c>ROUGE-1|nrefs:1|case:lc|tok:rouge|stem:no|version:... = 51.16 (P = 68.75 R = 40.74)</c>.</summary>
    public override string ToString() => $"{Name}|{Signature} = {ScoreText.Fixed(Score, 2)} (P = {ScoreText.Fixed(Precision, 2)} R = {ScoreText.Fixed(Recall, 2)})";
}
