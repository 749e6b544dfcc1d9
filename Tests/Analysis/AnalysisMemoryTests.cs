using CudaSeq.Kernels;
using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>
/// What the analyses keep of a text, measured: the managed heap that is alive while they work and after, of a text and of one some times as long. What they hold of the text at one time, a block of lines, is the same for both;
/// a list of its ids alone would be several times as large as what is allowed for anything else.
/// </summary>
/// <param name="output">Is told what was measured.</param>
public sealed class AnalysisMemoryTests(ITestOutputHelper output) : IDisposable
{
    private const int Words = 6;

    // Two blocks of what is computed together in batches: from the second on, there is always one before.
    private const int BatchedLines = 2 * 4096;

    // The same of what is translated, in blocks of up to 1024; what is kept of two of these is also there from the third on.
    private const int TranslatedLines = 4 * 1024;

    // Small, so that what ffn-memories sorts by length, 32 batches, is less than the shorter text.
    private const int BatchTokens = 256;

    // Attention costs their square.
    private const int BlockTokens = 64;

    // The heap is the process's: what others begin to keep meanwhile, a pool of arrays that grows, counts as well, once. What an analysis keeps of a text is there each time.
    private const int Measurements = 3;

    private static readonly ModelConfig Small = TinyModels.Transformer with { EncoderLayers = 1, DecoderLayers = 1, PreNorm = true };

    private readonly TemporaryFolder _folder = new();
    private readonly Device _device = new CpuDevice(1);

    // Every so many-th report is measured.
    private int _stride = 4;

    public static TheoryData<string> Texts => ["attention-entropy", "ffn-memories", "ffn-composition"];

    public static TheoryData<string> Pairs => ["attention-entropy", "embeddings", "embeddings, given alignments", "word-translation", "word-translation, trained on files", "ffn-memories", "ffn-composition"];

    public static TheoryData<string> Translated => ["lesion", "lesion, with m2", "exits", "anytime", "exit-thresholds", "word-translation, with bleu"];

    public void Dispose()
    {
        _device.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [MemberData(nameof(Texts))]
    public void OfALanguageModelsText(string name)
    {
        using var run = TinyRuns.CreateLanguageModel(Small, _device);
        Check(5 * BatchedLines / 2, BatchedLines, sides: 1, lines => Peak(name, run, Text(Side("a", lines), batchTokens: BlockTokens)));
    }

    // The first lines of a file that goes on are no more in memory than a file.
    [Theory]
    [MemberData(nameof(Texts))]
    public void OfTheBeginningOfAText(string name)
    {
        using var run = TinyRuns.CreateLanguageModel(Small, _device);
        string input = Side("a", 5 * BatchedLines / 2);
        Check(5 * BatchedLines / 2, BatchedLines, sides: 1, lines => Peak(name, run, Text(input, lines: lines, batchTokens: BlockTokens)));
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void OfPairs(string name)
    {
        using var run = TinyRuns.Create(Small, _device);
        Check(5 * BatchedLines / 2, BatchedLines, sides: 2, lines =>
        {
            string input = Side("a", lines), reference = Side("b", lines);
            return Peak(name, run, name.EndsWith("trained on files", StringComparison.Ordinal) ? Text(Side("c", 10), Side("d", 10)) : Text(input, reference));
        });
    }

    // The pairs that a run was tested with are read as a file is.
    [Theory]
    [InlineData("attention-entropy")]
    [InlineData("ffn-composition")]
    public void OfThePairsThatARunWasTestedWith(string name)
    {
        Directory.CreateDirectory(_folder.PathOf("run"));
        using var run = new AnalysisRun(_folder.PathOf("run"), new Translator(TinyModels.Create(Small, _device), TinyRuns.Codec, TinyRuns.Codec));
        Check(5 * BatchedLines / 2, BatchedLines, sides: 2, lines =>
        {
            TestTranslation.Save(run.Directory.Translations, Lines(lines).Zip(Lines(lines), (a, b) => new TestTranslation(a, b, a)));
            return Peak(name, run, Text(input: null));
        });
    }

    [Theory]
    [MemberData(nameof(Translated))]
    public void OfWhatIsTranslated(string name)
    {
        _stride = 1;
        var config = name switch
        {
            "lesion" or "lesion, with m2" => Small with { EncoderFusion = EncoderFusion.Coarse },
            "exits" or "anytime" => DepthAdaptive2020.Aligned(Small),
            "exit-thresholds" => DepthAdaptive2020.Aligned(Small with { DecoderLayers = 2 }),
            _ => Small,
        };
        using var run = TinyRuns.Create(config, _device, decoding: new DecodingOptions { Beam = 1, MaxLengthA = 0, MaxLengthB = 2 });
        Check(3 * TranslatedLines, TranslatedLines, sides: name == "exits" ? 1 : 2, lines => Peak(name, run, Text(Side("a", lines), name switch { "exits" => null, "lesion, with m2" => Annotated("b", lines), _ => Side("b", lines) })));
    }

    // Orders are drawn for a part of a large corpus at a time: 12 bytes for each pair of all would be six times as many.
    [Fact]
    public void OfTheRunsOwnPairs()
    {
        const int Part = 1 << 16;
        Directory.CreateDirectory(_folder.PathOf("run"));
        using var run = new AnalysisRun(_folder.PathOf("run"), new Translator(TinyModels.Create(Small, _device), TinyRuns.Codec, TinyRuns.Codec));
        string input = TinyRuns.Lines(_folder, "in", "a b"), reference = TinyRuns.Lines(_folder, "out", "c");
        Check(
            6 * Part,
            Part,
            sides: 1,
            lines =>
            {
                TextFile.WriteLines(_folder.PathOf("train"), Enumerable.Range(0, lines).Select(i => $"{(char)('a' + (i % 7))}"));
                CorpusCache.Load(run.Directory.TrainCorpus(0), _folder.PathOf("train"), _folder.PathOf("train"), run.Source, run.Target, 10).Dispose();
                return Peak("word-translation", run, Text(input, reference), ("--updates", 3L), ("--side", "decoder"));
            },
            words: 1);
    }

    // A quarter of what the ids of the longer text's further lines would take, 4 bytes each without their ends.
    private void Check(int longer, int shorter, int sides, Func<int, long> peak, int words = Words)
    {
        long allowed = (long)(longer - shorter) * words * sizeof(int) * sides / 4;

        // The first time, everything is made that is made once.
        peak(Math.Max(1, shorter / 16));
        long of, ofLonger;
        int measured = 0;
        do
        {
            (of, ofLonger) = (peak(shorter), peak(longer));
            output.WriteLine($"{of:N0} bytes, {ofLonger - of:N0} more of the longer text, allowed are {allowed:N0}");
        }
        while (ofLonger - of >= allowed && ++measured < Measurements);

        Assert.True(ofLonger - of < allowed, $"{shorter} lines have at most {of:N0} bytes alive, {longer} have {ofLonger:N0}: {ofLonger - of:N0} more, allowed are {allowed:N0}");
    }

    /// <summary>The most bytes alive while an analysis reports, or after it while its result is there, beyond those before.</summary>
    private long Peak(string name, AnalysisRun run, AnalysisText text, params (string Name, object Value)[] options)
    {
        var settings = new AnalysisSettings();
        foreach (var (option, value) in options.Length > 0 ? options : Options(name, text))
            settings[option] = value;
        long before = Alive(), most = 0;
        int reports = 0;
        var result = Analyses.Of(name.Split(',')[0]).Of(run, text, settings, new Heard(() =>
        {
            if (++reports % _stride == 0 || reports <= 16)
                most = Math.Max(most, Alive());
        }));
        most = Math.Max(most, Alive());
        GC.KeepAlive(result);
        Assert.True(reports > 0, $"{name} says nothing while it works");
        return most - before;
    }

    private (string Name, object Value)[] Options(string name, AnalysisText text) => name switch
    {
        "embeddings, given alignments" => [("--alignments", Alignments((int)(text.Report?.Lines ?? File.ReadLines(text.Input!).LongCount())))],
        "word-translation" => [("--updates", 0L)],
        "word-translation, trained on files" => [("--updates", 40L), ("--train-input", _folder.PathOf("a")), ("--train-reference", _folder.PathOf("b")), ("--side", "decoder")],
        "word-translation, with bleu" => [("--updates", 0L), ("--bleu", true), ("--side", "encoder")],
        "lesion, with m2" => [("--metric", "m2")],
        "ffn-memories" => [("--triggers", 3L), ("--removal-cells", 2L), ("--pattern-triggers", 3L)],
        "exit-thresholds" => [("--draws", 2L)],
        "ffn-composition" => [("--prefixes", 50L)],
        _ => [],
    };

    private static AnalysisText Text(string? input, string? reference = null, long? lines = null, int batchTokens = BatchTokens) => new() { Input = input, Reference = reference, Lines = lines, BatchTokens = batchTokens };

    private string Alignments(int lines)
    {
        string path = _folder.PathOf("alignments");
        TextFile.WriteLines(path, Enumerable.Repeat("0-0 1-1 2-2", lines));
        return path;
    }

    private string Side(string name, int lines)
    {
        string path = _folder.PathOf(name);
        TextFile.WriteLines(path, Lines(lines));
        return path;
    }

    private string Annotated(string name, int lines)
    {
        string path = _folder.PathOf(name);
        TextFile.WriteLines(path, Lines(lines).SelectMany(l => (string[])[$"S {l}", "A 0 1|||X|||a|||REQUIRED|||-NONE-|||0", ""]));
        return path;
    }

    private static IEnumerable<string> Lines(int lines)
    {
        var random = new Random(3);
        for (int i = 0; i < lines; i++)
            yield return string.Join(' ', Enumerable.Range(0, Words).Select(_ => (char)('a' + random.Next(7))));
    }

    private static long Alive()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        return GC.GetTotalMemory(forceFullCollection: false);
    }

    private sealed class Heard(Action heard) : IProgress<AnalysisProgress>
    {
        public void Report(AnalysisProgress value) => heard();
    }
}
