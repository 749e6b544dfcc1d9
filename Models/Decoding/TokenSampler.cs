namespace CudaSeq.Models;

/// <summary>
/// Draws a token from a row of probabilities: from all, from the k likeliest (Fan et al. 2018), or from the nucleus, the smallest set of likeliest tokens whose probability
/// reaches p, the token that crosses it included (Holtzman et al. 2020). Where both are asked for, the nucleus is that of the k likeliest.
/// The probability that must reach p is the model's own: what is forbidden does not count, and the rest is not scaled up. Of equal tokens the lower is the likelier.
/// </summary>
/// <param name="topK">k; 0 for all.</param>
/// <param name="topP">p, in (0, 1]; 1 for all.</param>
internal sealed class TokenSampler(int topK, float topP)
{
    private readonly List<(int Token, float Score)> _tokens = [];

    /// <summary>Draws.</summary>
    /// <param name="scores">[V], log probabilities.</param>
    /// <param name="forbidden">Tokens that are not drawn.</param>
    /// <param name="random">Uniform in 0 .. 1.</param>
    /// <returns>A token of positive probability; null where there is none.</returns>
    public int? Draw(ReadOnlySpan<float> scores, IReadOnlySet<int> forbidden, double random)
    {
        _tokens.Clear();
        for (int token = 0; token < scores.Length; token++)
        {
            if (!float.IsNegativeInfinity(scores[token]) && !forbidden.Contains(token))
                _tokens.Add((token, scores[token]));
        }

        if (_tokens.Count == 0)
            return null;
        if (topK > 0 || topP < 1)
            Truncate();

        // Where all that is likely is forbidden, the probabilities of the rest may be too small for any number; their proportions are not.
        double most = _tokens.Max(t => t.Score), total = 0, reached = 0;
        foreach (var (_, score) in _tokens)
            total += Math.Exp(score - most);
        int last = _tokens[0].Token;
        foreach (var (token, score) in _tokens)
        {
            double probability = Math.Exp(score - most);
            reached += probability;
            if (reached > random * total)
                return token;
            if (probability > 0)
                last = token;
        }

        // The random number is 1.
        return last;
    }

    private void Truncate()
    {
        _tokens.Sort(static (a, b) => b.Score.CompareTo(a.Score) is not 0 and var byScore ? byScore : a.Token.CompareTo(b.Token));
        int most = topK > 0 ? Math.Min(topK, _tokens.Count) : _tokens.Count, count = 0;
        for (double reached = 0; count < most && (count == 0 || reached < topP); count++)
            reached += Math.Exp(_tokens[count].Score);
        _tokens.RemoveRange(count, _tokens.Count - count);
    }
}
