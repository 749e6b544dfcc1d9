namespace CudaSeq.Models;

/// <summary>What a search sees of a step: of each of N rows the k likeliest tokens, of some tokens every row's score, or all scores.</summary>
/// <param name="k">Tokens of each row.</param>
/// <param name="best">[N, k], log probabilities, descending.</param>
/// <param name="tokens">[N, k], which they are.</param>
/// <param name="asked">Tokens whose scores were asked for.</param>
/// <param name="askedScores">[N, asked].</param>
/// <param name="all">[N, V], all log probabilities; empty where they were not asked for.</param>
/// <param name="rows">N.</param>
internal sealed class StepScores(int k, float[] best, int[] tokens, int[] asked, float[] askedScores, float[] all, int rows)
{
    /// <summary>Descending log probabilities of a row's likeliest tokens.</summary>
    public ReadOnlySpan<float> Best(int row) => best.AsSpan(row * k, k);

    /// <summary>Which tokens they are.</summary>
    public ReadOnlySpan<int> Tokens(int row) => tokens.AsSpan(row * k, k);

    /// <summary>The log probability of a token that was asked for.</summary>
    public float Of(int row, int token) => all.Length > 0 ? All(row)[token] : askedScores[(row * asked.Length) + Array.IndexOf(asked, token)];

    /// <summary>Log probabilities of all tokens.</summary>
    public ReadOnlySpan<float> All(int row) => all.AsSpan(row * (all.Length / rows), all.Length / rows);
}
