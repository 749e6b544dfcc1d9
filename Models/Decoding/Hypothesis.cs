namespace CudaSeq.Models;

/// <summary>One output of a search.</summary>
/// <param name="Tokens">Token ids, without end-of-sentence.</param>
/// <param name="Score">The sum of the token scores, divided by length^penalty; hypotheses of a sentence are ordered by it.</param>
/// <param name="TokenScores">Log probabilities in nats of each token and, last, of end-of-sentence.</param>
public sealed record Hypothesis(int[] Tokens, float Score, float[] TokenScores)
{
    /// <summary>For each token the position of the source token, end-of-sentence left out, that had the most attention; empty without <see cref="DecodingOptions.Alignments"/>.</summary>
    public int[] Alignment { get; init; } = [];
}
