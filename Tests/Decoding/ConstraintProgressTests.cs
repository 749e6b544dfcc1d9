using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>Progress through phrases, apart from any search.</summary>
public sealed class ConstraintProgressTests
{
    private const int Lowest = 3;
    private const int Highest = 6;

    // The kinds of word bounds that tokenisers have. Of subwords, token 6 does not end its word; of raw pieces, tokens 5 and 6 do not begin one.
    private static readonly Func<int, bool> EndsWord = t => t != 6, BeginsWord = t => t < 5;

    [Theory]
    [InlineData("none", ConstraintOrder.Unordered)]
    [InlineData("none", ConstraintOrder.Ordered)]
    [InlineData("before", ConstraintOrder.Unordered)]
    [InlineData("before", ConstraintOrder.Ordered)]
    [InlineData("after", ConstraintOrder.Unordered)]
    [InlineData("after", ConstraintOrder.Ordered)]
    public void AnOutputMayEndIffItHoldsItsPhrasesAndThereIsAlwaysAWayToThem(string bounds, ConstraintOrder order)
    {
        var random = new Random(11);
        int met = 0;
        for (int n = 0; n < 4000; n++)
        {
            LexicalConstraint[] constraints = [.. Enumerable.Range(0, random.Next(1, 5)).Select(_ => Phrase(random, bounds))];
            var progress = ConstraintProgress.Of(new ConstraintSet(constraints, order));
            Assert.Equal(constraints.Sum(c => c.Tokens.Length), progress.Needed);
            var output = PartialHypothesis.Empty;
            for (int length = random.Next(0, 14); output.Length < length;)
                Say(random.Next(2) == 0 && progress.Wanted.Count > 0 ? progress.Wanted[random.Next(progress.Wanted.Count)] : random.Next(Lowest, Highest + 1));
            met += progress.IsMet ? 1 : 0;

            // What is wanted leads to the end in as many tokens as were said to be needed.
            for (int needed = progress.Needed; needed > 0; needed--)
            {
                var ways = (progress.Wanted.Count > 0 ? progress.Wanted : [Lowest]).Select(t => (Token: t, progress.Then(output.Then(t, 0)).Needed)).ToArray();
                Assert.True(ways.Min(w => w.Needed) < needed, $"{n}: {string.Join(' ', output.Tokens())}");
                Say(ways.MinBy(w => w.Needed).Token);
                needed = Math.Min(needed, progress.Needed + 1);
            }

            Assert.True(progress.IsMet);

            void Say(int token)
            {
                output = output.Then(token, 0);
                progress = progress.Then(output);
                Assert.Equal(PlainConstraints.Hold(output.Tokens(), constraints, order), progress.IsMet);
            }
        }

        Assert.InRange(met, 400, 3600);
    }

    [Fact]
    public void PhrasesInNoOrderMayShareTokensAndRepeatedOnesNeedTheirOwnPlaces()
    {
        Assert.True(Met([[4, 5], [5, 6]], 4, 5, 6));
        Assert.True(Met([[5], [4, 5]], 4, 5));
        Assert.False(Met([[5], [5]], 4, 5));
        Assert.True(Met([[5, 5], [5, 5]], 5, 5, 5));

        static bool Met(int[][] phrases, params int[] output)
        {
            var (node, progress) = (PartialHypothesis.Empty, ConstraintProgress.Of(new ConstraintSet(PlainConstraints.Of(phrases), ConstraintOrder.Unordered)));
            foreach (int token in output)
            {
                node = node.Then(token, 0);
                progress = progress.Then(node);
            }

            return progress.IsMet;
        }
    }

    private static LexicalConstraint Phrase(Random random, string bounds)
    {
        int[] tokens = [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => random.Next(Lowest, Highest + 1))];
        if (bounds == "before")
            tokens[^1] = random.Next(Lowest, Highest);
        if (bounds == "after")
            tokens[0] = random.Next(Lowest, Highest - 1);
        return new LexicalConstraint(tokens) { Before = bounds == "before" ? EndsWord : null, After = bounds == "after" ? BeginsWord : null };
    }
}
