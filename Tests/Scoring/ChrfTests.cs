using CudaSeq.Models;

namespace CudaSeq.Tests;

public sealed class ChrfTests
{
    [Theory]
    [InlineData(2, 0, false, false, false, 56.2451937292)]
    [InlineData(3, 0, true, false, false, 71.9642238310)]
    [InlineData(2, 0, false, true, false, 63.2839115452)]
    [InlineData(3, 0, false, false, true, 59.8202887661)]
    [InlineData(3, 0, true, true, true, 80.2228617152)]
    [InlineData(2, 2, false, false, false, 53.0099105856)]
    [InlineData(2, 2, true, false, false, 67.2963576674)]
    [InlineData(3, 2, true, true, false, 72.1303505787)]
    [InlineData(2, 2, false, true, true, 60.3223808403)]
    [InlineData(3, 2, false, false, true, 56.2175006541)]
    public void EqualsSacreBleuOnSomeLinesOfTheWorld(int beta, int words, bool lowercase, bool whitespace, bool epsilon, double expected)
    {
        // Made with sacreBLEU 2.6 (commit f615c728), as the case of the same name for BLEU.
        var score = Chrf.Corpus(
            ["Der Hund biss den Mann.", "ΟΔΟΣ 日本語です。", "", "A e\u0301 \U0001D538 1,000.50!"],
            [
                ["Der Hund hat den Mann gebissen.", "οδος 日本語だ。", "leer", "a e\u0301 \U0001D538 1,000.5!"],
                ["Der Hund biss ihn.", null, "", null],
            ],
            new ChrfOptions { Beta = beta, WordOrder = words, Lowercase = lowercase, Whitespace = whitespace, EpsilonSmoothing = epsilon });
        Assert.Equal(expected, score.Score, 1e-9);
        string variant = $"nrefs:var|case:{(lowercase ? "lc" : "mixed")}|eff:{(epsilon ? "no" : "yes")}|nc:6|nw:{words}|space:{(whitespace ? "yes" : "no")}|version:cudaseq-";
        Assert.StartsWith(variant, score.Signature);
    }

    [Fact]
    public void CountsCodePointsThenWords()
    {
        var score = Chrf.Sentence("a \U0001F642b", ["a \U0001F642c."], new ChrfOptions { CharacterOrder = 3, WordOrder = 2 });
        Assert.Equal([3, 2, 1, 2, 1], score.HypothesisTotals);
        Assert.Equal([4, 3, 2, 3, 2], score.ReferenceTotals);
        Assert.Equal([2, 1, 0, 1, 0], score.Matches);
    }

    [Fact]
    public void AnOrderThatTheReferenceLacksDoesNotCount()
    {
        var score = Chrf.Sentence("abc", ["a"], new ChrfOptions { CharacterOrder = 3 });
        Assert.Equal([3, 0, 0], score.HypothesisTotals);
        Assert.Equal(100 * 5.0 / 7, score.Score, 1e-12);
    }

    [Fact]
    public void TheReferenceWithTheBestScoreCountsAndOfEqualsTheFirst()
    {
        Assert.Equal(100, Chrf.Sentence("abc", ["xyz", "abc", null]).Score, 1e-12);
        Assert.Equal(2, Chrf.Sentence("abc", ["xy", "uvw"]).ReferenceTotals[0]);
        Assert.Equal(3, Chrf.Sentence("abc", ["uvw", "xy"]).ReferenceTotals[0]);
    }

    [Fact]
    public void EdgesOfTheScore()
    {
        Assert.Equal(0, Chrf.Sentence("", [""]).Score);
        Assert.Equal(0, Chrf.Sentence("", ["a"]).Score);
        Assert.Equal(0, Chrf.Sentence("a", [""]).Score);
        Assert.Equal(100, Chrf.Sentence("a b c", ["abc"]).Score, 1e-12);
        Assert.True(Chrf.Sentence("a b c", ["abc"], new ChrfOptions { Whitespace = true }).Score < 100);
    }

    [Fact]
    public void PrintsNameAndSignature()
    {
        string version = typeof(Chrf).Assembly.GetName().Version!.ToString(3);
        var score = Chrf.Corpus(["a b"], ["a c"]);
        Assert.Equal("chrF2", score.Name);
        Assert.Equal($"nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:cudaseq-{version}", score.Signature);
        Assert.Equal($"chrF2|{score.Signature} = 25.00", score.ToString());
        Assert.Equal("chrF2++", Chrf.Corpus(["a"], ["a"], ChrfOptions.PlusPlus).Name);
        var other = Chrf.Corpus(["a"], [["a"], ["b"]], new ChrfOptions { Beta = 3, WordOrder = 1, CharacterOrder = 5, Lowercase = true, Whitespace = true, EpsilonSmoothing = true });
        Assert.Equal(("chrF3+", $"nrefs:2|case:lc|eff:no|nc:5|nw:1|space:yes|version:cudaseq-{version}"), (other.Name, other.Signature));
    }

    [Fact]
    public void RefusesUnequalCorporaAndWhatIsNoVariant()
    {
        static string Message(Action call) => Assert.Throws<ArgumentException>(call).Message;
        static string Refusal(ChrfOptions options) => Message(() => Chrf.Corpus(["a"], ["a"], options));
        Assert.Equal("Chrf: hypotheses and references must have as many lines as each other, got 1 and 2.", Message(() => Chrf.Corpus(["a"], ["a", "b"])));
        Assert.Equal("Chrf: must be given at least one line, got none.", Message(() => Chrf.Corpus([], Array.Empty<string>())));
        Assert.Equal("Chrf: must be given references, got none.", Message(() => Chrf.Sentence("a", [])));
        Assert.Equal("Chrf: every line must have a reference, line 1 has none.", Message(() => Chrf.Sentence("a", [null])));
        Assert.Equal("Chrf: CharacterOrder must be at least 1, got 0.", Refusal(new ChrfOptions { CharacterOrder = 0 }));
        Assert.Equal("Chrf: WordOrder must be at least 0, got -1.", Refusal(new ChrfOptions { WordOrder = -1 }));
        Assert.Equal("Chrf: Beta must be at least 0, got -1.", Refusal(new ChrfOptions { Beta = -1 }));
    }
}
