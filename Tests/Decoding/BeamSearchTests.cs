using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>The rules of the search over hand-made log probabilities; tokens 4 and up are words.</summary>
public sealed class BeamSearchTests
{
    [Fact]
    public void AllFirstTokensComeFromTheOneEmptyHypothesis()
    {
        var search = Search(beam: 2, minLength: 0, maxLength: 9, lengthPenalty: 1);
        Advance(search, [(-1, 4), (-2, 5), (-3, 6)], [(-0.1f, 7), (-0.2f, 8), (-0.3f, 9)]);
        Assert.Equal([0, 0], search.Rows);
        Assert.Equal([4, 5], search.Tokens);
    }

    [Fact]
    public void KeepsTheBestContinuationsOfAllRowsAndSaysWhomTheyContinue()
    {
        var search = Search(beam: 2, minLength: 0, maxLength: 9, lengthPenalty: 1);
        Advance(search, [(-1, 4), (-2, 5)], [(-9, 4), (-9, 5)]);
        Advance(search, [(-5, 4), (-6, 5)], [(-1, 6), (-2, 7)]);
        Assert.Equal([1, 1], search.Rows);
        Assert.Equal([6, 7], search.Tokens);
    }

    [Fact]
    public void EqualScoresGoToTheLowerRowThenTheLowerToken()
    {
        var search = Search(beam: 3, minLength: 0, maxLength: 9, lengthPenalty: 1);
        Advance(search, [(-1, 7), (-1, 5), (-1, 6)], [(-9, 4), (-9, 5), (-9, 6)], [(-9, 4), (-9, 5), (-9, 6)]);
        Assert.Equal([5, 6, 7], search.Tokens);
        Advance(search, [(-1, 9), (-1, 8), (-2, 7)], [(-1, 4), (-2, 5), (-2, 6)], [(-2, 4), (-2, 5), (-2, 6)]);
        Assert.Equal([0, 0, 1], search.Rows);
        Assert.Equal([8, 9, 4], search.Tokens);
    }

    [Fact]
    public void AnEndBeyondTheFirstBeamOfCandidatesIsNotFinished()
    {
        var search = Search(beam: 2, minLength: 0, maxLength: 9, lengthPenalty: 1);
        Advance(search, [(-1, 4), (-2, 5), (-3, Vocabulary.Eos), (-4, 6)], [(-9, 4), (-9, 5), (-9, 6), (-9, 7)]);
        Assert.Empty(search.Best(9));
        Assert.Equal([4, 5], search.Tokens);
    }

    [Fact]
    public void AFinishedHypothesisFreesItsRowForTheNextBest()
    {
        var search = Search(beam: 2, minLength: 0, maxLength: 9, lengthPenalty: 1);
        Advance(search, [(-1, Vocabulary.Eos), (-2, 4), (-3, 5), (-4, 6)], [(-9, 4), (-9, 5), (-9, 6), (-9, 7)]);
        Assert.Equal([4, 5], search.Tokens);
        var only = Assert.Single(search.Best(9));
        Assert.Empty(only.Tokens);
        Assert.Equal(-1, only.Score);
        Assert.False(search.IsFinished);
    }

    [Fact]
    public void IsOverWhenABeamOfHypothesesHasFinished()
    {
        var search = Search(beam: 2, minLength: 0, maxLength: 9, lengthPenalty: 1);
        Advance(search, [(-1, Vocabulary.Eos), (-2, 4), (-3, 5), (-4, 6)], [(-9, 4), (-9, 5), (-9, 6), (-9, 7)]);
        Advance(search, [(-1, Vocabulary.Eos), (-2, 4), (-3, 5), (-4, 6)], [(-1, Vocabulary.Eos), (-9, 5), (-9, 6), (-9, 7)]);
        Assert.True(search.IsFinished);
        Assert.Equal([[], [4]], search.Best(9).Select(h => h.Tokens));
    }

    [Fact]
    public void TheScoreIsTheSumOverTheLengthWithTheEnd()
    {
        foreach (float penalty in (float[])[0, 0.6f, 1, 1.5f])
        {
            var search = Search(beam: 1, minLength: 1, maxLength: 9, lengthPenalty: penalty);
            Advance(search, [(-0.5f, 4), (-2, 5)]);
            Advance(search, [(-0.25f, 6), (-2, 5)]);
            Advance(search, [(-0.75f, Vocabulary.Eos), (-2, 5)]);
            var best = Assert.Single(search.Best(1));
            Assert.Equal([4, 6], best.Tokens);
            Assert.Equal([-0.5f, -0.25f, -0.75f], best.TokenScores);
            Assert.Equal(-1.5f / MathF.Pow(3, penalty), best.Score, 1e-6f);
        }
    }

    [Fact]
    public void NothingEndsBeforeTheMinimumLengthAndPaddingNeverComes()
    {
        var search = Search(beam: 1, minLength: 2, maxLength: 9, lengthPenalty: 1);
        Advance(search, [(-0.1f, Vocabulary.Eos), (-0.2f, Vocabulary.Pad), (-3, 4), (-4, 5)]);
        Advance(search, [(-0.1f, Vocabulary.Eos), (-0.2f, Vocabulary.Pad), (-4, 5), (-5, 4)]);
        Assert.Empty(search.Best(1));
        Advance(search, [(-0.1f, Vocabulary.Eos), (-0.2f, Vocabulary.Pad), (-4, 5), (-5, 4)]);
        Assert.Equal([4, 5], Assert.Single(search.Best(1)).Tokens);
    }

    [Fact]
    public void AtTheMaximumLengthEveryHypothesisEnds()
    {
        var search = Search(beam: 2, minLength: 1, maxLength: 1, lengthPenalty: 0);
        Advance(search, [(-1, 4), (-2, 5), (-3, 6), (-4, 7)], [(-9, 4), (-9, 5), (-9, 6), (-9, 7)]);
        Assert.Equal([Vocabulary.Eos, Vocabulary.Eos], search.Asked);
        search.Advance(new StepScores(2, [-1, -2, -3, -4], [4, 5, 4, 5], [Vocabulary.Eos], [-7, -3], [], 2), 0);
        Assert.True(search.IsFinished);
        Assert.Equal([[5], [4]], search.Best(9).Select(h => h.Tokens));
        Assert.Equal([-5, -8], search.Best(9).Select(h => h.Score));
    }

    [Fact]
    public void FewerContinuationsThanTheBeamLeaveRowsUnused()
    {
        var search = Search(beam: 3, minLength: 1, maxLength: 2, lengthPenalty: 0);
        Advance(search, [(-1, 4), (float.NegativeInfinity, 5)], [(-1, 6), (-1, 7)], [(-1, 6), (-1, 7)]);
        Assert.Equal([4, 4, 4], search.Tokens);
        Advance(search, [(-1, 4), (-2, 5)], [(0, 6), (0, 7)], [(0, 6), (0, 7)]);
        Assert.Equal([4, 5, 4], search.Tokens);
        Assert.Equal([0, 0, 0], search.Rows);
        search.Advance(new StepScores(2, new float[6], new int[6], [Vocabulary.Eos], [-1, -1, 0], [], 3), 0);
        Assert.Equal([[4, 4], [4, 5]], search.Best(9).Select(h => h.Tokens));
    }

    /// <summary>A model that rules everything out gives an output all the same, and a prefix is said though the model rules it out.</summary>
    [Fact]
    public void WhereNothingIsPossibleTheBestOutputEnds()
    {
        const float No = float.NegativeInfinity;
        var search = Search(beam: 2, minLength: 0, maxLength: 9, lengthPenalty: 1);
        Advance(search, [(-1, 4), (-2, 5)], [(-9, 4), (-9, 5)]);
        Advance(search, [(No, 4), (No, 5)], [(No, 4), (No, 5)]);
        Assert.True(search.IsFinished);
        var only = Assert.Single(search.Best(9));
        Assert.Equal([4], only.Tokens);
        Assert.Equal(No, only.Score);

        var prescribed = new BeamSearch(1, new TokenRules(1000, [new MaximumLength(9), new TargetPrefix([7])]), new LengthScore(LengthPenaltyForm.Power, 1));
        prescribed.Advance(new StepScores(2, [-1, -2], [4, 5], [7], [No], [], 1), 0);
        Assert.Equal([7], prescribed.Tokens);
        Advance(prescribed, [(-1, Vocabulary.Eos), (-2, 5)]);
        Assert.Equal([7], Assert.Single(prescribed.Best(1)).Tokens);
    }

    [Fact]
    public void NaNIsRefused()
    {
        var search = Search(beam: 1, minLength: 1, maxLength: 2, lengthPenalty: 0);
        var error = Assert.Throws<InvalidOperationException>(() => Advance(search, [(float.NaN, 4), (-1, 5)]));
        Assert.Equal("SequenceGenerator: log probabilities must be numbers, got NaN for token 4 after 0 tokens. The model is damaged.", error.Message);
    }

    private static void Advance(BeamSearch search, params (float Score, int Token)[][] rows)
        => search.Advance(
            new StepScores(rows[0].Length, [.. rows.SelectMany(r => r.Select(c => c.Score))], [.. rows.SelectMany(r => r.Select(c => c.Token))], [], [], [], rows.Length), 0);

    private static BeamSearch Search(int beam, int minLength, int maxLength, float lengthPenalty)
        => new(beam, new TokenRules(1000, [new MaximumLength(maxLength), new MinimumLength(minLength)]), new LengthScore(LengthPenaltyForm.Power, lengthPenalty));
}
