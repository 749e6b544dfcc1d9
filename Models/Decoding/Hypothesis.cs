namespace CudaSeq.Models;

/// <summary>One output of a search.</summary>
/// <param name="Tokens">Token ids, without end-of-sentence.</param>
/// <param name="Score">The sum of the token scores, divided by length^penalty; hypotheses of a sentence are ordered by it.</param>
/// <param name="TokenScores">Log probabilities in nats of each token and, last, of end-of-sentence.</param>
public sealed record Hypothesis(int[] Tokens, float Score, float[] TokenScores);
