using System.Globalization;
using System.Text.Json;
using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>GLEU against JFLEG's gleu.py.</summary>
public sealed class GleuTests
{
    [Theory]
    [InlineData("src", "dev.src")]
    [InlineData("spellchecked_src", "dev.spellchecked.src")]
    [InlineData("ref0", "dev.ref0")]
    [InlineData("ref1", "dev.ref1")]
    [InlineData("ref2", "dev.ref2")]
    [InlineData("ref3", "dev.ref3")]
    public void EqualsGleuPyOnJfleg(string expected, string hypotheses)
        => Assert.Equal(Six(Computed().GetProperty(expected).GetDouble()), Six(Gleu.Corpus(Jfleg(hypotheses), Jfleg("dev.src"), References(0, 1, 2, 3)).Score / 100));

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void EqualsGleuPyWithOneReferenceLeftOut(int left)
    {
        string[][] others = References([.. Enumerable.Range(0, 4).Where(r => r != left)]);
        double score = Gleu.Corpus(Jfleg($"dev.ref{left}"), Jfleg("dev.src"), others).Score;
        Assert.Equal(Six(Computed().GetProperty("leave_one_out")[left].GetDouble()), Six(score / 100));
    }

    [Fact]
    public void SpreadAndSentencesEqualGleuPys()
    {
        // gleu.py -r dev.ref0 .. dev.ref3 -s dev.src --hyp dev.spellchecked.src, then with --sent, then with dev.ref2 alone.
        string[] hypotheses = Jfleg("dev.spellchecked.src"), sources = Jfleg("dev.src");
        string[][] references = References(0, 1, 2, 3);
        var score = Gleu.Corpus(hypotheses, sources, references);
        Assert.Equal(("0.434253", "0.009212", "0.416", "0.452"), (Six(score.Score / 100), Six(score.Deviation / 100), Three(score.Low / 100), Three(score.High / 100)));
        Assert.StartsWith("nrefs:4|case:mixed|tok:none|iter:500|version:cudaseq-", score.Signature);
        string[] sentences = [.. Enumerable.Range(0, 6).Select(i => Of(Gleu.Sentence(hypotheses[i], sources[i], [.. references.Select(r => r[i])])))];
        Assert.Equal(["0.295044 0.289995", "0.274191 0.046404", "0.541218 0.179099", "0.407105 0.253822", "0.242293 0.225047", "0.360297 0.335790"], sentences);
        var single = Gleu.Corpus(hypotheses, sources, [references[2]]);
        Assert.Equal(("0.460105", 0), (Six(single.Score / 100), single.Deviation));
        Assert.StartsWith("nrefs:1|case:mixed|tok:none|iter:1|version:cudaseq-", single.Signature);

        static string Of(GleuScore score) => $"{Six(score.Score / 100)} {Six(score.Deviation / 100)}";
        static string Three(double value) => value.ToString("0.000", CultureInfo.InvariantCulture);
    }

    [Fact]
    public void WhatTheSourceHadAndTheReferenceHasNotIsPunished()
    {
        // Of the source's words x is wrong: kept, it takes a match away.
        Assert.Equal(100, Gleu.Corpus(["a b c d e"], ["a b c x e"], [["a b c d e"]]).Score, 1e-9);
        double kept = Gleu.Sentence("a b c x e", "a b c x e", ["a b c d e"]).Score, other = Gleu.Sentence("a b c y e", "a b c x e", ["a b c d e"]).Score;
        Assert.Equal(100 * Math.Pow(3.0 / 5 * 1 / 4 * 1 / 3 * 1 / 2, 0.25), kept, 1e-9);
        Assert.Equal(100 * Math.Pow(4.0 / 5 * 2 / 4 * 1 / 3 * 1 / 2, 0.25), other, 1e-9);
        Assert.Equal(0, Gleu.Corpus(["a b c x e"], ["a b c x e"], [["a b c d e"]]).Score);
    }

    [Fact]
    public void CaseCanBeLeftOut()
    {
        var options = new GleuOptions { Lowercase = true };
        Assert.Equal(100, Gleu.Corpus(["A b c D"], ["a b"], [["a B c d"]], options).Score, 1e-9);
        Assert.StartsWith("GLEU|nrefs:1|case:lc|tok:none|iter:1|version:cudaseq-", Gleu.Sentence("a", "a", ["a"], options).ToString());
    }

    [Fact]
    public void RefusesWhatCannotBeScored()
    {
        Assert.Equal("Gleu: hypotheses and sources must have as many lines as each other, got 1 and 2.", Message(() => Gleu.Corpus(["a"], ["a", "b"], [["a"]])));
        Assert.Equal("Gleu: hypotheses and references must have as many lines as each other, got 1 and 2.", Message(() => Gleu.Corpus(["a"], ["a"], [["a", "b"]])));
        Assert.Equal("Gleu: every line must have all 2 references, line 2 has 1.", Message(() => Gleu.Corpus(["a", "b"], ["a", "b"], [["a", "b"], ["a", null!]])));
        Assert.Equal("Gleu: must be given references, got none.", Message(() => Gleu.Sentence("a", "a", [])));
        Assert.Equal("Gleu: Iterations must be 1 to 1000000, got 0.", Message(() => Gleu.Sentence("a", "a", ["a"], new GleuOptions { Iterations = 0 })));
    }

    private static JsonElement Computed()
        => JsonDocument.Parse(File.ReadAllBytes(TestData.Require("truth/sacrebleu/jfleg_gleu_expected.json"))).RootElement.GetProperty("computed").GetProperty("dev");

    private static string[] Jfleg(string file) => [.. TextFile.ReadLines(TestData.Require($"jfleg/{file}"))];

    private static string[][] References(params int[] numbers) => [.. numbers.Select(r => Jfleg($"dev.ref{r}"))];

    private static string Six(double value) => value.ToString("0.000000", CultureInfo.InvariantCulture);

    private static string Message(Action call) => Assert.Throws<ArgumentException>(call).Message;
}
