using System.Globalization;

namespace CudaSeq.Models;

/// <summary>A BLEU score with what it was computed from.</summary>
/// <param name="Score">BLEU in percent.</param>
/// <param name="Precisions">[4]: the precisions of 1- to 4-grams in percent, smoothed; all 0 where nothing matches.</param>
/// <param name="BrevityPenalty">The factor for hypotheses shorter than their references, in (0, 1]; 0 where all hypotheses are empty.</param>
/// <param name="HypothesisLength">Words in the hypotheses.</param>
/// <param name="ReferenceLength">Words in the references closest in length.</param>
/// <param name="Signature">The variant of BLEU as sacreBLEU writes it: scores are comparable only where signatures agree up to the version.</param>
public sealed record BleuScore(
    double Score, IReadOnlyList<double> Precisions, double BrevityPenalty, long HypothesisLength, long ReferenceLength, string Signature)
{
    /// <summary>[4]: n-grams of the hypotheses that their references have.</summary>
    public IReadOnlyList<long> Matches { get; init; } = [];

    /// <summary>[4]: n-grams of the hypotheses.</summary>
    public IReadOnlyList<long> Totals { get; init; } = [];

    /// <summary>
    /// One line as sacreBLEU prints it:
    /// <c>BLEU|nrefs:1|case:mixed|... = 26.60 58.9/32.3/20.1/13.0 (BP = 1.000 ratio = 1.020 hyp_len = 62496 ref_len = 61287)</c>.
    /// </summary>
    public override string ToString()
    {
        double ratio = ReferenceLength == 0 ? 0 : (double)HypothesisLength / ReferenceLength;
        string precisions = string.Join('/', Precisions.Select(p => p.ToString("0.0", CultureInfo.InvariantCulture)));
        return string.Create(
            CultureInfo.InvariantCulture,
            $"BLEU|{Signature} = {Score:0.00} {precisions} (BP = {BrevityPenalty:0.000} ratio = {ratio:0.000} hyp_len = {HypothesisLength} ref_len = {ReferenceLength})");
    }
}
