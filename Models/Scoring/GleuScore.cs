namespace CudaSeq.Models;

/// <summary>A GLEU score with how much it depends on the draws of references.</summary>
/// <param name="Score">The mean of the draws' GLEU in percent; of a single sentence, the mean over its references.</param>
/// <param name="Deviation">The standard deviation of the draws', or the references', GLEU in percent.</param>
/// <param name="Signature">The variant of GLEU, in the form of sacreBLEU's signatures.</param>
public sealed record GleuScore(double Score, double Deviation, string Signature) : IMetricScore
{
    // The 97.5th percentile of the standard normal distribution.
    private const double Normal975 = 1.959963984540054;

    /// <inheritdoc/>
    public string Name => "GLEU";

    /// <summary>The lower end of gleu.py's 95 % interval of the draws, in percent.</summary>
    public double Low => Score - (Normal975 * Deviation);

    /// <summary>The upper end of gleu.py's 95 % interval of the draws, in percent.</summary>
    public double High => Score + (Normal975 * Deviation);

    /// <summary>One line: <c>GLEU|nrefs:4|case:mixed|tok:none|iter:500|version:... = 38.20</c>.</summary>
    public override string ToString() => $"{Name}|{Signature} = {ScoreText.Fixed(Score, 2)}";
}
