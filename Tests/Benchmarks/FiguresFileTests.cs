using System.Text.Json.Nodes;
using CudaSeq.Benchmarks;

namespace CudaSeq.Tests;

/// <summary>The file of figures that the parts of a run on a GPU write to.</summary>
public sealed class FiguresFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cudaseq-figures-").FullName;

    private string Json => Path.Combine(_folder, "gpu.json");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void LaterPartsAddToItAndMeasuringAgainReplaces()
    {
        FiguresFile.Open(Json).Add(Figure("LayerNorm [8, 8]", 1));
        var file = FiguresFile.Open(Json);
        file.Add(Figure("Softmax [8, 8]", 2));
        file.Add(Figure("LayerNorm [8, 8]", 3));
        file.Fail("Adam", "no memory");
        file.Fail("Softmax [8, 8] float32", "later it failed");
        file.Add(Figure("Softmax [8, 8]", 4));
        Assert.Equal(0, RecordRun.Run([Json, "tests", "passed=12", "device=cuda"]));
        Assert.Equal(0, RecordRun.Run([Json, "tests", "failed=0"]));
        var root = Read();
        Assert.Equal([("LayerNorm [8, 8]", 3.0), ("Softmax [8, 8]", 4.0)], root["figures"]!.AsArray().Select(f => ((string)f!["case"]!, (double)f["value"]!)));
        Assert.Equal(["Adam"], root["failures"]!.AsArray().Select(f => (string)f!["case"]!));
        Assert.Equal("""{"passed":12,"device":"cuda","failed":0}""", root["tests"]!.ToJsonString());
        Assert.Equal(CudaSeq.Models.BuildInfo.Commit, (string?)root["commit"]);
    }

    [Fact]
    public void SaysWhatMachineTheFiguresAreOf()
    {
        using var cuda = TestDevices.OpenCuda();
        FiguresFile.Open(Json).Describe(cuda);
        var machine = Read()["machine"]!;
        Assert.Equal(cuda.Model, (string?)machine["gpu"]);
        Assert.Equal(cuda.ImageOrigin, (string?)machine["kernels"]);
        machine["gpu"] = "another";
        File.WriteAllText(Json, machine.Root.ToJsonString());
        Assert.Equal(
            $"{Json}: holds figures of another, this is {cuda.Model}; begin another file.",
            Assert.Throws<InvalidDataException>(() => FiguresFile.Open(Json).Describe(cuda)).Message);
    }

    [Fact]
    public void DescribeBeginsTheFile()
    {
        using var cuda = TestDevices.OpenCuda();
        Assert.Equal(0, DescribeRun.Run(["--device", "cuda", "--json", Json]));
        var root = Read();
        Assert.Equal(cuda.Model, (string?)root["machine"]!["gpu"]);
        Assert.Equal(CudaSeq.Models.BuildInfo.Commit, (string?)root["commit"]);
    }

    [Theory]
    [InlineData("--device cuda", "describe: --json FILE must be given.")]
    [InlineData("--json gpu.json", "describe: --device must be a GPU, got cpu.")]
    public void DescribeWantsAGpuAndAFile(string line, string message)
        => Assert.Equal(message, Assert.Throws<OptionException>(() => DescribeRun.Run(line.Split(' '))).Message);

    [Theory]
    [InlineData("not json", ": is no JSON: ")]
    [InlineData("[1]", ": must have format 1, got none.")]
    [InlineData("""{"format": 7}""", ": must have format 1, got 7.")]
    [InlineData("""{"format": 1, "commit": "abc"}""", ": holds figures of commit abc, this build is of ")]
    public void RefusesFilesThatAreNotOfThisBuild(string text, string message)
    {
        File.WriteAllText(Json, text);
        Assert.StartsWith(Json + message, Assert.Throws<InvalidDataException>(() => FiguresFile.Open(Json)).Message);
    }

    [Fact]
    public void RecordNeedsFacts()
        => Assert.Equal("record: usage: record FILE SECTION KEY=VALUE...", Assert.Throws<OptionException>(() => RecordRun.Run([Json, "tests", "passed"])).Message);

    private static JsonObject Figure(string name, double value) => new() { ["by"] = "cudaseq", ["case"] = name, ["dtype"] = "float32", ["value"] = value };

    private JsonObject Read() => JsonNode.Parse(File.ReadAllText(Json))!.AsObject();
}
