namespace CudaSeq.Models;

/// <summary>What the sum of log probabilities is divided by.</summary>
public enum LengthPenaltyForm
{
    /// <summary>length^p, as fairseq does.</summary>
    Power,

    /// <summary>((5 + length) / 6)^p: Wu et al. 2016 (GNMT), equation 14 with beta = 0; Vaswani et al. 2017 search with p = 0.6.</summary>
    Gnmt,
}

/// <summary>The number that finished hypotheses are compared by.</summary>
/// <param name="Form">The form of the divisor.</param>
/// <param name="Penalty">p, its power.</param>
internal readonly record struct LengthScore(LengthPenaltyForm Form, float Penalty)
{
    /// <param name="sum">The sum of log probabilities.</param>
    /// <param name="length">Tokens, end-of-sentence included.</param>
    public float Of(float sum, int length) => sum / MathF.Pow(Form == LengthPenaltyForm.Gnmt ? (5 + length) / 6f : length, Penalty);
}
