using CudaSeq.Benchmarks;
using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

/// <summary>The benchmarks' cases: every one runs wherever there is a device, however small, and can be told from the others.</summary>
public sealed class QuickCaseTests
{
    public static TheoryData<Sizes> AllSizes => [.. Enum.GetValues<Sizes>()];

    [Theory, Devices]
    public void EverySmallCaseRuns(string device)
    {
        using var opened = TestDevices.Open(device);
        RunAll(opened, DType.Float32);
    }

    [Fact]
    public void EverySmallCaseRunsInBFloat16()
    {
        using var cuda = TestDevices.OpenCuda();
        RunAll(cuda, DType.BFloat16);
    }

    [Theory, Devices]
    public void EverySmallModelTrainsAndTranslates(string device)
    {
        using var opened = TestDevices.Open(device);
        foreach (var c in ModelCase.Of(Sizes.Smoke).Where(c => c.Preset == "base"))
        {
            using var model = new OpenModel(c, opened);
            Assert.True(model.Train(TimeSpan.Zero, 2, graphs: true).Median > 0, c.ToString());
            Assert.True(model.Decode(beam: 2, count: 1, graphs: true).Median > 0, c.ToString());
            var (host, step) = model.Step(1, () => { });
            Assert.InRange(host, double.Epsilon, step);
        }
    }

    [Theory]
    [MemberData(nameof(AllSizes))]
    public void NamesAreDifferentAndWorkIsCounted(Sizes sizes)
    {
        QuickCase[] cases = [.. QuickRun.All(new Setting(sizes))];
        Assert.Equal(cases.Length, cases.Select(c => c.Name).Distinct().Count());
        Assert.All(cases, c => Assert.True(c.Work.Bytes > 0 || c.Work.Flops > 0, c.Name));
        string[] models = [.. ModelCase.Of(sizes).Select(c => c.ToString())];
        Assert.Equal(models.Length, models.Distinct().Count());
    }

    [Theory]
    [InlineData("--nonsense 1", "quick: unknown or incomplete option --nonsense; options are ")]
    [InlineData("--rounds", "quick: unknown or incomplete option --rounds; options are ")]
    [InlineData("--rounds 0", "quick: --rounds must be a whole number of at least 1, got 0.")]
    [InlineData("--rounds 1 --rounds 2", "quick: --rounds must be given once.")]
    [InlineData("--sizes huge", "quick: --sizes must be one of processor, gpu, smoke, got huge.")]
    [InlineData("--dtype int32", "quick: --dtype must be one of float32, bfloat16, got int32.")]
    [InlineData("--dtype bfloat16", "quick: a processor computes in float32 alone, got --dtype bfloat16.")]
    [InlineData("--filter nothing-is-called-so", "quick: no case matches \"nothing-is-called-so\"; there are ")]
    [InlineData("--json gpu.json", "quick: --json is for a GPU, got --device cpu.")]
    [InlineData("--device cuda --threads 2", "quick: --threads is about the processor, got --device cuda.")]
    [InlineData("--device gpu", "quick: Device: must be one of cpu, cuda, cuda:N, auto, got \"gpu\".")]
    public void RefusesWhatItDoesNotUnderstand(string line, string message)
        => Assert.StartsWith(message, Assert.Throws<OptionException>(() => QuickRun.Run(line.Split(' '))).Message);

    [Theory]
    [InlineData("--help")]
    [InlineData("--rounds 3 -h")]
    public void SaysWhatItUnderstands(string line)
        => Assert.StartsWith("quick [--device NAME] [--filter TEXT] [", Assert.Throws<HelpException>(() => QuickRun.Run(line.Split(' '))).Message);

    private static void RunAll(Device device, DType dtype)
    {
        foreach (var c in QuickRun.All(new Setting(Sizes.Smoke, dtype)))
        {
            using var scope = TensorScope.Begin();
            var call = c.Prepare(device);
            for (int i = 0; i < 2; i++)
            {
                using var inner = TensorScope.Begin();
                call();
            }
        }
    }
}
