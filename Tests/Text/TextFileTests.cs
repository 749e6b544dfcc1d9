using System.Text;
using CudaSeq.Models;

namespace CudaSeq.Tests;

public sealed class TextFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("", new string[0])]
    [InlineData("\uFEFF", new string[0])]
    [InlineData("\n", new[] { "" })]
    [InlineData("\r\n", new[] { "" })]
    [InlineData("a", new[] { "a" })]
    [InlineData("a\n", new[] { "a" })]
    [InlineData("a\n\n", new[] { "a", "" })]
    [InlineData("a\r\nb\r\n", new[] { "a", "b" })]
    [InlineData("a\r\nb\nc", new[] { "a", "b", "c" })]
    [InlineData("\uFEFFa\n\uFEFFb\n", new[] { "a", "\uFEFFb" })]
    [InlineData("\uFEFF\na\n", new[] { "", "a" })]
    [InlineData("a\rb\n", new[] { "a\rb" })]
    [InlineData("a\r\r\nb", new[] { "a\r", "b" })]
    [InlineData("a\r", new[] { "a\r" })]
    [InlineData("a\0b\u2028c\u2029d\u0085e\vf\fg\n", new[] { "a\0b\u2028c\u2029d\u0085e\vf\fg" })]
    [InlineData("  a \n", new[] { "  a " })]
    public void LinesEndAtLineFeedsOnly(string text, string[] lines)
        => Assert.Equal(lines, TextFile.ReadLines(_folder.File("a.txt", text)));

    [Fact]
    public void AByteOrderMarkCanBeKept()
    {
        string path = _folder.File("a.txt", "\uFEFFa\nb\n");
        Assert.Equal(["\uFEFFa", "b"], TextFile.ReadLines(path, keepByteOrderMark: true));
        Assert.Equal(["\uFEFF"], TextFile.ReadLines(_folder.File("b.txt", "\uFEFF"), keepByteOrderMark: true));
        Assert.Equal([("\uFEFFa", "x"), ("b", "y")], ParallelCorpus.Read(path, _folder.File("c.txt", "x\ny"), keepByteOrderMark: true));
    }

    [Fact]
    public void LinesAcrossBufferBordersAreWhole()
    {
        string[] lines = [.. new[] { 65534, 65535, 65536, 65537, 0, 1, 200_000, 3 }.Select((n, i) => new string((char)('\u00E0' + i), n))];
        string crlf = string.Join("\r\n", lines);
        Assert.Equal(lines, TextFile.ReadLines(_folder.File("a.txt", crlf)));
        Assert.Equal(lines, TextFile.ReadLines(new DripStream(Encoding.UTF8.GetBytes(crlf), 7), "stdin"));
    }

    [Fact]
    public void ALineIsGivenBeforeTheNextOneArrives()
    {
        using var stream = new DripStream("one\ntwo\n"u8.ToArray(), 4);
        using var lines = TextFile.ReadLines(stream, "stdin").GetEnumerator();
        Assert.True(lines.MoveNext());
        Assert.Equal("one", lines.Current);
        Assert.Equal(4, stream.Position);
    }

    [Theory]
    [InlineData(new byte[] { (byte)'a', 0xC3, 0x28 }, 3, "byte 0xC3 at column 2")]
    [InlineData(new byte[] { 0x80 }, 1, "byte 0x80 at column 1")]
    [InlineData(new byte[] { 0xC3, 0xA9, 0xED, 0xA0, 0x80 }, 2, "byte 0xED at column 3")]
    [InlineData(new byte[] { 0xC0, 0x80 }, 2, "byte 0xC0 at column 1")]
    [InlineData(new byte[] { (byte)'a', 0xF0, 0x9F, 0x99 }, 2, "byte 0xF0 at column 2")]
    public void InvalidUtf8IsRefusedWithItsPlace(byte[] bytes, int line, string place)
    {
        string path = _folder.File("train.en", [.. Enumerable.Repeat((byte)'\n', line - 1), .. bytes, (byte)'\n']);
        var error = Assert.Throws<InvalidDataException>(() => TextFile.ReadLines(path).Count());
        Assert.Equal($"{path}: line {line} is not valid UTF-8 ({place}).", error.Message);
    }

    [Fact]
    public void Utf16IsRefusedByName()
    {
        string path = _folder.File("train.en", [0xFF, 0xFE, (byte)'a', 0, (byte)'\n', 0]);
        var error = Assert.Throws<InvalidDataException>(() => TextFile.ReadLines(path).Count());
        Assert.Equal($"{path}: line 1 is not valid UTF-8 (byte 0xFF at column 1). It looks like UTF-16.", error.Message);
    }

    [Fact]
    public void AMissingFileIsNamedAtOnce()
    {
        string path = _folder.PathOf("none.en");
        Assert.Equal($"{path}: there is no such file.", Assert.Throws<FileNotFoundException>(() => TextFile.ReadLines(path)).Message);
        Assert.Throws<FileNotFoundException>(() => ParallelCorpus.Read(_folder.File("a.en", ""), path));
    }

    [Fact]
    public void WrittenLinesComeBack()
    {
        const int Seed = 7;
        var random = new Random(Seed);
        string path = _folder.PathOf("a.txt");
        string[] lines = [.. Enumerable.Range(0, 500).Select(_ => RandomText.Line(random, 30)).Where(l => !l.EndsWith('\r')), "end"];
        TextFile.WriteLines(path, lines.Prepend("start"));
        Assert.Equal(lines.Prepend("start"), TextFile.ReadLines(path));
    }

    [Theory]
    [InlineData("\n", "must not hold a line feed")]
    [InlineData("half", "must not hold half a surrogate pair")]
    public void WhatWouldNotComeBackIsNotWritten(string line, string reason)
    {
        // Test data on their way to the test may lose a lone surrogate.
        line = line.Replace("half", "b\uD800");
        string path = _folder.File("a.txt", "before\n");
        var error = Assert.Throws<ArgumentException>(() => TextFile.WriteLines(path, ["a", line]));
        Assert.Equal($"{path}: line 2 {reason}.", error.Message);
        Assert.Equal(["before"], TextFile.ReadLines(path));
        Assert.False(File.Exists(path + ".tmp"));
    }

    [Fact]
    public void ParallelLinesArePaired()
    {
        string source = _folder.File("a.en", "\uFEFFone\r\n\r\ntwo\rtoo"), target = _folder.File("a.de", "eins\n\nzwei\n");
        Assert.Equal([("one", "eins"), ("", ""), ("two\rtoo", "zwei")], ParallelCorpus.Read(source, target));
    }

    [Theory]
    [InlineData("a\nb\nc\n", "a\n", 3, 1, 2, true)]
    [InlineData("a\n", "a\nb\nc", 1, 3, 2, false)]
    [InlineData("", "a\n", 0, 1, 1, false)]
    public void UnequalCountsAreRefused(string left, string right, int leftLines, int rightLines, int line, bool inSource)
    {
        string source = _folder.File("a.en", left), target = _folder.File("a.de", right);
        var error = Assert.Throws<InvalidDataException>(() => ParallelCorpus.Read(source, target).Count());
        Assert.Equal(
            $"{source} and {target}: must have as many lines as each other, got {leftLines} and {rightLines}; "
            + $"line {line} of {(inSource ? source : target)} is the first without a partner.",
            error.Message);
    }

    /// <summary>Gives a few bytes at a time, as a pipe does.</summary>
    private sealed class DripStream(byte[] bytes, int most) : MemoryStream(bytes)
    {
        public override int Read(byte[] buffer, int offset, int count) => base.Read(buffer, offset, Math.Min(count, most));
    }
}
