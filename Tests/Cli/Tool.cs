using System.Text;
using CudaSeq.Cli;

namespace CudaSeq.Tests;

/// <summary>What one run of the tool said.</summary>
/// <param name="ExitCode">0, 1 or 2.</param>
/// <param name="Out">Standard output.</param>
/// <param name="Error">Standard error.</param>
internal sealed record ToolRun(int ExitCode, string Out, string Error);

/// <summary>Runs the tool inside the test.</summary>
internal static class Tool
{
    public static ToolRun Run(params string[] args) => Run(args, input: "");

    public static ToolRun Run(
        string[] args,
        string input,
        Dictionary<string, string>? environment = null,
        bool live = false,
        int width = 80,
        CancellationToken cancellation = default)
    {
        var (output, error) = (new StringWriter { NewLine = "\n" }, new StringWriter { NewLine = "\n" });
        using var terminal = new Terminal(
            new MemoryStream(Encoding.UTF8.GetBytes(input)), output, error, live, () => width, name => environment?.GetValueOrDefault(name));
        int code = CommandLine.Run(args, terminal, cancellation);
        return new ToolRun(code, output.ToString(), error.ToString());
    }
}
