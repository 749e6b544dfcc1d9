using System.Diagnostics;
using System.Text;
using CudaSeq.Cli;

namespace CudaSeq.Tests;

/// <summary>What one run of the tool said.</summary>
/// <param name="ExitCode">0, 1 or 2.</param>
/// <param name="Out">Standard output.</param>
/// <param name="Error">Standard error.</param>
internal sealed record ToolRun(int ExitCode, string Out, string Error);

/// <summary>Runs the tool inside the test, or says how to start it as a process of its own.</summary>
internal static class Tool
{
    // Published with its runtime, it is a program; there may be no dotnet to run it.
    private static readonly bool IsSelfContained = File.Exists(Path.Combine(AppContext.BaseDirectory, "libcoreclr.so"));

    /// <summary>A process of the tool that lies beside the tests, with redirected output.</summary>
    public static ProcessStartInfo StartInfo(params IEnumerable<string> arguments)
    {
        string dotnet = Environment.ProcessPath is { } host && Path.GetFileNameWithoutExtension(host) == "dotnet" ? host : "dotnet";
        var start = IsSelfContained
            ? new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "cudaseq"))
            : new ProcessStartInfo(dotnet) { ArgumentList = { Path.Combine(AppContext.BaseDirectory, "cudaseq.dll") } };
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        return start;
    }

    public static ToolRun Run(params string[] args) => Run(args, input: "");

    public static ToolRun Run(
        string[] args,
        string input,
        Dictionary<string, string>? environment = null,
        bool live = false,
        int width = 80,
        CancellationToken cancellation = default,
        StringWriter? output = null)
    {
        output ??= new StringWriter();
        output.NewLine = "\n";
        var error = new StringWriter { NewLine = "\n" };
        using var terminal = new Terminal(
            new MemoryStream(Encoding.UTF8.GetBytes(input)), output, error, live, () => width, name => environment?.GetValueOrDefault(name));
        int code = CommandLine.Run(args, terminal, cancellation);
        return new ToolRun(code, output.ToString(), error.ToString());
    }
}
