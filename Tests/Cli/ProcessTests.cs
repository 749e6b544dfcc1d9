using System.Diagnostics;

namespace CudaSeq.Tests;

/// <summary>The tool as a process of its own: what only the operating system sees.</summary>
public sealed class ProcessTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private static readonly Dictionary<string, string> NoCuda = new() { ["CUDASEQ_CUDA_LIBRARY"] = "/no/such/libcuda.so.1" };

    [Theory]
    [InlineData("doctor", 0)]
    [InlineData("info no-such", 1)]
    [InlineData("train --nonsense", 2)]
    public void ExitCodesReachTheShell(string line, int code)
    {
        var (exit, _, error) = Run(line);
        Assert.Equal(code, exit);
        Assert.Equal(code == 0 ? 0 : 1, error.Count(c => c == '\n'));
    }

    [Fact]
    public void PipesCarryUtf8AndNoColours()
    {
        var (exit, output, _) = Run("train --help");
        Assert.Equal(0, exit);
        Assert.Equal(Tool.Run("train", "--help").Out, output);
    }

    [Fact]
    public void SmokeShowsATableAndTranslations()
    {
        var (exit, output, error) = Run("quickstart --smoke");
        Assert.Equal("", error);
        Assert.Equal(0, exit);
        Assert.Matches(@"(?m)^model +parameters +exact match +train tok/s +decode tok/s +memory$", output);
        foreach (string model in (string[])["transformer", "lightconv", "dynamicconv"])
            Assert.Matches($@"(?m)^{model} +[0-9,]+ +[0-9.]+ % +[0-9,]+ +[0-9,]+ +[0-9]+ MiB$", output);
        Assert.DoesNotContain('\e', output);
    }

    // A library that is named is the only one that is tried, so that this holds on a machine with a GPU too.
    [Theory]
    [InlineData("cuda")]
    [InlineData("cuda:1")]
    public void CudaWithoutAGpuIsAnErrorThatSaysWhatWasTried(string device)
    {
        var (exit, output, error) = Run($"translate --model {Path.GetTempPath()} --device {device}", NoCuda);
        Assert.Equal(1, exit);
        Assert.Equal("", output);
        Assert.Equal(
            $"cudaseq: Device: {device} needs a GPU, but libcuda cannot be loaded; tried CUDASEQ_CUDA_LIBRARY=/no/such/libcuda.so.1 (there is no such file).\n", error);
    }

    [Fact]
    public void DoctorWithoutAGpuSaysWhereItLooked()
    {
        var (exit, output, error) = Run("doctor", NoCuda);
        Assert.Equal("", error);
        Assert.Equal(0, exit);
        Assert.Contains("/no/such/libcuda.so.1", output, StringComparison.Ordinal);
        Assert.Contains("libcublas     not found, and of no use without a driver\n", output, StringComparison.Ordinal);
        var (_, places, _) = Run("doctor --places", NoCuda);
        Assert.DoesNotContain("of no use", places, StringComparison.Ordinal);
    }

    [Fact]
    public void AClosedStandardInputIsSaidAndNotWaitedFor()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "how a closed input is known is Linux's");
        var tool = Tool.StartInfo("moses", "tokenize", "--lang", "en");
        var start = new ProcessStartInfo("/bin/sh", ["-c", "exec \"$0\" \"$@\" <&-", tool.FileName, .. tool.ArgumentList]) { RedirectStandardError = true, RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        Assert.True(process.WaitForExit(Patience), "it waits for a closed input");
        Assert.Equal((1, "", "cudaseq: standard input is closed; a file is named with --input.\n"), (process.ExitCode, process.StandardOutput.ReadToEnd(), process.StandardError.ReadToEnd()));
    }

    private static (int ExitCode, string Out, string Error) Run(string line, Dictionary<string, string>? environment = null)
    {
        using var process = Start(line.Split(' '), environment);
        process.StandardInput.Close();
        var error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        Assert.True(process.WaitForExit(Patience), $"cudaseq {line} did not end");
        return (process.ExitCode, output, error.Result);
    }

    /// <summary>Starts the tool with all its streams redirected.</summary>
    internal static Process Start(string[] arguments, Dictionary<string, string>? environment = null)
    {
        var start = Tool.StartInfo(arguments);
        start.RedirectStandardInput = true;
        foreach (var (name, value) in environment ?? [])
            start.Environment[name] = value;
        return Process.Start(start)!;
    }
}
