using System.CommandLine;
using System.Text;
using CudaSeq.Models;

namespace CudaSeq.Cli;

/// <summary><c>cudaseq bpe</c>: byte pair encoding of tokenised text, equal to subword-nmt's.</summary>
internal sealed class BpeVerb : Verb
{
    public BpeVerb()
        : base("bpe", "Cut the words of tokenised text into subwords, as subword-nmt does.")
    {
    }

    public override IReadOnlyList<Verb> Verbs => [new BpeLearnVerb(), new BpeApplyVerb(), new BpeUndoVerb()];

    public override IReadOnlyList<(string Line, string What)> Examples =>
    [
        ("cudaseq bpe learn --input train.en train.de --merges 10000 --codes codes", "Learns merges from both sides."),
        ("cudaseq bpe apply --codes codes --input test.en --output test.bpe.en", "Cuts words into subwords."),
        ("cudaseq bpe undo < translated.bpe.de > translated.de", "Joins them again."),
    ];

    public override string Notes =>
        "Codes, vocabularies and text are byte for byte those of subword-nmt 0.3.9, so either tool can go on with the other's files. A recipe does this by itself with data.tokenizer subword_nmt.";

    public override int Run(ParseResult arguments, Terminal terminal, CancellationToken cancellation) => throw new UsageException("a verb must be given.");

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
