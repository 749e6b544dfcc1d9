using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>What may follow an output, and what its score is, apart from any search.</summary>
public sealed class TokenRulesTests
{
    [Fact]
    public void TheMaximumLengthPrescribesTheEnd()
    {
        var rules = new TokenRules(9, [new MaximumLength(2), new MinimumLength(5)]);
        Assert.Null(rules.After(Output(4)).Forced);
        Assert.Equal([Vocabulary.Pad, Vocabulary.Eos], rules.After(Output(4)).Forbidden.Order());
        Assert.Equal(Vocabulary.Eos, rules.After(Output(4, 5)).Forced);
    }

    [Fact]
    public void APrefixIsPrescribedTokenByTokenAndOverridesWhatIsForbidden()
    {
        var rules = new TokenRules(9, [new MaximumLength(4), new TargetPrefix([4, 4, 5]), new NoRepeatedNGrams(1)]);
        Assert.Equal(4, rules.After(Output()).Forced);
        Assert.Equal(4, rules.After(Output(4)).Forced);
        Assert.Equal(5, rules.After(Output(4, 4)).Forced);
        Assert.Null(rules.After(Output(4, 4, 5)).Forced);
        Assert.Equal([Vocabulary.Pad, 4, 5], rules.After(Output(4, 4, 5)).Forbidden.Order());
        Assert.Equal(Vocabulary.Eos, rules.After(Output(4, 4, 5, 6)).Forced);
    }

    /// <summary>Every output of up to six of three tokens, every size: forbidden is exactly what would make an n-gram come twice.</summary>
    [Fact]
    public void ATokenIsForbiddenIffItWouldRepeatAnNGram()
    {
        for (int size = 1; size <= 4; size++)
        {
            var rules = new TokenRules(100, [new NoRepeatedNGrams(size)]);
            for (int length = 0; length <= 6; length++)
            {
                for (int code = 0; code < Math.Pow(3, length); code++)
                {
                    int rest = code;
                    int[] tokens = new int[length];
                    for (int i = 0; i < length; i++, rest /= 3)
                        tokens[i] = 4 + (rest % 3);
                    var expected = Enumerable.Range(4, 3).Where(next => Repeats([.. tokens, next], size));
                    Assert.Equal(expected, rules.After(Output(tokens)).Forbidden.Where(t => t != Vocabulary.Pad).Order());
                }
            }
        }

        // Whether the last n tokens are also somewhere before.
        static bool Repeats(int[] tokens, int size)
            => tokens.Length > size && Enumerable.Range(0, tokens.Length - size).Any(i => tokens[i..(i + size)].SequenceEqual(tokens[^size..]));
    }

    [Fact]
    public void WhereNothingIsLeftTheOutputEnds()
    {
        var rules = new TokenRules(6, [new MinimumLength(9), new NoRepeatedNGrams(1)]);
        Assert.Null(rules.After(Output(0, 3, 4)).Forced);
        Assert.Equal(Vocabulary.Eos, rules.After(Output(0, 3, 4, 5)).Forced);
    }

    [Fact]
    public void WhereOutputsAreCutTheEndOfASentenceIsATokenLikeOthers()
    {
        var cut = new TokenRules(9, [new TargetPrefix([4, Vocabulary.Eos])]) { CutAfter = 3 };
        var plain = new TokenRules(9, [new MaximumLength(3)]);
        Assert.False(cut.Ends(Vocabulary.Eos));
        Assert.True(plain.Ends(Vocabulary.Eos));
        Assert.False(plain.Ends(4));
        Assert.Equal(Vocabulary.Eos, cut.After(Output(4)).Forced);
        Assert.Equal([false, false, true, true], ((int[][])[[], [4, 2], [4, 2, 5], [4, 2, 5, 5]]).Select(o => cut.IsOver(Output(o))));
        Assert.False(plain.IsOver(Output(4, 5, 6, 7)));

        // Nothing is added to what was written.
        var hypothesis = Output(4, Vocabulary.Eos, 5).Cut(new LengthScore(LengthPenaltyForm.Power, 1));
        Assert.Equal([4, Vocabulary.Eos, 5], hypothesis.Tokens);
        Assert.Equal([-1f, -1f, -1f], hypothesis.TokenScores);
        Assert.Equal(-1, hypothesis.Score);
    }

    [Fact]
    public void ForbiddenTokensNeverFollow()
        => Assert.Equal([Vocabulary.Bos, Vocabulary.Pad, 7], new TokenRules(9, [new ForbiddenTokens([7, Vocabulary.Bos])]).After(Output(4)).Forbidden.Order());

    [Fact]
    public void ScoresAreDividedByTheLengthOrByGnmtsForm()
    {
        foreach (float p in (float[])[0, 0.6f, 1, 2])
        {
            for (int length = 1; length < 50; length++)
            {
                Assert.Equal(-3 / Math.Pow(length, p), new LengthScore(LengthPenaltyForm.Power, p).Of(-3, length), 1e-5);
                Assert.Equal(-3 * Math.Pow(6, p) / Math.Pow(5 + length, p), new LengthScore(LengthPenaltyForm.Gnmt, p).Of(-3, length), 1e-5);
            }
        }
    }

    private static PartialHypothesis Output(params ReadOnlySpan<int> tokens)
    {
        var output = PartialHypothesis.Empty;
        foreach (int token in tokens)
            output = output.Then(token, -1);
        return output;
    }
}
