using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>TER: the expectations are what sacreBLEU 2.6 (commit f615c728) computes.</summary>
public sealed class TerTests
{
    [Theory]
    [InlineData(false, false, false, false, 4, 11.5)]
    [InlineData(false, false, false, true, 6, 11.5)]
    [InlineData(false, true, true, true, 6, 11.5)]
    [InlineData(true, false, false, false, 4, 13.5)]
    [InlineData(true, false, false, true, 6, 13.5)]
    [InlineData(true, false, true, false, 4, 17.5)]
    [InlineData(true, true, false, true, 6, 11.5)]
    [InlineData(true, true, true, false, 4, 14.5)]
    public void EqualsSacreBleuOnSomeLinesOfTheWorld(bool normalized, bool noPunctuation, bool asian, bool cased, long edits, double words)
    {
        var options = new TerOptions { Normalized = normalized, NoPunctuation = noPunctuation, AsianSupport = asian, CaseSensitive = cased };
        var score = Ter.Corpus(
            ["Der Hund biss den Mann.", "ΟΔΟΣ 日本語です。", "", "A e\u0301 \U0001D538 1,000.50!"],
            [
                ["Der Hund hat den Mann gebissen.", "οδος 日本語だ。", "leer", "a e\u0301 \U0001D538 1,000.5!"],
                ["Der Hund biss ihn.", null, "", null],
            ],
            options);
        Assert.Equal((edits, words), (score.Edits, score.ReferenceLength));
        Assert.Equal(100 * (edits / words), score.Score);
        string No(bool value) => value ? "yes" : "no";
        Assert.StartsWith(
            $"nrefs:var|case:{(cased ? "mixed" : "lc")}|tok:tercom|norm:{No(normalized)}|punct:{No(!noPunctuation)}|asian:{No(asian)}|version:cudaseq-", score.Signature);
    }

    [Theory]
    [InlineData(true, false, false, "（東京）、「日本」。ﾃﾞ｡ カタカナ ひらがな㈱㎏㏍⺀豈︰﹏ ䷀䶿 x・y")]
    [InlineData(true, false, true, "（ 東 京 ） 、 「 日 本 」 。 ﾃﾞ ｡ カタカナ ひらがな ㈱ ㎏ ㏍ ⺀ 豈 ︰ ﹏ ䷀ 䶿 x ・ y")]
    [InlineData(false, true, false, "（東京）、「日本」。ﾃﾞ｡ カタカナ ひらがな㈱㎏㏍⺀豈︰﹏ ䷀䶿 x・y")]
    [InlineData(false, true, true, "東京日本ﾃﾞ カタカナ ひらがな㈱㎏㏍⺀豈︰﹏ ䷀䶿 xy")]
    [InlineData(true, true, true, "東 京 日 本 ﾃﾞ カタカナ ひらがな ㈱ ㎏ ㏍ ⺀ 豈 ︰ ﹏ ䷀ 䶿 x y")]
    public void CutsEastAsianText(bool normalized, bool noPunctuation, bool asian, string words)
        => Cuts(normalized, noPunctuation, asian, "（東京）、「日本」。ﾃﾞ｡ カタカナ ひらがな㈱㎏㏍⺀豈︰﹏ ䷀䶿 x・y", words);

    [Theory]
    [InlineData(true, false, "it 's the dogs' 's a 's . \" a \" < b > & amp ; 1990 - 91 -5 3,5 a , b . 5 5 . ( x ) [ y ] \U0001F642 . \U0001F642 ,")]
    [InlineData(false, true, "it's the dogs' 's a 's &quota&quot&ltb&gt &ampamp 1990-91 -5 35 ab 5 5 x[y] \U0001F642\U0001F642")]
    [InlineData(true, true, "it 's the dogs' 's a 's a < b > & amp 1990 - 91 -5 35 a b 5 5 x [ y ] \U0001F642 \U0001F642")]
    public void CutsWesternText(bool normalized, bool noPunctuation, string words)
        => Cuts(normalized, noPunctuation, asian: false, "It's the dogs' 's a 's. &quot;a&quot;&lt;b&gt; &amp;amp; 1990-91 -5 3,5 a,b .5 5. (x)[y] \U0001F642.\U0001F642,", words);

    [Fact]
    public void JoinsLinesAsTercomDoes()
    {
        Cuts(normalized: true, noPunctuation: false, asian: false, "A\n-b\nc d", "ab c d");
        Cuts(normalized: false, noPunctuation: true, asian: false, "A\n-b\nc d", "a -b c d");
    }

    [Fact]
    public void AReferenceIsNormalizedTwice()
    {
        var options = new TerOptions { Normalized = true };
        Assert.Equal("anna's , too", string.Join(' ', TercomWords.Of("Anna's, too", options)));
        Assert.Equal("anna 's , too", string.Join(' ', TercomWords.OfReference("Anna's, too", options)));
        Assert.Equal((0, 4), (Ter.Sentence("Anna 's, too", ["Anna's, too"], options).Edits, Ter.Sentence("", ["Anna's, too"], options).ReferenceLength));
        Assert.Equal(2, Ter.Sentence("Anna 's, too", ["Anna's, too"]).Edits);
    }

    [Fact]
    public void ASequenceIsShiftedAtTheCostOfOneEdit()
    {
        Assert.Equal(1, Ter.Sentence("d e f g h a b c", ["a b c d e f g h"]).Edits);
        Assert.Equal(2, Ter.Sentence("d e f x h a b c", ["a b c d e f g h"]).Edits);

        // Eleven words take two shifts, where ten take one.
        string ten = "1 2 3 4 5 6 7 8 9 10", rest = "a b c d e f g h i j k l m n";
        Assert.Equal(1, Ter.Sentence($"{rest} {ten}", [$"{ten} {rest}"]).Edits);
        Assert.Equal(2, Ter.Sentence($"{rest} {ten} 11", [$"{ten} 11 {rest}"]).Edits);
    }

    [Fact]
    public void EdgesOfTheScore()
    {
        Assert.Equal((0, 0L, 0), Triple(Ter.Sentence("", [""])));
        Assert.Equal((100, 2L, 0), Triple(Ter.Sentence("a b", [""])));
        Assert.Equal((100, 2L, 2), Triple(Ter.Sentence("", ["a b"])));
        Assert.Equal((300, 3L, 1), Triple(Ter.Sentence("b c d e", ["b"])));

        // The nearest reference gives the edits, the mean of both the words.
        Assert.Equal((50, 1L, 2), Triple(Ter.Sentence("a b", ["a", "c d e"])));

        static (double, long, double) Triple(TerScore score) => (score.Score, score.Edits, score.ReferenceLength);
    }

    [Fact]
    public void PrintsItsSignature()
    {
        var score = Ter.Corpus(["a b c d"], ["a b c e"]);
        Assert.Equal($"nrefs:1|case:lc|tok:tercom|norm:no|punct:yes|asian:no|version:cudaseq-{typeof(Ter).Assembly.GetName().Version!.ToString(3)}", score.Signature);
        Assert.Equal($"TER|{score.Signature} = 25.00", score.ToString());
    }

    [Fact]
    public void RefusesUnequalAndEmptyCorpora()
    {
        Assert.Equal("Ter: hypotheses and references must have as many lines as each other, got 2 and 1.", Message(() => Ter.Corpus(["a", "b"], ["a"])));
        Assert.Equal("Ter: must be given at least one line, got none.", Message(() => Ter.Corpus([], Array.Empty<string>())));
        Assert.Equal("Ter: every line must have a reference, line 1 has none.", Message(() => Ter.Sentence("a", [null])));
    }

    [Fact]
    public void StopsWhenAsked()
        => Assert.Throws<OperationCanceledException>(() => Ter.Corpus(["a"], [["a"]], cancellation: new CancellationToken(canceled: true)));

    private static void Cuts(bool normalized, bool noPunctuation, bool asian, string line, string words)
        => Assert.Equal(words, string.Join(' ', TercomWords.Of(line, new TerOptions { Normalized = normalized, NoPunctuation = noPunctuation, AsianSupport = asian })));

    private static string Message(Action call) => Assert.Throws<ArgumentException>(call).Message;
}
