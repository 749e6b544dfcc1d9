namespace CudaSeq.Tests;

public sealed class BpeVerbTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void LearnsAppliesAndUndoesThroughFiles()
    {
        string corpus = TestData.Require("truth/subword-nmt/corpus.en"), codes = _folder.PathOf("codes"), cut = _folder.PathOf("cut"), joined = _folder.PathOf("joined");
        Assert.Equal(new ToolRun(0, "", ""), Tool.Run("bpe", "learn", "--input", corpus, "--merges", "1000", "--codes", codes));
        Assert.Equal(new ToolRun(0, "", ""), Tool.Run("bpe", "apply", "--codes", codes, "--input", corpus, "--output", cut));
        Assert.Equal(new ToolRun(0, "", ""), Tool.Run("bpe", "undo", "--input", cut, "--output", joined));
        Assert.Equal(File.ReadAllBytes(TestData.Require("truth/subword-nmt/bpe.ref")), File.ReadAllBytes(codes));
        Assert.Equal(File.ReadAllBytes(TestData.Require("truth/subword-nmt/corpus.bpe.ref.en")), File.ReadAllBytes(cut));
        Assert.Equal(File.ReadAllBytes(corpus), File.ReadAllBytes(joined));
    }

    [Fact]
    public void LearnsAppliesAndUndoesThroughPipes()
    {
        var learned = Tool.Run(["bpe", "learn", "--merges", "3"], "abc abc abd\nabd abc\r\n");
        Assert.Equal(new ToolRun(0, "#version: 0.2\na b\nab c</w>\nab d</w>\n", ""), learned);
        string codes = _folder.File("codes", learned.Out);
        Assert.Equal(new ToolRun(0, "abc  \r\n\n ab@@ e abd", ""), Tool.Run(["bpe", "apply", "--codes", codes], "abc  \r\n\n abe   abd"));
        Assert.Equal(new ToolRun(0, "abc  \r\n\n abe abd", ""), Tool.Run(["bpe", "undo"], "abc  \r\n\n ab@@ e abd"));
    }

    [Fact]
    public void LearnsFromSeveralTextsWithAVocabularyOfEach()
    {
        string a = _folder.File("a", "abc abc\nd\n"), b = _folder.File("b", "abd abd abd\n"), v = _folder.PathOf("va"), w = _folder.PathOf("vb"), codes = _folder.PathOf("codes");
        var run = Tool.Run("bpe", "learn", "--input", a, b, "--merges", "2", "--codes", codes, "--vocabulary", v, w);
        Assert.Equal(new ToolRun(0, "", ""), run);
        Assert.Equal("#version: 0.2\na b\nab d</w>\n", File.ReadAllText(codes));
        Assert.Equal("ab@@ 2\nc 2\nd 1\n", File.ReadAllText(v));
        Assert.Equal("abd 3\n", File.ReadAllText(w));
        Assert.Equal("abd\n", Tool.Run(["bpe", "apply", "--codes", codes, "--vocabulary", w], "abd\n").Out);
        Assert.Equal("abd\n", Tool.Run(["bpe", "apply", "--codes", codes, "--vocabulary", w, "--vocabulary-threshold", "3"], "abd\n").Out);
        Assert.Equal("ab@@ d\n", Tool.Run(["bpe", "apply", "--codes", codes, "--vocabulary", v, "--vocabulary-threshold", "1"], "abd\n").Out);
    }

    [Fact]
    public void FewerMergesThanWantedAreReported()
    {
        var run = Tool.Run(["bpe", "learn", "--merges", "9", "--min-frequency", "3"], "ab ab ab cd\n");
        Assert.Equal(new ToolRun(0, "#version: 0.2\na b</w>\n", "1 merges are all: no pair of symbols is left that occurs 3 times.\n"), run);
    }

    [Theory]
    [InlineData("bpe lern", "cudaseq bpe: unknown verb lern, did you mean learn?")]
    [InlineData("bpe cut", "cudaseq bpe: unknown verb cut; the verbs are learn, apply, undo.")]
    [InlineData("bpe --codes c", "cudaseq bpe: unknown option --codes.")]
    [InlineData("bpe apply", "cudaseq bpe apply: --codes FILE must be given; cudaseq bpe apply --help shows how.")]
    [InlineData("bpe apply --code c", "cudaseq bpe apply: unknown option --code, did you mean --codes?")]
    [InlineData("bpe apply --codes c --vocabulary-threshold 5", "cudaseq bpe apply: --vocabulary-threshold needs --vocabulary FILE.")]
    [InlineData("bpe apply --codes c --input a --output ./a", "cudaseq bpe apply: --output must be another file than --input, got ./a for both.")]
    [InlineData("bpe apply --codes c --output c", "cudaseq bpe apply: --output must be another file than --codes, got c for both.")]
    [InlineData("bpe undo --input a --output a", "cudaseq bpe undo: --output must be another file than --input, got a for both.")]
    [InlineData("bpe undo a", "cudaseq bpe undo: unexpected argument a; cudaseq bpe undo --help shows what it takes.")]
    [InlineData("bpe learn --input a b --vocabulary v", "cudaseq bpe learn: --vocabulary must name as many files as --input, got 1 and 2.")]
    [InlineData("bpe learn --input a --codes a", "cudaseq bpe learn: --codes must be another file than --input, got a for both.")]
    [InlineData("bpe learn --input a b --vocabulary v v", "cudaseq bpe learn: --vocabulary must be another file than --vocabulary, got v for both.")]
    [InlineData("bpe learn --merges 0", "cudaseq bpe learn: --merges must be a whole number of at least 1, got 0.")]
    [InlineData("bpe learn --input", "cudaseq bpe learn: --input needs a value: --input FILE ....")]
    public void RefusesWhatItDoesNotUnderstand(string line, string message)
        => Assert.Equal(new ToolRun(2, "", message + "\n"), Tool.Run(line.Split(' ')));

    [Fact]
    public void WithoutAVerbItShowsItsHelpAndFails()
        => Assert.Equal(new ToolRun(2, Tool.Run("bpe", "--help").Out, "cudaseq bpe: a verb must be given.\n"), Tool.Run("bpe"));

    [Fact]
    public void AFileIsWrittenWholeOrNotAtAll()
    {
        string codes = _folder.File("codes", "#version: 0.2\na b\n"), bad = _folder.File("bad", [(byte)'a', (byte)'\n', 0xFF]), output = _folder.File("out", "before");
        foreach (string[] verb in (string[][])[["apply", "--codes", codes], ["undo"]])
        {
            var run = Tool.Run(["bpe", .. verb, "--input", bad, "--output", output]);
            Assert.Equal(new ToolRun(1, "", $"cudaseq: {bad}: line 2 is not valid UTF-8 (byte 0xFF at column 1).\n"), run);
            Assert.Equal("before", File.ReadAllText(output));
        }

        Assert.Equal(3, Directory.GetFiles(Path.GetDirectoryName(output)!).Length);
    }

    [Fact]
    public void WhatIsNotThereIsNamed()
    {
        string none = _folder.PathOf("none");
        Assert.Equal(new ToolRun(1, "", $"cudaseq: {none}: there is no such file.\n"), Tool.Run("bpe", "learn", "--input", none));
        Assert.Equal(new ToolRun(1, "", $"cudaseq: {none}: there is no such file.\n"), Tool.Run("bpe", "apply", "--codes", none));
        Assert.Equal(new ToolRun(1, "", $"cudaseq: {none}: there is no such file.\n"), Tool.Run("bpe", "undo", "--input", none));
    }
}
