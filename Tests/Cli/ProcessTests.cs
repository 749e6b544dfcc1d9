using System.Diagnostics;

namespace CudaSeq.Tests;

/// <summary>The tool as a process of its own: what only the operating system sees.</summary>
public sealed class ProcessTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

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
        Assert.Matches(@"(?m)^model +parameters +exact match +training tokens/s +decoding tokens/s +peak memory$", output);
        foreach (string model in (string[])["transformer", "lightconv", "dynamicconv"])
            Assert.Matches($@"(?m)^{model} +[0-9,]+ +[0-9.]+ % +[0-9,]+ +[0-9,]+ +[0-9]+ MiB$", output);
        Assert.DoesNotContain('\e', output);
    }

    private static (int ExitCode, string Out, string Error) Run(string line)
    {
        using var process = Start(line.Split(' '));
        process.StandardInput.Close();
        var error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        Assert.True(process.WaitForExit(Patience), $"cudaseq {line} did not end");
        return (process.ExitCode, output, error.Result);
    }

    /// <summary>Starts the tool with all its streams redirected.</summary>
    internal static Process Start(params string[] arguments)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath is { } host && Path.GetFileNameWithoutExtension(host) == "dotnet" ? host : "dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "cudaseq.dll"));
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        return Process.Start(start)!;
    }
}
