namespace CudaSeq.Models;

/// <summary>An output that has not ended: its last token and what came before.</summary>
/// <param name="Token">The last token; end-of-sentence for the empty output.</param>
/// <param name="Sum">The sum of all its scores.</param>
/// <param name="Score">The last token's.</param>
/// <param name="Previous">What came before; null for the empty output.</param>
internal sealed record PartialHypothesis(int Token, float Sum, float Score, PartialHypothesis? Previous)
{
    /// <summary>The output without tokens.</summary>
    public static PartialHypothesis Empty { get; } = new(Vocabulary.Eos, 0, 0, null);

    /// <summary>Tokens so far.</summary>
    public int Length { get; } = Previous is null ? 0 : Previous.Length + 1;

    /// <summary>The tokens, first to last.</summary>
    public int[] Tokens()
    {
        var tokens = new int[Length];
        var node = this;
        for (int i = Length - 1; i >= 0; i--, node = node.Previous!)
            tokens[i] = node.Token;
        return tokens;
    }

    /// <summary>One token more.</summary>
    public PartialHypothesis Then(int token, float score) => new(token, Sum + score, score, this);

    /// <summary>The output that ends here.</summary>
    /// <param name="endScore">The score of end-of-sentence.</param>
    /// <param name="score">How sums and lengths are made one number.</param>
    public Hypothesis End(float endScore, LengthScore score)
    {
        float[] scores = Scores(Length + 1);
        scores[Length] = endScore;
        return new Hypothesis(Tokens(), score.Of(Sum + endScore, Length + 1), scores);
    }

    /// <summary>The output as it is, without end-of-sentence.</summary>
    /// <param name="score">How sums and lengths are made one number.</param>
    public Hypothesis Cut(LengthScore score) => new(Tokens(), score.Of(Sum, Length), Scores(Length));

    private float[] Scores(int count)
    {
        var scores = new float[count];
        var node = this;
        for (int i = Length - 1; i >= 0; i--, node = node.Previous!)
            scores[i] = node.Score;
        return scores;
    }
}
