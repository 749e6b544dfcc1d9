using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>Which pairs a corpus is left with.</summary>
public sealed class CorpusCleaningTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    // The rule of clean-corpus-n.perl: 1 to 4 words, and not more than 1.5 times as many as the other side, either way.
    [Fact]
    public void ThePairsThatAreLeft()
    {
        (string From, string To, bool Stays)[] pairs =
        [
            ("a b", "c d e", true), ("a b c", "d e", true), ("a b", "c d e f", false), ("a b c d", "e f", false), ("", "a", false), ("a", " \t ", false), ("", "", false),
            ("a b c d e", "a b c d", false), ("a b c d", "a b c d e", false), ("  a  b ", "c\u00A0d", true), ("a", "b", true), ("a", "b c", false), ("ü \U0001F600", "x y z", true),
        ];
        Write("in.a", pairs.Select(p => p.From));
        Write("in.b", pairs.Select(p => p.To));
        var report = CorpusCleaning.Run(In("in.a"), In("in.b"), new CorpusCleaningOptions { MostWords = 4 }, (In("out.a"), In("out.b")));
        Assert.Equal(pairs.Where(p => p.Stays).Select(p => (p.From, p.To)), ParallelCorpus.Read(In("out.a"), In("out.b")));
        Assert.Equal(new CorpusCleaningReport(13, 5, 0, 3, 2, 3), report);
    }

    // 115 of 100 is 1.15, though 1.15 times 100 is less than 115 in double precision.
    [Fact]
    public void ARatioIsADivision()
    {
        Write("in.a", [string.Join(' ', Enumerable.Repeat("a", 115)), string.Join(' ', Enumerable.Repeat("a", 116))]);
        Write("in.b", Enumerable.Repeat(string.Join(' ', Enumerable.Repeat("b", 100)), 2));
        var report = CorpusCleaning.Run(In("in.a"), In("in.b"), new CorpusCleaningOptions { Ratio = 1.15 }, (In("out.a"), In("out.b")));
        Assert.Equal(new CorpusCleaningReport(2, 1, 0, 0, 0, 1), report);
    }

    // Lines 3, 6 and 9 of those that are kept, as awk's NR % 3 == 0.
    [Fact]
    public void EverySoManyThIsSetAside()
    {
        string[] lines = [.. Enumerable.Range(1, 12).Select(i => i is 2 or 5 ? "" : $"{i}")];
        Write("in.a", lines);
        Write("in.b", lines);
        var report = CorpusCleaning.Run(In("in.a"), In("in.b"), new CorpusCleaningOptions { AsideEvery = 3 }, (In("out.a"), In("out.b")), (In("valid.a"), In("valid.b")));
        Assert.Equal(["4", "8", "11"], File.ReadAllLines(In("valid.a")));
        Assert.Equal(File.ReadAllLines(In("valid.a")), File.ReadAllLines(In("valid.b")));
        Assert.Equal(["1", "3", "6", "7", "9", "10", "12"], File.ReadAllLines(In("out.b")));
        Assert.Equal(new CorpusCleaningReport(12, 7, 3, 2, 0, 0), report);
    }

    [Fact]
    public void WhatFailsLeavesWhatWasThere()
    {
        Write("in.a", ["a", "b", "c"]);
        Write("in.b", ["a", "b"]);
        Write("out.a", ["before"]);
        string message = Assert.Throws<InvalidDataException>(() => CorpusCleaning.Run(In("in.a"), In("in.b"), new CorpusCleaningOptions(), (In("out.a"), In("out.b")))).Message;
        Assert.Contains("must have as many lines as each other, got 3 and 2", message, StringComparison.Ordinal);
        Assert.Equal(["in.a", "in.b", "out.a"], Directory.EnumerateFiles(In(".")).Select(Path.GetFileName).Order());
        Assert.Equal("before\n", File.ReadAllText(In("out.a")));
        Assert.Throws<ArgumentException>(() => CorpusCleaning.Run(In("in.a"), In("in.b"), new CorpusCleaningOptions { Ratio = 0.5 }, (In("out.a"), In("out.b"))));
        Assert.Throws<ArgumentException>(() => CorpusCleaning.Run(In("in.a"), In("in.b"), new CorpusCleaningOptions { AsideEvery = 2 }, (In("out.a"), In("out.b"))));
    }

    [Fact]
    public void TheVerbWritesAFolder()
    {
        Write("train.tok.de", ["ein hund", "", "eine katze schläft", "zwei", "a b c d e f g"]);
        Write("train.tok.en", ["a dog", "nothing", "a cat sleeps", "two", "a"]);
        string clean = In("clean");
        var run = Tool.Run("data", "clean", In("train.tok.de"), In("train.tok.en"), "--out", clean, "--valid-every", "2");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Contains("1 with fewer than 1 words on a side, 0 with more than 250, 1 beyond 1:1.5", run.Out, StringComparison.Ordinal);
        Assert.Equal("ein hund\nzwei\n", File.ReadAllText(In("clean/train.tok.de")));
        Assert.Equal("a cat sleeps\n", File.ReadAllText(In("clean/valid.en")));
        Assert.Equal(4, Directory.EnumerateFiles(clean).Count());

        // Never over what is read, and no folder is left of what failed.
        var same = Tool.Run("data", "clean", In("train.tok.de"), In("train.tok.en"), "--out", In("."));
        Assert.Equal(2, same.ExitCode);
        Assert.Contains("--out must be another file than SOURCE or TARGET", same.Error, StringComparison.Ordinal);
        Write("short", ["a"]);
        Assert.Equal(1, Tool.Run("data", "clean", In("train.tok.de"), In("short"), "--out", In("new")).ExitCode);
        Assert.False(Directory.Exists(In("new")));
    }

    [Theory]
    [InlineData("data clean a --out b", "cudaseq data clean: SOURCE and TARGET must be given; cudaseq data clean --help shows how.")]
    [InlineData("data clean a b --out c --ratio 0.5", "cudaseq data clean: --ratio must be at least 1, got 0.5.")]
    [InlineData("data clean a b --out c --min 5 --max 4", "cudaseq data clean: --max must be at least --min, got 4 and 5.")]
    [InlineData("data clean x/a y/a --out c", "cudaseq data clean: SOURCE and TARGET must differ in their names, got x/a and y/a.")]
    [InlineData("data clean a.en b.en --out c --valid-every 9", "cudaseq data clean: SOURCE and TARGET must differ in their sides, what stands behind the last dot, got a.en and b.en.")]
    [InlineData("data clean valid.de valid.en --out c --valid-every 9", "cudaseq data clean: SOURCE and TARGET must not be called valid.SIDE with --valid-every, which writes those, got valid.de and valid.en.")]
    public void WhatIsWrongIsSaid(string line, string message) => Assert.Equal(new ToolRun(2, "", message + "\n"), Tool.Run(line.Split(' ')));

    private string In(string name) => _folder.PathOf(name);

    private void Write(string name, IEnumerable<string> lines) => TextFile.WriteLines(In(name), lines);
}
