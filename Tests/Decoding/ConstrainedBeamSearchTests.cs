using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>The allocation of the beam over hand-made log probabilities; tokens 50 and up go on with the word before.</summary>
public sealed class ConstrainedBeamSearchTests
{
    private static readonly Func<int, bool> IsApart = t => t < 50;

    [Fact]
    public void TheBestOfEachBankComesBeforeTheSecondBestOfAny()
    {
        var search = Search(beam: 2, minLength: 0, longest: 9, prefix: [], new LexicalConstraint([9]));
        Assert.Equal([9], search.Asked);
        search.Advance(Scores([9], [(-8, -99)], [(-1, 4), (-2, 5), (-3, 6)], [(-1, 4), (-2, 5), (-3, 6)]), 0);
        Assert.Equal([0, 0], search.Rows);
        Assert.Equal([9, 4], search.Tokens);

        // Said: 9 after 4, the end, 6; not said: 7. The end is the third, and no hypothesis ends before it holds the phrase.
        search.Advance(Scores([9], [(-99, -6)], [(-1, Vocabulary.Eos), (-2, 6), (-3, 8)], [(-0.5f, Vocabulary.Eos), (-1, 7), (-4, 8)]), 0);
        Assert.Equal([1, 1], search.Rows);
        Assert.Equal([9, 7], search.Tokens);
        Assert.Empty(search.Best(9));
    }

    [Fact]
    public void AnEndAmongTheFirstOfTheBeamIsFinished()
    {
        var search = Search(beam: 2, minLength: 0, longest: 9, prefix: [], new LexicalConstraint([9]));
        search.Advance(Scores([9], [(-1, -99)], [(-2, 4), (-3, 5), (-4, 6)], [(-9, 4), (-9, 5), (-9, 6)]), 0);
        Assert.Equal([9, 4], search.Tokens);
        search.Advance(Scores([9], [(-99, -6)], [(-1, Vocabulary.Eos), (-2, 6), (-3, 8)], [(-1, 7), (-2, 8), (-3, 5)]), 0);
        var only = Assert.Single(search.Best(9));
        Assert.Equal([9], only.Tokens);
        Assert.Equal(-1, only.Score);
        Assert.Equal([7, 6], search.Tokens);
    }

    /// <summary>There is room for one token before the phrase, and it must end the word: it is looked for among all tokens.</summary>
    [Fact]
    public void WhereAWordMustEndTheTokenThatDoesItNeedNotBeALikelyOne()
    {
        var search = Search(beam: 1, minLength: 0, longest: 3, prefix: [60], new LexicalConstraint([4]) { Before = IsApart });
        Assert.False(search.ReadsAll);
        search.Advance(Scores([60, 4], [(-2, -3)], [(-1, 61), (-1, 62)]), 0);
        Assert.Equal([60], search.Tokens);
        EndsTheWord(search);
        Assert.False(search.ReadsAll);
        Assert.Equal([4], search.Asked);
        search.Advance(Scores([4], [(-5, 0)], [(-1, 61), (-1, 62)]), 0);
        Assert.Equal([Vocabulary.Eos], search.Asked);
        search.Advance(Scores([Vocabulary.Eos], [(-1, 0)], [(-1, 61), (-1, 62)]), 0);
        Assert.True(search.IsFinished);
        Assert.Equal([60, 3, 4], Assert.Single(search.Best(9)).Tokens);
    }

    /// <summary>The phrase is said, the output is still too short, and there is no room to say it again.</summary>
    [Fact]
    public void WhereAPhraseMustNotBeUndoneTheNextTokenNeedNotBeALikelyOne()
    {
        var search = Search(beam: 1, minLength: 2, longest: 2, prefix: [4], new LexicalConstraint([4]) { After = IsApart });
        search.Advance(Scores([4], [(-2, 0)], [(-1, 61), (-1, 62)]), 0);
        EndsTheWord(search);
        search.Advance(Scores([Vocabulary.Eos], [(-1, 0)], [(-1, 61), (-1, 62)]), 0);
        Assert.Equal([4, 3], Assert.Single(search.Best(9)).Tokens);
    }

    /// <summary>What stands beside the phrase leaves no way to say it: an output comes all the same.</summary>
    [Fact]
    public void WhereThereIsNoWayTheOutputEnds()
    {
        var search = Search(beam: 1, minLength: 0, longest: 2, prefix: [60], new LexicalConstraint([4]) { Before = t => t == 5 });
        search.Advance(Scores([60, 4], [(-2, -3)], [(-1, 61), (-1, 62)]), 0);
        var all = new float[100];
        search.Advance(new StepScores(2, [-1, -2], [61, 62], [], [], all, 1), 0);
        Assert.True(search.IsFinished);
        Assert.Equal(float.NegativeInfinity, Assert.Single(search.Best(9)).Score);
    }

    // Among the likeliest tokens none does; of all, 3 is the likeliest that does.
    private static void EndsTheWord(ConstrainedBeamSearch search)
    {
        Assert.True(search.ReadsAll);
        float[] all = [.. Enumerable.Range(0, 100).Select(t => t >= 50 ? -1f : -20 - t)];
        all[3] = -15;
        search.Advance(new StepScores(3, [-1, -1, -1], [61, 62, 63], [], [], all, 1), 0);
        Assert.Equal([3], search.Tokens);
    }

    private static ConstrainedBeamSearch Search(int beam, int minLength, int longest, int[] prefix, params LexicalConstraint[] constraints)
        => new(
            beam,
            new ConstraintSet(constraints, ConstraintOrder.Unordered),
            longest,
            new TokenRules(100, [new MaximumLength(longest), new TargetPrefix(prefix), new MinimumLength(minLength)]),
            new LengthScore(LengthPenaltyForm.Power, 1));

    // Scores of the tokens that were asked for: of one, those of the rows; of two, those of the one row.
    private static StepScores Scores(int[] asked, (float First, float Second)[] scores, params (float Score, int Token)[][] rows)
        => new(
            rows[0].Length,
            [.. rows.SelectMany(r => r.Select(c => c.Score))],
            [.. rows.SelectMany(r => r.Select(c => c.Token))],
            asked,
            [.. scores.SelectMany(s => new[] { s.First, s.Second }).Take(asked.Length * rows.Length)],
            [],
            rows.Length);
}
