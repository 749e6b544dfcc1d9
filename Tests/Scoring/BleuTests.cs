using CudaSeq.Models;

namespace CudaSeq.Tests;

public sealed class BleuTests
{
    [Theory]
    [InlineData(BleuTokenization.Mteval13a, BleuSmoothing.Exponential, null, false, "13a|smooth:exp", 25.0792922953)]
    [InlineData(BleuTokenization.Mteval13a, BleuSmoothing.Floor, null, true, "13a|smooth:floor[0.10]", 22.1740652992)]
    [InlineData(BleuTokenization.Mteval13a, BleuSmoothing.None, null, false, "13a|smooth:none", 0)]
    [InlineData(BleuTokenization.International, BleuSmoothing.Exponential, null, true, "intl|smooth:exp", 35.0602756654)]
    [InlineData(BleuTokenization.International, BleuSmoothing.AddK, null, false, "intl|smooth:add-k[1.00]", 35.4169876614)]
    [InlineData(BleuTokenization.Character, BleuSmoothing.None, null, true, "char|smooth:none", 81.6496580928)]
    [InlineData(BleuTokenization.Character, BleuSmoothing.AddK, 0.25, false, "char|smooth:add-k[0.25]", 68.2009795059)]
    [InlineData(BleuTokenization.None, BleuSmoothing.Floor, 0.5, false, "none|smooth:floor[0.50]", 28.7353932259)]
    [InlineData(BleuTokenization.None, BleuSmoothing.Exponential, null, true, "none|smooth:exp", 39.4588125559)]
    public void EqualsSacreBleuOnSomeLinesOfTheWorld(BleuTokenization tokenization, BleuSmoothing smoothing, double? value, bool lowercase, string signature, double expected)
    {
        // Made with sacreBLEU 2.6 (commit f615c728): several references, a missing one, empty lines, Greek, Japanese, combining marks, characters beyond 16 bits.
        var options = new BleuOptions { Tokenization = tokenization, Smoothing = smoothing, SmoothingValue = value, Lowercase = lowercase };
        var score = Bleu.Corpus(
            ["Der Hund biss den Mann.", "ΟΔΟΣ 日本語です。", "", "A e\u0301 \U0001D538 1,000.50!"],
            [
                ["Der Hund hat den Mann gebissen.", "οδος 日本語だ。", "leer", "a e\u0301 \U0001D538 1,000.5!"],
                ["Der Hund biss ihn.", null, "", null],
            ],
            options);
        Assert.Equal(expected, score.Score, 1e-9);
        Assert.StartsWith($"nrefs:var|case:{(lowercase ? "lc" : "mixed")}|eff:no|tok:{signature}|version:cudaseq-", score.Signature);
    }

    [Fact]
    public void CountsAmountToTheScore()
    {
        // sacreBLEU's test_bleu.py, test_scoring.
        Assert.Equal(83.75922397, Bleu.FromCounts([9, 7, 5, 3], [10, 8, 6, 4], 11, 11, "", new BleuOptions { Smoothing = BleuSmoothing.None }).Score, 1e-7);
    }

    [Fact]
    public void EdgesOfTheScore()
    {
        var same = Bleu.Corpus(["the cat sat on the mat"], ["the cat sat on the mat"]);
        Assert.Equal(100, same.Score, 1e-9);
        var empty = Bleu.Corpus(["", ""], ["a b", "c"]);
        Assert.Equal((0, 0, 0L, 3L), (empty.Score, empty.BrevityPenalty, empty.HypothesisLength, empty.ReferenceLength));
        var nothing = Bleu.Corpus([""], [""]);
        Assert.Equal((0, 1, 0L, 0L, 0), (nothing.Score, nothing.BrevityPenalty, nothing.HypothesisLength, nothing.ReferenceLength, nothing.Ratio));
        var strange = Bleu.Corpus(["x y z w v"], ["a b c d e"]);
        Assert.Equal((0, 1), (strange.Score, strange.BrevityPenalty));
        Assert.Equal([0, 0, 0, 0], strange.Precisions);

        // Three words: no 4-gram, so sacreBLEU's corpus score is 0 unless orders without n-grams are left out.
        Assert.Equal(0, Bleu.Corpus(["a b c"], ["a b c"]).Score, 1e-9);
        Assert.Equal(100, Bleu.Sentence("a b c", ["a b c"]).Score, 1e-9);
    }

    [Fact]
    public void RepeatedWordsCountAsOftenAsAReferenceHasThem()
    {
        // The example of the paper, section 2.1: modified unigram precision 2/7.
        var score = Bleu.Corpus(["the the the the the the the"], [["the cat is on the mat"], ["there is a cat on the mat"]]);
        Assert.Equal((2L, 7L), (score.Matches[0], score.Totals[0]));
        Assert.Equal(7, score.ReferenceLength);
    }

    [Fact]
    public void AnEmptyReferenceHasALengthAndAMissingOneHasNot()
    {
        // The empty reference is as close to two words as the one of four words, and shorter.
        Assert.Equal(0, Bleu.Corpus(["a b"], [["a b c d"], [""]]).ReferenceLength);
        var missing = Bleu.Corpus(["a b"], [["a b c d"], [null]]);
        Assert.Equal(4, missing.ReferenceLength);
        Assert.StartsWith("nrefs:1|", missing.Signature);
        Assert.StartsWith("nrefs:var|", Bleu.Corpus(["a b", "c"], [["a b c d", "c"], [null, "d"]]).Signature);
    }

    [Fact]
    public void SmoothingLeavesTheCountsAlone()
    {
        var score = Bleu.Sentence("a b c x", ["a b c d"], new BleuOptions { Smoothing = BleuSmoothing.AddK });
        Assert.Equal([3, 2, 1, 0], score.Matches);
        Assert.Equal([4, 3, 2, 1], score.Totals);
        Assert.Equal([75, 75, 200.0 / 3, 50], score.Precisions);
    }

    // What perl 5.36 printed for perl -ple 's{(\S)-(\S)}{$1 ##AT##-##AT## $2}g', without any -C, as the papers' script calls it.
    [Theory]
    [InlineData("a-b-c", "a ##AT##-##AT## b-c")]
    [InlineData("a-é-c", "a ##AT##-##AT## é ##AT##-##AT## c")]
    [InlineData("ab-cd-ef x-y", "ab ##AT##-##AT## cd ##AT##-##AT## ef x ##AT##-##AT## y")]
    [InlineData("a--b", "a ##AT##-##AT## -b")]
    [InlineData("--a", "- ##AT##-##AT## a")]
    [InlineData("-a a-", "-a a-")]
    [InlineData("a---b-c", "a ##AT##-##AT## --b ##AT##-##AT## c")]
    [InlineData("ü-ö-ä-x", "ü ##AT##-##AT## ö ##AT##-##AT## ä ##AT##-##AT## x")]
    [InlineData("𝒳-𝒴-z", "𝒳 ##AT##-##AT## 𝒴 ##AT##-##AT## z")]
    [InlineData("a - b", "a - b")]
    [InlineData("1-2-3-4-5", "1 ##AT##-##AT## 2-3 ##AT##-##AT## 4-5")]
    [InlineData("x- y", "x- y")]
    [InlineData("a-\"b\"-c", "a ##AT##-##AT## \"b\" ##AT##-##AT## c")]
    [InlineData("x\t-y a-\tb", "x\t-y a-\tb")]
    [InlineData("x-\u00a0-b", "x ##AT##-##AT## \u00a0 ##AT##-##AT## b")]
    [InlineData("", "")]
    public void CompoundsAreSplitAsPerlSplitsThem(string line, string expected) => Assert.Equal(expected, Compounds.Split(line));

    [Fact]
    public void SplitCompoundsAreWordsOfBleu()
    {
        string[] hypotheses = ["das hoch-moderne Vier-Sterne-Hotel ist neu .", "ein Test"], references = ["das hoch-moderne Drei-Sterne-Hotel ist neu .", "ein - Test"];
        var options = new BleuOptions { Tokenization = BleuTokenization.None, SplitCompounds = true };
        var score = Bleu.Corpus(hypotheses, references, options);
        var byHand = Bleu.Corpus([.. hypotheses.Select(Compounds.Split)], [.. references.Select(Compounds.Split)], options with { SplitCompounds = false });
        Assert.Equal((byHand.Score, byHand.HypothesisLength, 14), (score.Score, score.HypothesisLength, score.HypothesisLength));
        Assert.Equal(byHand.Matches, score.Matches);
        Assert.True(score.Score > Bleu.Corpus(hypotheses, references, options with { SplitCompounds = false }).Score);
        Assert.Contains("|tok:none|smooth:exp|compounds:split|version:", score.Signature);
        Assert.DoesNotContain("compounds", byHand.Signature);

        // Words that another tokenisation has made are split behind it; it does not see the marks.
        Assert.Equal(["a", "##AT##-##AT##", "b", ","], BleuWords.Of("a-b,", new BleuOptions { SplitCompounds = true }));
        Assert.Equal(["a", "-", "b", ","], BleuWords.Of("a-b,", new BleuOptions { SplitCompounds = true, Tokenization = BleuTokenization.International }));
        Assert.Equal(["a", "##AT##-##AT##", "b"], BleuWords.Of("A-B", options with { Lowercase = true }));
        Assert.Equal([], BleuWords.Of("", options));
    }

    [Fact]
    public void PrintsItsSignature()
    {
        string version = typeof(Bleu).Assembly.GetName().Version!.ToString(3);
        var score = Bleu.Corpus(["a b c d e f"], [["a b c d x f"]]);
        Assert.Equal($"nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:cudaseq-{version}", score.Signature);
        Assert.Equal(
            $"BLEU|{score.Signature} = 53.73 83.3/60.0/50.0/33.3 (BP = 1.000 ratio = 1.000 hyp_len = 6 ref_len = 6)", score.ToString());
        var options = new BleuOptions { Lowercase = true, EffectiveOrder = true, Smoothing = BleuSmoothing.None, Tokenization = BleuTokenization.None };
        Assert.Equal($"nrefs:2|case:lc|eff:yes|tok:none|smooth:none|version:cudaseq-{version}", Bleu.Corpus(["A"], [["a"], ["b"]], options).Signature);
        options = new BleuOptions { Order = 2, Smoothing = BleuSmoothing.Floor, Tokenization = BleuTokenization.Character };
        Assert.Equal($"nrefs:1|case:mixed|eff:no|tok:char|smooth:floor[0.10]|order:2|version:cudaseq-{version}", Bleu.Corpus(["A"], ["a"], options).Signature);
        Assert.StartsWith("nrefs:1|case:mixed|eff:yes|", Bleu.Sentence("a", ["a"]).Signature);
    }

    [Fact]
    public void RefusesUnequalAndEmptyCorpora()
    {
        Assert.Equal("Bleu: hypotheses and references must have as many lines as each other, got 3 and 2.", Message(() => Bleu.Corpus(["a", "b", "c"], ["a", "b"])));
        Assert.Equal("Bleu: must be given at least one line, got none.", Message(() => Bleu.Corpus([], Array.Empty<string>())));
        Assert.Equal("Bleu: must be given references, got none.", Message(() => Bleu.Corpus(["a"], Array.Empty<string[]>())));
        Assert.Equal("Bleu: must be given references, got none.", Message(() => Bleu.Sentence("a", [])));
        Assert.Equal("Bleu: every line must have a reference, line 2 has none.", Message(() => Bleu.Corpus(["a", "b"], [["a", null], ["b", null]])));
    }

    [Fact]
    public void RefusesWhatIsNoVariant()
    {
        static string Refusal(BleuOptions options) => Message(() => Bleu.Corpus(["a"], ["a"], options));
        Assert.Equal("Bleu: Order must be at least 1, got 0.", Refusal(new BleuOptions { Order = 0 }));
        Assert.Equal("Bleu: SmoothingValue is for the smoothings floor and add-k, got 0.5 for exp.", Refusal(new BleuOptions { SmoothingValue = 0.5 }));
        Assert.Equal("Bleu: SmoothingValue must be a number of at least 0, got -1.", Refusal(new BleuOptions { Smoothing = BleuSmoothing.AddK, SmoothingValue = -1 }));
        Assert.Equal("Bleu: SmoothingValue must be a number of at least 0, got NaN.", Refusal(new BleuOptions { Smoothing = BleuSmoothing.Floor, SmoothingValue = double.NaN }));
    }

    private static string Message(Action call) => Assert.Throws<ArgumentException>(call).Message;
}
