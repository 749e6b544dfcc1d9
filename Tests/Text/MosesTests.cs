using CudaSeq.Models;

namespace CudaSeq.Tests;

public sealed class MosesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void NormalizesAsTheScriptDoes()
    {
        var normalizer = new MosesNormalizer("en");
        Assert.Equal(Truth("normpunct"), Truth("raw").Select(l => normalizer.Normalize(l)));
    }

    [Theory]
    [InlineData("tok", false, true)]
    [InlineData("tok-noescape", false, false)]
    [InlineData("tok-a", true, true)]
    public void TokenizesAndDetokenizesAsTheScriptsDo(string name, bool dashes, bool escape)
    {
        var tokenizer = new MosesTokenizer("en", new MosesTokenizerOptions { AggressiveDashSplits = dashes, Escape = escape });
        var detokenizer = new MosesDetokenizer("en");
        string[] tokens = [.. Truth("raw").Select(tokenizer.Tokenize)];
        Assert.Equal(Truth(name), tokens);
        Assert.Equal(Truth("detok"), tokens.Select(detokenizer.Detokenize));
    }

    // The published German files were made by a version of the script that left the full stop at a word of the list also at the end of a line.
    [Theory]
    [InlineData("en", "val", 0)]
    [InlineData("en", "test_2016_flickr", 0)]
    [InlineData("en", "train", 0)]
    [InlineData("de", "val", 0)]
    [InlineData("de", "test_2016_flickr", 1)]
    [InlineData("de", "train", 12)]
    public void MakesThePublishedTokensOfMulti30k(string language, string part, int differing)
    {
        var normalizer = new MosesNormalizer(language);
        var tokenizer = new MosesTokenizer(language);
        var pairs = TextFile.ReadLines(TestData.Require($"multi30k/{part}.{language}"))
            .Select(l => tokenizer.Tokenize(normalizer.Normalize(l.ToLowerInvariant() + "\n")))
            .Zip(TextFile.ReadLines(TestData.Require($"multi30k/tok/{part}.lc.norm.tok.{language}")), (mine, published) => (mine, published));
        var different = pairs.Where(p => p.mine != p.published).ToList();
        Assert.All(different, p => Assert.Equal(p.mine, $"{p.published[..^1]} ."));
        Assert.Equal(differing, different.Count);
    }

    // Made by the scripts of Moses (2025) from the lines that MosesText.Lines(5, 1500) makes, with this list of words.
    [Theory]
    [InlineData("en", "89dbc5369e398c43")]
    [InlineData("de", "dab5918296f83def")]
    [InlineData("fr", "8edc809d07ab407c")]
    [InlineData("cs", "5d2e69845f975978")]
    [InlineData("it", "6a4d1b6cd6a6a64d")]
    [InlineData("sv", "bccb07c47d7a6017")]
    [InlineData("so", "c263f9e16f22cc19")]
    public void HostileTextGivesTheScriptsOwnBytes(string language, string hash)
    {
        var normalizer = new MosesNormalizer(language);
        var prefixes = MosesPrefixes.Load(_folder.File("prefixes", "# own\nMr\nDr\nSt\nNo #NUMERIC_ONLY#\n"));
        var tokenizer = new MosesTokenizer(language, new MosesTokenizerOptions { Prefixes = prefixes });
        var protecting = new MosesTokenizer(language, new MosesTokenizerOptions
        {
            Prefixes = prefixes,
            AggressiveDashSplits = true,
            Escape = false,
            ProtectedPatterns = [@"\S+@\S+", @"https?://\S+", @"\([^)]*\)", @"[a-z\_]+'s"],
        });
        var detokenizer = new MosesDetokenizer(language);
        string[] lines = MosesText.Lines(5, 1500), tokens = [.. lines.Select(tokenizer.Tokenize)];
        string[] all =
        [
            .. lines.Select(l => normalizer.Normalize(l + "\n")[..^1]), .. tokens, .. lines.Select(protecting.Tokenize), .. lines.Select(detokenizer.Detokenize), .. tokens.Select(detokenizer.Detokenize),
        ];
        Assert.Equal(hash, Hash.Of(all));
    }

    [Theory]
    [InlineData("en", "He said \u201Cyes\u201D, then \u201Cno\u201D.\n", "He said \"yes,\" then \"no.\"\n")]
    [InlineData("de", "Er sagte \u201Eja,\u201C dann \u201Enein.\u201C\n", "Er sagte \"ja\", dann \"nein\".\n")]
    [InlineData("de", "dann \u201Enein.\u201C", "dann \"nein.\"")]
    [InlineData("cs", "\u201Ene.\u201C 1\u00A0000\n", "\"ne.\" 1,000\n")]
    [InlineData("fr", "\u00AB\u00A0oui\u00A0\u00BB\u00A0! 20\u00A0%\r\n", "\"oui\" ! 20%\n")]
    [InlineData("en", "a( b )c \u2014 it\u2019s \u2019 \u00B4 \u2026 1\u00A0000 5 %", "a (b) c - it's \" ' ... 1.000 5%")]
    public void Normalizes(string language, string line, string normal) => Assert.Equal(normal, new MosesNormalizer(language).Normalize(line));

    [Theory]
    [InlineData("en", "Mr. Smith's dog can't see 3,000 cats, e.g. at 5 p.m.", "Mr. Smith &apos;s dog can &apos;t see 3,000 cats , e.g. at 5 p.m .")]
    [InlineData("en", "No. 5 is here. No. Yes. The end...", "No. 5 is here . No . Yes . The end ...")]
    [InlineData("en", "the 1990's & A,B,C [x|y] <z>", "the 1990 &apos;s &amp; A , B , C &#91; x &#124; y &#93; &lt; z &gt;")]
    [InlineData("de", "Am 3. Oktober kam Dr. M\u00FCller z.B. mit ca. 20 Leuten. Geht's?", "Am 3. Oktober kam Dr. M\u00FCller z.B. mit ca. 20 Leuten . Geht &apos; s ?")]
    [InlineData("fr", "L'eau n'est pas aujourd'hui.", "L&apos; eau n&apos; est pas aujourd&apos; hui .")]
    [InlineData("fi", "EU:ssa ja EU:N asia:", "EU:ssa ja EU : N asia :")]
    [InlineData("en", "he said 'no.'", "he said &apos; no . &apos; ")]
    [InlineData("en", "\u0939\u093F\u0928\u094D\u0926\u0940 \U0001F642\U0001D49C x\u0001y", "\u0939\u093F\u0928 \u094D \u0926\u0940 \U0001F642 \U0001D49C xy")]
    [InlineData("en", "THISISPROTECTED000 DOTMULTI ..", "THISISPROTECTED000 DOTMULTI ..")]
    [InlineData("en", " \u00A0 \t", " \u00A0 \t")]
    [InlineData("en", "\u0001", "")]
    [InlineData("en", "", "")]
    public void Tokenizes(string language, string line, string tokens)
    {
        var options = new MosesTokenizerOptions { Prefixes = MosesPrefixes.Of(language) ?? MosesPrefixes.Of("en") };
        Assert.Equal(tokens, new MosesTokenizer(language, options).Tokenize(line));
    }

    [Fact]
    public void WhatAPatternFindsStaysOneToken()
    {
        var tokenizer = new MosesTokenizer("en", new MosesTokenizerOptions { Escape = false, AggressiveDashSplits = true, ProtectedPatterns = [@"\w+@[\w.]+\w", @"https?://\S+\w", "x*"] });
        Assert.Equal("Mail me@x.org or see http://x.org/a-b ? well @-@ known", tokenizer.Tokenize("Mail me@x.org or see http://x.org/a-b? well-known"));
    }

    [Theory]
    [InlineData("en", "He said , &quot; It &apos;s Jones &apos; &quot; ( 5 % ) .", "He said, \"It's Jones'\" (5%).")]
    [InlineData("en", "well @-@ known &amp; a &#91; b &#93; $ 5", "well-known & a [b] $5")]
    [InlineData("fr", "l&apos; eau est l\u00E0 ! Non .", "l'eau est l\u00E0 ! Non.")]
    [InlineData("cs", "3 . 5 a e - mail , je - li \u201E ano \u201C x y z", "3.5 a e-mail, je-li \u201Eano\u201C x y z")]
    [InlineData("en", "\u4E2D\u6587 \u3002 \uAC00 \uB098 a", "\u4E2D\u6587\u3002\uAC00\uB098 a")]
    [InlineData("ko", "\uAC00 \uB098", "\uAC00 \uB098")]
    [InlineData("en", "<seg id=1>", "<seg id=1>")]
    [InlineData("en", "  ", "  ")]
    public void Detokenizes(string language, string tokens, string text) => Assert.Equal(text, new MosesDetokenizer(language).Detokenize(tokens));

    [Fact]
    public void EveryListHoldsWordsOfOneKind()
    {
        foreach (string language in MosesPrefixes.Languages)
        {
            var prefixes = MosesPrefixes.Of(language)!;
            Assert.True(prefixes.Keeps("Dr") && prefixes.Keeps("A"), language);
            Assert.False(prefixes.Keeps("xyzzy") || prefixes.Keeps(""), language);
        }

        Assert.True(MosesPrefixes.Of("de")!.Keeps("99") && !MosesPrefixes.Of("de")!.Keeps("100") && !MosesPrefixes.Of("en")!.Keeps("9"));
        Assert.True(MosesPrefixes.Of("en")!.KeepsBeforeNumber("No") && !MosesPrefixes.Of("en")!.Keeps("No"));
        Assert.Null(MosesPrefixes.Of("pt"));
    }

    [Fact]
    public void WhatCannotBeMeantIsRefused()
    {
        Assert.Equal("MosesNormalizer: the language must be a code of two or three small letters such as en, got 'EN'.", Assert.Throws<ArgumentException>(() => new MosesNormalizer("EN")).Message);
        Assert.Equal("MosesTokenizer: the language must be a code of two or three small letters such as en, got ''.", Assert.Throws<ArgumentException>(() => new MosesTokenizer("")).Message);
        Assert.Equal(
            "MosesTokenizer: the language must be one of cs, de, en, es, fr, it unless nonbreaking prefixes are given, got pt.",
            Assert.Throws<ArgumentException>(() => new MosesTokenizer("pt")).Message);
        Assert.Equal(
            "MosesTokenizer: protected pattern 2 must be a regular expression, got '(' (InsufficientClosingParentheses at 1).",
            Assert.Throws<ArgumentException>(() => new MosesTokenizer("en", new MosesTokenizerOptions { ProtectedPatterns = ["a", "("] })).Message);
        Assert.Equal(
            "MosesDetokenizer: the language must be another than fi, whose endings behind a colon have no rules here.",
            Assert.Throws<ArgumentException>(() => new MosesDetokenizer("fi")).Message);
        string path = _folder.File("prefixes", "# nothing\n\n #NUMERIC_ONLY#\n");
        Assert.Equal($"{path}: must hold at least one word a line, got none.", Assert.Throws<InvalidDataException>(() => MosesPrefixes.Load(path)).Message);
        Assert.Equal($"{path}x: there is no such file.", Assert.Throws<FileNotFoundException>(() => MosesPrefixes.Load(path + "x")).Message);
    }

    private static IEnumerable<string> Truth(string name) => TextFile.ReadLines(TestData.Require($"truth/moses/alt_dev.{name}.en"));
}
