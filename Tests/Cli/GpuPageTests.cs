using CudaSeq.Cli;

namespace CudaSeq.Tests;

/// <summary>The page about GPUs says what the files say, and nothing where there is none.</summary>
public sealed class GpuPageTests : IDisposable
{
    private const string Conv = "LightConv B=128 T=512 C=1024 H=16 K=";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ThePageIsCurrent()
        => Repository.AssertSame("docs/results/gpu.md", GpuPage.Write(GpuRun.ReadFolder(Repository.File("docs/results/gpu"))));

    [Fact]
    public void WithoutFilesEveryTargetIsNotYetMeasured()
    {
        string page = GpuPage.Write([]);
        Assert.Contains("No GPU has been measured with this code so far", page);
        string[] rows = [.. page.Split('\n').Where(l => l.StartsWith("| ", StringComparison.Ordinal)).Skip(1)];
        Assert.Equal(GpuTarget.All.Count, rows.Length);
        Assert.All(rows, r => Assert.EndsWith("| not yet measured |", r));
    }

    [Fact]
    public void ATargetIsJudgedByItsWorstFigure()
    {
        var run = Run($$"""
            {{Figure("cudaseq", Conv + "7", "bfloat16", 100e-6, copy: 90e-6)}},
            {{Figure("cudaseq", Conv + "31", "bfloat16", 100e-6, copy: 81.4e-6)}},
            {{Figure("cudaseq", Conv + "63", "bfloat16", 100e-6, copy: 10e-6)}},
            {{Figure("cudaseq", Conv + "31 backward", "bfloat16", 100e-6, copy: 60e-6)}},
            {{Figure("cudaseq", Conv + "31", "float32", 100e-6, copy: 20e-6)}},
            {{Figure("torch", Conv + "7", "bfloat16", 100e-6, copy: 1e-6)}}
            """);
        Assert.Equal($"81.4 %, reached, the worst of 2: {Conv}31", GpuTarget.All[0].Verdict(run));
        Assert.Equal("not yet measured", GpuTarget.All[1].Verdict(run));
        Assert.Equal("60.0 %, missed", GpuTarget.All[2].Verdict(run));
    }

    [Fact]
    public void RivalsAreComparedAtTheSameCaseAndType()
    {
        const string Attention = "Attention B=1024 T=64 S=64 C=1024 H=16", Model = "transformer base B=256 T=64 V=32768";
        var run = Run($$"""
            {{Figure("cudaseq", Attention, "bfloat16", 100e-6)}},
            {{Figure("torch", Attention, "bfloat16", 110e-6)}},
            {{Figure("torch", Attention, "float32", 500e-6)}},
            {{Figure("cudaseq", "Training " + Model, "bfloat16", value: 260_000, mode: "graphs")}},
            {{Figure("torch", "Training " + Model, "bfloat16", value: 200_000, mode: "max-autotune")}},
            {{Figure("torch", "Training " + Model, "bfloat16", value: 100_000, mode: "eager")}},
            {{Figure("cudaseq", "Step " + Model, "bfloat16", value: 0.12, mode: "eager")}},
            {{Figure("cudaseq", Conv + "7", "bfloat16", 100e-6)}},
            {{Figure("fairseq", Conv + "7", "float16", 250e-6)}}
            """);
        Assert.Equal("1.10, reached", Verdict("Attention"));
        Assert.Equal("1.30, reached", Verdict("Training"));
        Assert.Equal("12.0 %, missed", Verdict("The host"));
        string page = GpuPage.Write([run]);
        Assert.Contains("| 110.0 (1.10) |", page);
        Assert.Contains("| 250.0 (2.50) |", page);
        Assert.Contains("| 200,000 (1.30) |", page);

        string Verdict(string what) => GpuTarget.All.Single(t => t.What.StartsWith(what, StringComparison.Ordinal)).Verdict(run);
    }

    [Fact]
    public void TheVerbWritesThePage()
    {
        string file = _folder.File("chip-2026-01-31.json", Text(Figure("cudaseq", "LayerNorm [65536, 1024]", "bfloat16", 100e-6, copy: 90e-6)));
        string output = _folder.PathOf("gpu.md");
        var run = Tool.Run("report", "--gpu", Path.GetDirectoryName(file)!, "--output", output);
        Assert.Equal(("", 0), (run.Error, run.ExitCode));
        string page = File.ReadAllText(output);
        Assert.Contains("| Layer norm, of a copy of the same bytes | 85 % | 90.0 %, reached |", page);
        Assert.Contains("## Chip, 2026-01-31", page);
        Assert.Contains("* tests: 12 passed on cuda, 0 skipped there; 20 passed, 0 failed, 8 skipped in all", page);
        Assert.Contains("* memcheck: clean", page);
        Assert.Contains("* torch, Attention: no memory", page);
    }

    [Theory]
    [InlineData("report", "cudaseq report: RUN, --gpu DIR or --pages DIR must be given, one of them; cudaseq report --help shows how.")]
    [InlineData("report runs/a --gpu gpu", "cudaseq report: RUN, --gpu DIR or --pages DIR must be given, one of them; cudaseq report --help shows how.")]
    [InlineData("report --gpu gpu --title Mine", "cudaseq report: --title is for runs; the page about GPUs has its own.")]
    public void TheVerbWantsOneOfTheTwo(string line, string message)
    {
        var run = Tool.Run(line.Split(' '));
        Assert.Equal((message + "\n", 2), (run.Error, run.ExitCode));
    }

    [Theory]
    [InlineData("""{"format": 1, "machine": {"emulated": true}}""", "a.json: must be of a GPU; times on the emulator mean nothing.")]
    [InlineData("""{"format": 1}""", "a.json: must be of a GPU; times on the emulator mean nothing.")]
    [InlineData("""{"format": 2}""", "a.json: must have format 1, got 2.")]
    [InlineData("""[]""", "a.json: must be a JSON object.")]
    [InlineData("""{"format": 1, "machine": {"emulated": false}, "figures": [{"by": "cudaseq"}]}""", "a.json: has no case.")]
    public void RefusesFilesThatAreNoFigures(string text, string message)
        => Assert.Equal(message, Assert.Throws<InvalidDataException>(() => new GpuRun("a.json", text)).Message);

    private static string Figure(string by, string name, string dtype, double? seconds = null, double? copy = null, double value = 1, string? mode = null)
        => FormattableString.Invariant(
            $$"""{"by": "{{by}}", "case": "{{name}}", "dtype": "{{dtype}}", "value": {{value}}, "unit": "GB/s", "mode": {{(mode is null ? "null" : $"\"{mode}\"")}}, "seconds": {{(seconds is { } s ? FormattableString.Invariant($"{s}") : "null")}}, "copy_seconds": {{(copy is { } c ? FormattableString.Invariant($"{c}") : "null")}}}""");

    private static GpuRun Run(string figures) => new("a.json", Text(figures));

    private static string Text(string figures) => $$"""
        {
          "format": 1, "date": "2026-01-31", "commit": "abc", "machine": {"gpu": "Chip", "emulated": false},
          "tests": {"device": "cuda", "passed": 20, "failed": 0, "skipped": 8, "device_passed": 12, "device_skipped": 0},
          "sanitizer": {"memcheck": "clean"},
          "figures": [{{figures}}],
          "failures": [{"by": "torch", "case": "Attention", "reason": "no memory"}]
        }
        """;
}
