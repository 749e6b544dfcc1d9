using System.Globalization;

namespace CudaSeq.Models;

/// <summary>A BLEU score with what it was computed from.</summary>
/// <param name="Score">BLEU in percent.</param>
/// <param name="Precisions">[order]: the precisions of 1-grams, 2-grams and so on in percent, smoothed; all 0 where nothing matches.</param>
/// <param name="BrevityPenalty">The factor for hypotheses shorter than their references, in (0, 1]; 0 where all hypotheses are empty.</param>
/// <param name="HypothesisLength">Words in the hypotheses.</param>
/// <param name="ReferenceLength">Words in the references closest in length.</param>
/// <param name="Signature">The variant of BLEU as sacreBLEU writes it: scores are comparable only where signatures agree up to the version.</param>
public sealed record BleuScore(
    double Score, IReadOnlyList<double> Precisions, double BrevityPenalty, long HypothesisLength, long ReferenceLength, string Signature) : IMetricScore
{
    /// <inheritdoc/>
    public string Name => "BLEU";

    /// <summary>[order]: n-grams of the hypotheses that their references have, not smoothed.</summary>
    public IReadOnlyList<long> Matches { get; init; } = [];

    /// <summary>[order]: n-grams of the hypotheses, not smoothed.</summary>
    public IReadOnlyList<long> Totals { get; init; } = [];

    /// <summary>Words in the hypotheses for each word in the references; 0 where the references have none.</summary>
    public double Ratio => ReferenceLength == 0 ? 0 : (double)HypothesisLength / ReferenceLength;

    /// <summary>The precisions as they are usually written: <c>58.9/32.3/20.1/13.0</c>.</summary>
    public string PrecisionText => string.Join('/', Precisions.Select(p => ScoreText.Fixed(p, 1)));

    /// <summary>What sacreBLEU prints behind the score: <c>58.9/32.3/20.1/13.0 (BP = 1.000 ratio = 1.020 hyp_len = 62496 ref_len = 61287)</c>.</summary>
    public string Verbose => string.Create(
        CultureInfo.InvariantCulture,
        $"{PrecisionText} (BP = {ScoreText.Fixed(BrevityPenalty, 3)} ratio = {ScoreText.Fixed(Ratio, 3)} hyp_len = {HypothesisLength} ref_len = {ReferenceLength})");

    /// <summary>
    /// One line as sacreBLEU prints it:
    /// <c>BLEU|nrefs:1|case:mixed|... = 26.60 58.9/32.3/20.1/13.0 (BP = 1.000 ratio = 1.020 hyp_len = 62496 ref_len = 61287)</c>.
    /// </summary>
    public override string ToString() => $"{Name}|{Signature} = {ScoreText.Fixed(Score, 2)} {Verbose}";
}
