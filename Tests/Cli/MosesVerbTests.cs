namespace CudaSeq.Tests;

public sealed class MosesVerbTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void NormalizesTokenizesAndDetokenizesThroughFiles()
    {
        string raw = TestData.Require("truth/moses/alt_dev.raw.en"), output = _folder.PathOf("out");
        foreach (var (verb, input, truth) in ((string, string, string)[])
        [
            ("normalize", raw, "normpunct"), ("tokenize", raw, "tok"), ("tokenize --no-escape", raw, "tok-noescape"), ("tokenize --aggressive-dash-splits", raw, "tok-a"),
            ("detokenize", TestData.Require("truth/moses/alt_dev.tok.en"), "detok"),
        ])
        {
            Assert.Equal(new ToolRun(0, "", ""), Tool.Run(["moses", .. verb.Split(' '), "--lang", "en", "--input", input, "--output", output]));
            Assert.Equal(File.ReadAllBytes(TestData.Require($"truth/moses/alt_dev.{truth}.en")), File.ReadAllBytes(output));
        }
    }

    [Fact]
    public void LinesAreAnsweredAsTheyCome()
    {
        Assert.Equal(new ToolRun(0, "\"ja\", x\n\"a.\"", ""), Tool.Run(["moses", "normalize", "--lang", "de"], "\u201Eja,\u201C x\r\n\"a.\""));
        Assert.Equal(new ToolRun(0, "a ,\n \r\n\nb .\n", ""), Tool.Run(["moses", "tokenize", "--lang", "en"], "a,\r\n \r\n\nb."));
        Assert.Equal(new ToolRun(0, "a,\n \r\n<x .>\r\nb.\n", ""), Tool.Run(["moses", "detokenize", "--lang", "en"], "a ,\r\n \r\n<x .>\r\nb ."));
    }

    [Fact]
    public void PatternsAndPrefixesComeFromFiles()
    {
        string patterns = _folder.File("patterns", "\\w+@\\w+\n\n"), prefixes = _folder.File("prefixes", "Xyz\n");
        Assert.Equal("a@b . Xyz. Mr . Y .\n", Tool.Run(["moses", "tokenize", "--lang", "en", "--protected-patterns", patterns, "--nonbreaking-prefixes", prefixes], "a@b. Xyz. Mr. Y.\n").Out);
        Assert.Equal("Xyz. A\n", Tool.Run(["moses", "tokenize", "--lang", "pt", "--nonbreaking-prefixes", prefixes], "Xyz. A\n").Out);
        string bad = _folder.File("bad", "(\n");
        Assert.Equal(
            new ToolRun(1, "", "cudaseq: MosesTokenizer: protected pattern 1 must be a regular expression, got '(' (InsufficientClosingParentheses at 1).\n"),
            Tool.Run("moses", "tokenize", "--lang", "en", "--protected-patterns", bad));
    }

    [Theory]
    [InlineData("moses tokenise", "cudaseq moses: unknown verb tokenise, did you mean tokenize?")]
    [InlineData("moses tokenize", "cudaseq moses tokenize: --lang XX must be given; cudaseq moses tokenize --help shows how.")]
    [InlineData("moses normalize --lang english", "cudaseq moses normalize: --lang must be a code of two or three small letters such as en, got english.")]
    [InlineData("moses tokenize --lang pt", "cudaseq moses tokenize: --lang must be one of cs, de, en, es, fr, it unless --nonbreaking-prefixes FILE is given, got pt.")]
    [InlineData("moses detokenize --lang fi", "cudaseq moses detokenize: --lang must be another than fi, whose endings behind a colon have no rules here.")]
    [InlineData("moses tokenize --lang en --protected-patterns p --output p", "cudaseq moses tokenize: --output must be another file than --protected-patterns, got p for both.")]
    [InlineData("moses detokenize --lang en --input a --output a", "cudaseq moses detokenize: --output must be another file than --input, got a for both.")]
    public void RefusesWhatItDoesNotUnderstand(string line, string message)
        => Assert.Equal(new ToolRun(2, "", message + "\n"), Tool.Run(line.Split(' ')));
}
