using CudaSeq.Kernels;
using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>Texts as analyses read them.</summary>
public sealed class AnalysisTextTests
{
    // Lines, or characters where lines are long; a line is never cut.
    [Fact]
    public void BlocksAreBoundedHoweverLongTheLines()
    {
        string million = new('a', 1_000_000), longest = new('b', 5_000_000);
        Assert.Equal([4096, 4096, 1808], AnalysisText.OfLines(Enumerable.Repeat("a b", 10_000), 4096).Select(b => b.Length));
        Assert.Equal([4, 4, 2], AnalysisText.OfLines(Enumerable.Repeat(million, 10), 4096).Select(b => b.Length));
        Assert.Equal([1, 1, 2], AnalysisText.OfLines(["a", longest, "b", million], 4096).Select(b => b.Length));
        Assert.Equal([2, 1], AnalysisText.OfPairs(Enumerable.Repeat((million, million), 3), 4096).Select(b => b.Length));
        Assert.Empty(AnalysisText.OfLines([], 4096));
    }

    [Fact]
    public void WhatIsLeftOutIsCountedAndSaid()
    {
        using var device = new CpuDevice(1);
        using var run = TinyRuns.Create(TinyModels.Transformer with { EncoderFusion = EncoderFusion.Coarse }, device, decoding: new DecodingOptions { Beam = 1, MaxLengthB = 4 });
        using var folder = new TemporaryFolder();
        string input = TinyRuns.Lines(folder, "in", "a b", " ", "a b c d", "c"), reference = TinyRuns.Lines(folder, "out", "a", "b", "c", "");
        var text = new AnalysisText { Input = input, Reference = reference, MaxLength = 3 };
        new AttentionEntropyAnalysis().Of(run, text);
        Assert.Equal((4, 1, 2, 1), (text.Report!.Lines, text.Report.Kept, text.Report.Empty, text.Report.TooLong));
        new LesionAnalysis().Of(run, text);
        Assert.Equal((4, 2, 2, 0), (text.Report.Lines, text.Report.Kept, text.Report.Empty, text.Report.TooLong));
        string alignments = TinyRuns.Lines(folder, "align", "0-0", "", "0-0", "");
        new EmbeddingsAnalysis().Of(run, text, new AnalysisSettings { ["--alignments"] = alignments });
        Assert.Equal((4, 1, 2, 1), (text.Report.Lines, text.Report.Kept, text.Report.Empty, text.Report.TooLong));
        var none = new AnalysisText { Input = input, Reference = reference, MaxLength = 1 };
        Assert.Equal(
            "analyze: there must be at least one pair without an empty side, got none of at most 1 pieces.",
            Assert.Throws<InvalidDataException>(() => new AttentionEntropyAnalysis().Of(run, none)).Message);
        Assert.Equal(
            "analyze: there must be at least one pair without an empty side, got none of at most 1 pieces.",
            Assert.Throws<InvalidDataException>(() => new WordTranslationAnalysis().Of(run, new AnalysisText { Input = input, Reference = reference, MaxLength = 1 }, new AnalysisSettings { ["--updates"] = 0L })).Message);
    }

    // The last of three files cannot be written: those of an earlier result stay.
    [Fact]
    public void NothingIsReplacedBeforeAllIsWritten()
    {
        using var device = new CpuDevice(1);
        using var run = TinyRuns.Create(TinyModels.Transformer, device);
        using var folder = new TemporaryFolder();
        string output = folder.PathOf("out");
        Assert.Equal(["attention.json", "attention.html", "more.txt"], Result("one", s => s.WriteByte(1)).Save(output).Select(f => Path.GetFileName(f)));
        byte[] page = File.ReadAllBytes(Path.Combine(output, "attention.html"));
        Assert.Throws<IOException>(() => Result("two", _ => throw new IOException("full")).Save(output));
        Assert.Equal(page, File.ReadAllBytes(Path.Combine(output, "attention.html")));
        Assert.Equal(3, Directory.EnumerateFileSystemEntries(output).Count());
        Result("two", s => s.WriteByte(2)).Save(output);
        Assert.NotEqual(page, File.ReadAllBytes(Path.Combine(output, "attention.html")));
        Assert.Equal([2], File.ReadAllBytes(Path.Combine(output, "more.txt")));

        AnalysisResult Result(string headline, Action<Stream> write)
            => new(new AttentionAnalysis(), run, new AnalysisText(), new AnalysisSettings(), new AnalysisFinding(headline, [], _ => { }) { Files = [("more.txt", write)] });
    }
}
