namespace CudaSeq.Tests;

public sealed class SpmVerbTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("google_test_model", "multi30k/val.en", "truth/sentencepiece/val.en.google_test_model")]
    [InlineData("m30_unigram8k", "truth/sentencepiece/val.fr", "truth/sentencepiece/val.fr.m30_unigram8k")]
    public void AppliesThroughFiles(string name, string text, string truth)
    {
        string model = TestData.Require($"truth/sentencepiece/{name}.model"), input = TestData.Require(text), output = _folder.PathOf("out");
        Assert.Equal(new ToolRun(0, "", ""), Tool.Run("spm", "apply", "--model", model, "--input", input, "--output", output));
        Assert.Equal(File.ReadAllBytes(TestData.Require($"{truth}.piece")), File.ReadAllBytes(output));
        Assert.Equal(new ToolRun(0, "", ""), Tool.Run("spm", "apply", "--model", model, "--ids", "--input", input, "--output", output));
        Assert.Equal(File.ReadAllBytes(TestData.Require($"{truth}.id")), File.ReadAllBytes(output));
    }

    [Fact]
    public void AppliesAndUndoesThroughPipes()
    {
        string model = _folder.File("m.model", RandomSentencePiece.Model(1));
        string pieces = Tool.Run(["spm", "apply", "--model", model], "a b\r\n\nab").Out, ids = Tool.Run(["spm", "apply", "--model", model, "--ids"], "a b\r\n\nab").Out;
        Assert.Equal(3, pieces.Count(c => c == '\n'));
        Assert.Equal(Tool.Run(["spm", "undo", "--model", model], pieces), Tool.Run(["spm", "undo", "--model", model, "--ids"], ids));
        Assert.Equal("a b\n\nab\n", Tool.Run(["spm", "undo", "--model", model], pieces).Out);
    }

    [Fact]
    public void IdsThatAreNoneAreNamed()
    {
        string model = _folder.File("m.model", new WireWriter().Message(1, RandomSentencePiece.Piece("?", 0, 2)).Done);
        foreach (string id in (string[])["1", "-1", "x", "99999999999"])
            Assert.Equal(new ToolRun(1, " \u2047 \n", $"cudaseq: stdin: line 2: ids must be in 0 .. 0, got '{id}'.\n"), Tool.Run(["spm", "undo", "--model", model, "--ids"], $"0\n{id}\n"));
    }

    [Fact]
    public void WhatIsNoModelIsRefused()
    {
        string none = _folder.PathOf("none"), text = _folder.File("text", "Lorem ipsum\n");
        Assert.Equal(new ToolRun(1, "", $"cudaseq: {none}: there is no such file.\n"), Tool.Run("spm", "apply", "--model", none));
        Assert.Equal(new ToolRun(1, "", $"cudaseq: {text}: is no SentencePiece model: byte 1: field 9 must have wire type 0, 1, 2 or 5, got 4.\n"), Tool.Run("spm", "undo", "--model", text));
    }

    [Theory]
    [InlineData("spm learn", "cudaseq spm: unknown verb learn; the verbs are apply, undo.")]
    [InlineData("spm apply", "cudaseq spm apply: --model FILE must be given; cudaseq spm apply --help shows how.")]
    [InlineData("spm apply --model m --output m", "cudaseq spm apply: --output must be another file than --model, got m for both.")]
    [InlineData("spm undo --model m --input a --output a", "cudaseq spm undo: --output must be another file than --input, got a for both.")]
    public void RefusesWhatItDoesNotUnderstand(string line, string message)
        => Assert.Equal(new ToolRun(2, "", message + "\n"), Tool.Run(line.Split(' ')));
}
