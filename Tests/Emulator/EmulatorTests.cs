using System.Diagnostics;
using System.Text.RegularExpressions;

namespace CudaSeq.Tests;

/// <summary>The CUDA emulator itself: correct kernels pass in every order of threads, wrong ones are reported with kernel, block, thread and line.</summary>
public sealed partial class EmulatorTests
{
    private const string ReportedHere = "// reported here";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    public static TheoryData<string> WrongKernels => Sources("wrong");

    public static TheoryData<string> Samples => Sources("samples");

    [Theory]
    [MemberData(nameof(Samples))]
    public void CorrectKernelsPassInEveryOrder(string source)
    {
        foreach (string level in (string[])["plain", "checked"])
        {
            var (exit, output) = Emulate($"samples.{level}.so", $"samples/{source}");
            Assert.True(exit == 0, output);
            Assert.Contains("no mistake found in forward, reverse and random order", output, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(WrongKernels))]
    public void WrongKernelsAreReportedWithKernelBlockThreadAndLine(string source)
    {
        var (exit, output) = Emulate("wrong.checked.so", $"wrong/{source}");
        Assert.True(exit == 1, output);
        var report = Report().Match(output);
        Assert.True(report.Success, output);
        string[] lines = File.ReadAllLines(Repository.File($"Tests/Emulator/wrong/{source}"));
        Assert.Contains($"__global__ void {report.Groups["kernel"].Value}(", string.Join('\n', lines), StringComparison.Ordinal);
        Assert.Equal($"Tests/Emulator/wrong/{source}", report.Groups["file"].Value);
        int line = int.Parse(report.Groups["line"].ValueSpan, System.Globalization.CultureInfo.InvariantCulture);
        Assert.True(lines[line - 1].Contains(ReportedHere, StringComparison.Ordinal), output);
    }

    [Theory]
    [InlineData("out_of_bounds.cu", "out of bounds: writes 4 bytes of global memory, 0 bytes past the end of a buffer of 1020 bytes")]
    [InlineData("out_of_bounds_array.cu", "index out of the bounds of its array")]
    [InlineData("negative_index.cu", "out of bounds: reads 4 bytes of global memory, 4 bytes before a buffer of 256 bytes")]
    [InlineData("race_variable.cu", "race: reads 4 bytes of a __device__ variable that block (0,0,0) of the same launch has written, and blocks run in any order")]
    [InlineData("spin.cu", "spins: reads 4 bytes over and over that no thread of the block changes, and other blocks may run later")]
    [InlineData("race_global.cu", "race: reads 4 bytes of global memory that block (0,0,0) of the same launch has written, and blocks run in any order")]
    [InlineData("divergent_barrier.cu", "divergent barrier: ")]
    [InlineData("two_barriers.cu", "divergent barrier: while thread ")]
    [InlineData("divergent_shuffle.cu", "deadlock: waits at __shfl_xor_sync for lanes that do not come; thread (16,0,0) waits at __syncthreads()")]
    [InlineData("uninitialised_shared.cu", "uninitialised read: reads 4 bytes of shared memory that nothing has written, or not yet: a barrier may be missing; kernel ")]
    [InlineData("use_after_free.cu", "use after free: reads 4 bytes of global memory, in a buffer of 256 bytes that cuMemFreeAsync freed")]
    [InlineData("missing_event.cu", "kernel wrong_missing_event_writes on another stream has written, with no event between")]
    [InlineData("missing_cp_async_wait.cu", "missing cp.async wait: ")]
    [InlineData("missing_syncwarp.cu", "shared memory")]
    [InlineData("misaligned.cu", "misaligned: reads 16 bytes of global memory at an address that they do not divide")]
    public void TheReportSaysWhatIsWrong(string source, string expected)
    {
        var (_, output) = Emulate("wrong.checked.so", $"wrong/{source}");
        Assert.Contains(expected, output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("divergent_barrier.cu")]
    [InlineData("two_barriers.cu")]
    [InlineData("divergent_shuffle.cu")]
    [InlineData("use_after_free.cu")]
    public void ThePlainLevelFindsWhatNeedsNoWatching(string source)
    {
        var (exit, output) = Emulate("wrong.plain.so", $"wrong/{source}");
        Assert.True(exit == 1, output);
        Assert.Matches(Report(), output);
    }

    [Theory]
    [InlineData("main.cu", 0, "sum 2016")]
    [InlineData("main_wrong.cu", 1, "uninitialised read: reads 4 bytes of shared memory")]
    [InlineData("defaults_wrong.cu", 1, "out of bounds: writes 4 bytes of global memory")]
    [InlineData("guard_wrong.cu", 1, "out of bounds: reads 4 bytes of global memory, 0 bytes past the end of a buffer of 1000 bytes")]
    [InlineData("idioms.cu", 0, "total 2560")]
    [InlineData("uninitialised_wrong.cu", 1, "uninitialised read: reads 4 bytes of global memory that nothing has written; kernel accumulate")]
    [InlineData("unchecked_launch_wrong.cu", 1, "refused: kernel fill: a block has 1 to 1024 threads, at most 64 of them deep, got 2048 x 1 x 1, ")]
    [InlineData("double_free_wrong.cu", 1, "refused: cuMemFree of what is not the beginning of a living allocation, ")]
    [InlineData("direction_wrong.cu", 1, "refused: a copy between other memories than its direction says, ")]
    [InlineData("neighbour_wrong.cu", 1, "out of bounds: beyond the variable that the pointer was made from; kernel last, block (0,0,0), thread (0,0,0), ")]
    [InlineData("pipeline_wrong.cu", 1, "missing cp.async wait: reads 4 bytes of shared memory")]
    [InlineData("ptx.cu", 2, "ptx.cu:3: inline PTX is not run: give it a body under #ifdef CUDASEQ_EMULATOR")]
    public void AStrangersFileIsRunAsItIs(string source, int exit, string expected)
    {
        Folder();
        var run = Run("bash", [Repository.File("eng/emulate.sh"), Repository.File($"Tests/Emulator/strangers/{source}")]);
        Assert.True(run.Exit == exit, run.Output);
        Assert.Contains(expected, run.Output, StringComparison.Ordinal);
    }

    /// <summary>The intrinsics and the inline PTX of Device.cuh mean on the emulator what they are for.</summary>
    [Fact]
    public void EveryWrapperOfDeviceCodeDoesWhatItIsFor()
    {
        Folder();
        var run = Run("bash", [Repository.File("eng/emulate.sh"), Repository.File("Tests/Emulator/wrappers/main.cu")]);
        Assert.True(run.Exit == 0, run.Output);
        string[] wrappers =
        [
            "pack_pair<bf16>", "from_float<bf16>", "Pack<bf16>", "store_four<bf16>", "pack_pair<f16>", "from_float<f16>", "Pack<f16>", "store_four<f16>",
            "cp_async16", "ldmatrix_x4", "ldmatrix_x4_trans", "mma_16816<bf16>", "mma_16816<f16>", "exp2_or_zero",
        ];
        Assert.All(wrappers, w => Assert.Equal(3, run.Output.Split('\n').Count(l => l == $"{w} right")));
    }

    private static TheoryData<string> Sources(string folder)
        => [.. Directory.EnumerateFiles(Repository.File($"Tests/Emulator/{folder}"), "*.cu").Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal)];

    /// <summary>Where the build put the emulator; skips the running test where there is no compiler to build it.</summary>
    private static string Folder()
    {
        Assert.SkipUnless(File.Exists(Path.Combine(TestDevices.EmulatorFolder, "emulate")), "cuda-emulated: the emulator is built where g++ is");
        return TestDevices.EmulatorFolder;
    }

    private static (int Exit, string Output) Emulate(string image, string source)
    {
        string folder = Folder();
        return Run(Path.Combine(folder, "emulate"), [Path.Combine(folder, image), Repository.File($"Tests/Emulator/{source}")]);
    }

    private static (int Exit, string Output) Run(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string variable in (string[])["CUDASEQ_EMULATOR_ORDER", "CUDASEQ_EMULATOR_LAZY", "CUDASEQ_EMULATOR_MEMORY"])
            start.Environment.Remove(variable);
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        Assert.True(process.WaitForExit(Patience), $"{program} {string.Join(' ', arguments)} did not end");
        return (process.ExitCode, output + error.Result);
    }

    [GeneratedRegex(@"kernel (?<kernel>\w+), block \(\d+,\d+,\d+\), thread \(\d+,\d+,\d+\), (?<file>\S+\.cu):(?<line>\d+)$", RegexOptions.Multiline)]
    private static partial Regex Report();
}
