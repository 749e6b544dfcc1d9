using System.Text.Json.Nodes;
using System.Xml.Linq;
using CudaSeq.Benchmarks;
using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

/// <summary>Comparisons with rivals: what is compared is the same function, and what differs is never timed.</summary>
public sealed class CompareTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    // The lines of torch_rival.py, in another language once more.
    [Fact]
    public void PatternsAreThoseOfTheScript()
    {
        float[] values = Patterns.Values(100_000, 3);
        Assert.All(values, v => Assert.InRange(v, -1, 1));
        Assert.InRange(values.Average(), -0.01, 0.01);
        Assert.InRange(values.Average(v => v * v), 0.32, 0.345);
        Assert.True(values.Distinct().Count() > 99_000);
        ulong h = (12345ul * 2654435761ul + 3ul * 40503ul) & 0xffffffff;
        h ^= h >> 16;
        h = h * 0x85EBCA6Bul & 0xffffffff;
        h ^= h >> 13;
        h = h * 0xC2B2AE35ul & 0xffffffff;
        h ^= h >> 16;
        Assert.Equal(((h >> 8) / 8388608.0) - 1, values[12345], 1e-9);
        Assert.NotEqual(values, Patterns.Values(100_000, 4));
    }

    [Fact]
    public void DifferencesAreOfEachOutput()
    {
        Assert.Equal(0, Turns.Difference([[1, -2], [100]], [1, -2, 100]));
        Assert.Equal(0.25, Turns.Difference([[1, -2], [100]], [1.5f, -2, 100]), 1e-9);
        Assert.Equal(0.5, Turns.Difference([[0, 0]], [0, 0.5f]), 1e-9);
        Assert.True(double.IsNaN(Turns.Difference([[1]], [1, 2])));
        Assert.True(double.IsNaN(Turns.Difference([[1]], [float.NaN])));
    }

    [Fact]
    public void ARivalOfAnotherFunctionIsNotTimed()
    {
        using var device = new MeasuredProcessor(new CpuDevice(1), smoke: true);
        var turns = new Turns(device, rounds: 3);
        var product = KernelSuite.Of(Sizes.Smoke).First();
        using Fake right = new(0), wrong = new(0.01f), absent = new(null);
        var result = turns.Measure(product, [right, wrong, absent]);
        Assert.Equal(["fake"], result.Rivals.Where(r => r.Ratio is not null).Select(r => r.Label));
        Assert.Equal(2, result.Rivals.Count);
        Assert.Equal(0, wrong.Samples);
        Assert.True(right.Samples >= 3);
        Assert.True(result.Seconds.Median > 0 && result.Rivals[0].Ratio!.Value.Median > 0);
        Assert.True(result.Rivals[1].Difference > Turns.Tolerance);
    }

    // Three turns have a spread; nobody waits nine times for what lasts a minute and a half.
    [Fact]
    public void LongCasesHaveFewTurns()
    {
        using var device = new MeasuredProcessor(new CpuDevice(1), smoke: true);
        using var slow = new Fake(0, seconds: 100);
        var result = new Turns(device, rounds: 9).Measure(KernelSuite.Of(Sizes.Smoke).First(), [slow]);
        Assert.Equal((1 + 3, 3), (slow.Samples, result.Rivals[0].Turns));
        Assert.Equal(100, result.Rivals[0].Seconds!.Value.Median);
    }

    [Fact]
    public void ARunWritesItsFilesAndKnowsThemAgain()
    {
        string output = _folder.PathOf("out");
        Assert.Contains("MatMul NT 32x24x40", Run("--sizes", "smoke", "--rivals", "none", "--rounds", "3", "--threads", "1", "--out", output));
        var json = JsonNode.Parse(File.ReadAllText(Path.Combine(output, "compare.json")))!;
        Assert.Equal(KernelSuite.Of(Sizes.Smoke).Select(c => c.Name), json["cases"]!.AsArray().Select(c => (string)c!["name"]!));
        Assert.True((double)json["machine"]!["copy_gigabytes"]! > 0);
        const string Doctype = "<!DOCTYPE html>\n";
        string html = File.ReadAllText(Path.Combine(output, "compare.html"));
        var page = XElement.Parse(html[Doctype.Length..]);
        Assert.Equal(KernelSuite.Of(Sizes.Smoke).Select(c => c.Group).Distinct().Count() + 1, page.Descendants("h2").Count());
        Assert.DoesNotContain("http", html);

        // Times a thousand times shorter are a regression that no noise explains.
        foreach (var c in json["cases"]!.AsArray())
        {
            foreach (string key in (string[])["median", "low", "high"])
                c!["seconds"]![key] = (double)c["seconds"]![key]! / 1000;
        }

        string baseline = _folder.File("before.json", json.ToJsonString());
        string again = Run("--sizes", "smoke", "--rivals", "none", "--rounds", "3", "--threads", "1", "--filter", "MatMul NT", "--baseline", baseline);
        Assert.Contains("Of 1 cases that the earlier run has, 1 are slower beyond the noise:\n    MatMul NT 32x24x40  ", again);
    }

    // Everything that a GPU's side needs, on whatever stands behind the driver.
    [Fact]
    public void AGpuIsComparedToo()
    {
        using (TestDevices.OpenCuda())
        {
        }

        string output = _folder.PathOf("gpu");
        // All suites with one architecture, the kernels, and one update and one search of the others: an emulated GPU takes its time.
        string[] onGpu = ["--device", "cuda", "--sizes", "smoke", "--rivals", "none", "--rounds", "1"];
        string text = Run([.. onGpu, "--suite", "all", "--filter", "dynamicconv", "--out", output]);
        Assert.Contains("Attention", Run([.. onGpu, "--suite", "kernels"]), StringComparison.Ordinal);
        text += Run([.. onGpu, "--suite", "train", "--filter", "lightconv base"]) + Run([.. onGpu, "--suite", "train", "--filter", "transformer base"])
            + Run([.. onGpu, "--suite", "decode", "--filter", "transformer small beam 4 B=2"]);
        Assert.All(["Train lightconv base", "Train transformer base", "Decode transformer small beam"], name => Assert.Contains(name, text, StringComparison.Ordinal));
        Assert.Contains("products in float32 ", text, StringComparison.Ordinal);
        Assert.DoesNotContain("resident", text, StringComparison.Ordinal);
        var json = JsonNode.Parse(File.ReadAllText(Path.Combine(output, "compare.json")))!;
        Assert.True((double)json["machine"]!["copy_gigabytes"]! > 0 && (string?)json["machine"]!["gpu"] is { Length: > 0 });
        string[] groups = [.. json["cases"]!.AsArray().Select(c => (string)c!["group"]!).Distinct()];
        Assert.Contains("Training, base", groups);
        Assert.DoesNotContain(GrowthSuite.AllThreads, groups);
        Assert.Contains("multiprocessors", File.ReadAllText(Path.Combine(output, "compare.html")), StringComparison.Ordinal);
        Assert.Equal(
            $"{Path.Combine(output, "compare.json")}: must be of a processor, it is of a GPU.", Assert.Throws<InvalidDataException>(() => CpuPage.Write(output)).Message);
    }

    [Theory]
    [InlineData("--suite nothing", "compare: --suite must be one of kernels, train, decode, growth, all, got nothing.")]
    [InlineData("--device gpu", "compare: Device: must be one of cpu, cuda, cuda:N, auto, got \"gpu\".")]
    [InlineData("--device cuda --threads 2", "compare: --threads is about the processor, got --device cuda.")]
    [InlineData("--sizes gpu", "compare: --sizes must be one of processor, smoke, got gpu.")]
    [InlineData("--rivals some", "compare: --rivals must be one of auto, none, got some.")]
    [InlineData("--filter nothing-is-called-so", "compare: no case matches \"nothing-is-called-so\"; there are ")]
    public void WrongOptionsAreRefused(string arguments, string message)
        => Assert.StartsWith(message, Assert.Throws<OptionException>(() => CompareRun.Run(arguments.Split(' '))).Message);

    [Theory]
    [InlineData(null, "ab cd,ab,B A")]
    [InlineData("*A*", "ab cd,ab,B A")]
    [InlineData("a*B", "ab cd,ab")]
    [InlineData("*b*a*", "B A")]
    [InlineData("b c", "ab cd")]
    public void AFilterIsPartsInTheirOrder(string? filter, string passed)
        => Assert.Equal(passed.Split(','), new NameFilter("verb", filter).Of(["ab cd", "ab", "B A"], n => n));

    [Fact]
    public void AFilterThatLetsNothingThroughNamesSomeThatThereAre()
        => Assert.Equal(
            "verb: no case matches \"b*b\"; there are 4, for example one; two; three.",
            Assert.Throws<OptionException>(() => new NameFilter("verb", "b*b").Of(["one", "two", "three", "ab"], n => n)).Message);

    [Fact]
    public void ABaselineOfAnotherKindIsRefused()
    {
        string other = _folder.File("other.json", "{\"format\": 1, \"cases\": [{}]}"), later = _folder.File("later.json", "{\"format\": 2}");
        Assert.Equal($"{other}: must be what `compare --out` wrote.", Assert.Throws<InvalidDataException>(() => CompareRun.Run(["--baseline", other])).Message);
        Assert.Equal($"{later}: must be of format 1, got 2.", Assert.Throws<InvalidDataException>(() => CompareRun.Run(["--baseline", later])).Message);
    }

    private static string Run(params string[] arguments)
    {
        var text = new StringWriter();
        Assert.Equal(0, CompareRun.Run(arguments, text));
        return text.ToString();
    }

    // Computes the product as we do, with something added; or not at all.
    private sealed class Fake(float? added, double seconds = 1e-4) : Rival
    {
        public int Samples { get; private set; }

        public override string Name => "fake";

        public override float[]? Prepare(JsonObject order)
        {
            if (added is null)
                return null;
            var c = KernelSuite.Of(Sizes.Smoke).First();
            using var cpu = new CpuDevice(1);
            using var scope = TensorScope.Begin();
            return [.. c.Prepare(cpu).Outputs()[0].Select(v => v + added.Value)];
        }

        public override double Sample(int repetitions)
        {
            Samples++;
            return seconds;
        }

        public override void Dispose()
        {
        }
    }
}
