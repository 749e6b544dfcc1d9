using System.Text;
using CudaSeq.Models;

namespace CudaSeq.Cli;

/// <summary>The way of the verbs that make one text of another, line by line.</summary>
internal static class LineByLine
{
    /// <summary>Opens a file, or standard input where none is named.</summary>
    public static Stream Open(string? path, Terminal terminal)
        => path is null ? terminal.Input
        : File.Exists(path) ? File.OpenRead(path)
        : throw TextFile.NotThere(path);

    /// <summary>Sends lines with their ends from one text to another: to a file that is there when it is whole, or as they come to standard output.</summary>
    public static void Copy(string? input, string? output, Terminal terminal, Action<string, TextWriter> write, CancellationToken cancellation)
    {
        using var source = Open(input, terminal);
        var lines = TextFile.ReadWholeLines(source, input ?? "stdin");
        if (output is not null)
        {
            TextFile.WriteWhole(output, stream =>
            {
                using var writer = new StreamWriter(stream, new UTF8Encoding(false), bufferSize: 1 << 16, leaveOpen: true);
                foreach (string line in lines)
                {
                    cancellation.ThrowIfCancellationRequested();
                    write(line, writer);
                }
            });
            return;
        }

        foreach (string line in lines)
        {
            cancellation.ThrowIfCancellationRequested();
            write(line, terminal.Out);
            terminal.Out.Flush();
            if (terminal.ReaderLeft)
                return;
        }
    }
}
