namespace CudaSeq.Models;

/// <summary>One output of a search.</summary>
/// <param name="Tokens">Token ids, without the end-of-sentence that ended it.</param>
/// <param name="Score">The sum of the token scores, divided as <see cref="DecodingOptions.LengthPenaltyForm"/> says; hypotheses of a sentence are ordered by it.</param>
/// <param name="TokenScores">Log probabilities in nats of each token and, last, of the end-of-sentence that ended it; not of one where an output was cut off.</param>
public sealed record Hypothesis(int[] Tokens, float Score, float[] TokenScores)
{
    /// <summary>For each token the position of the source token, end-of-sentence left out, that had the most attention; empty without <see cref="DecodingOptions.Alignments"/>.</summary>
    public int[] Alignment { get; init; } = [];
}
