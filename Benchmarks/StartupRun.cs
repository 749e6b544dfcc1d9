using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace CudaSeq.Benchmarks;

/// <summary><c>startup --tool FILE --model DIR [--line TEXT] [--rounds N]</c>: how long one sentence waits for the tool, from the start of its process to its first line.</summary>
internal static class StartupRun
{
    private const int UsualRounds = 9;
    private const string UsualLine = "a man rides a bicycle .";

    public static int Run(string[] arguments)
    {
        var options = new OptionList("startup", arguments, "--tool FILE", "--model DIR", "--line TEXT", "--rounds N");
        string tool = options.Text("--tool") ?? throw new OptionException("startup: --tool must be given: the published cudaseq.");
        string model = options.Text("--model") ?? throw new OptionException("startup: --model must be given: a run's folder.");
        string line = options.Text("--line") ?? UsualLine;

        // The first finds nothing in the system's caches.
        Once(tool, model, line);
        double[] seconds = [.. Enumerable.Range(0, options.Whole("--rounds") ?? UsualRounds).Select(_ => Once(tool, model, line))];
        var spread = Spread.Of(seconds);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{QuickRun.Duration(spread.Median)} ({QuickRun.Duration(spread.Low)} .. {QuickRun.Duration(spread.High)}, {seconds.Length} runs) from the start of the process to its first line"));
        return 0;
    }

    private static double Once(string tool, string model, string line)
    {
        var start = new ProcessStartInfo(tool, ["translate", "--model", model]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        double begin = Clock.Wall.Seconds();
        try
        {
            using var process = Process.Start(start)!;
            process.StandardInput.WriteLine(line);
            process.StandardInput.Close();
            string? answer = process.StandardOutput.ReadLine();
            double seconds = Clock.Wall.Seconds() - begin;
            process.WaitForExit();
            return answer is not null && process.ExitCode == 0 ? seconds : throw new InvalidDataException($"{tool}: must answer with a line, it ended with {process.ExitCode}.");
        }
        catch (Win32Exception e)
        {
            throw new OptionException($"startup: {tool}: {e.Message.TrimEnd('.')}.");
        }
    }
}
