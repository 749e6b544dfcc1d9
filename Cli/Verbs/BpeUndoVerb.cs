using System.CommandLine;
using CudaSeq.Models;

namespace CudaSeq.Cli;

/// <summary><c>cudaseq bpe undo</c>: subwords to words.</summary>
internal sealed class BpeUndoVerb : Verb
{
    private readonly Option<string> _input = Text("--input", "FILE", "Text of subwords (default: standard input).");
    private readonly Option<string> _output = Text("--output", "FILE", "Where the words go (default: standard output).");

    public BpeUndoVerb()
        : base("undo", "Join subwords to words again.", "bpe")
    {
        Add(_input);
        Add(_output);
    }

    public override IReadOnlyList<(string Line, string What)> Examples =>
    [
        ("cudaseq bpe undo --input translated.bpe.de --output translated.de", "Takes every @@ and the blank after it away."),
    ];

    public override int Run(ParseResult arguments, Terminal terminal, CancellationToken cancellation)
    {
        string? input = arguments.GetValue(_input), output = arguments.GetValue(_output);
        OutputFile.CheckApart([("--input", input), ("--output", output)]);
        LineByLine.Copy(input, output, terminal, Undo, cancellation);
        return CommandLine.Success;
    }

    private static void Undo(string line, TextWriter writer)
    {
        string text = line.TrimEnd('\n');
        writer.Write(SubwordNmt.Undo(text));
        writer.Write(line[text.Length..]);
    }
}
