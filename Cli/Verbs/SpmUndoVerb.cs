using System.CommandLine;
using System.Globalization;
using CudaSeq.Models;

namespace CudaSeq.Cli;

/// <summary><c>cudaseq spm undo</c>: pieces or ids to text.</summary>
internal sealed class SpmUndoVerb : Verb
{
    private readonly Option<string> _model = Text("--model", "FILE", "A .model file of SentencePiece.", required: true);
    private readonly Option<string> _input = Text("--input", "FILE", "Pieces with blanks between them (default: standard input).");
    private readonly Option<string> _output = Text("--output", "FILE", "Where the text goes (default: standard output).");
    private readonly Option<bool> _ids = Flag("--ids", "The input is ids.");

    public SpmUndoVerb()
        : base("undo", "Join pieces to text again.", "spm")
    {
        foreach (var option in (Option[])[_model, _input, _output, _ids])
            Add(option);
    }

    public override IReadOnlyList<(string Line, string What)> Examples =>
    [
        ("cudaseq spm undo --model m.model < translated.spm.de > translated.de", "Equal to spm_decode --model=m.model."),
    ];

    public override int Run(ParseResult arguments, Terminal terminal, CancellationToken cancellation)
    {
        string path = arguments.GetRequiredValue(_model);
        string? input = arguments.GetValue(_input), output = arguments.GetValue(_output);
        bool ids = arguments.GetValue(_ids);
        OutputFile.CheckApart([("--input", input), ("--output", output)]);
        OutputFile.CheckApart([("--model", path), ("--output", output)]);
        var model = SentencePieceModel.Load(path);
        long number = 0;
        LineByLine.Copy(input, output, terminal, Write, cancellation);
        return CommandLine.Success;

        void Write(string line, TextWriter writer)
        {
            number++;
            string[] pieces = SpmVerb.WithoutEnd(line).Split(' ', StringSplitOptions.RemoveEmptyEntries);
            writer.Write(ids ? model.DecodeIds(Array.ConvertAll(pieces, Id)) : model.Decode(pieces));
            writer.Write('\n');
        }

        int Id(string text)
            => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int id) && id < model.Count
                ? id
                : throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"{input ?? "stdin"}: line {number}: ids must be in 0 .. {model.Count - 1}, got '{text}'."));
    }
}
