using System.CommandLine;
using CudaSeq.Models;

namespace CudaSeq.Cli;

/// <summary><c>cudaseq spm apply</c>: text to pieces or ids.</summary>
internal sealed class SpmApplyVerb : Verb
{
    private readonly Option<string> _model = Text("--model", "FILE", "A .model file of SentencePiece.", required: true);
    private readonly Option<string> _input = Text("--input", "FILE", "Raw text (default: standard input).");
    private readonly Option<string> _output = Text("--output", "FILE", "Where the pieces go (default: standard output).");
    private readonly Option<bool> _ids = Flag("--ids", "Write the ids of the pieces.");

    public SpmApplyVerb()
        : base("apply", "Cut raw text into pieces.", "spm")
    {
        foreach (var option in (Option[])[_model, _input, _output, _ids])
            Add(option);
    }

    public override IReadOnlyList<(string Line, string What)> Examples =>
    [
        ("cudaseq spm apply --model m.model < test.en > test.spm.en", "Equal to spm_encode --model=m.model."),
        ("cudaseq spm apply --model m.model --ids < test.en > test.ids.en", "Equal to spm_encode --model=m.model --output_format=id."),
    ];

    public override int Run(ParseResult arguments, Terminal terminal, CancellationToken cancellation)
    {
        string path = arguments.GetRequiredValue(_model);
        string? input = arguments.GetValue(_input), output = arguments.GetValue(_output);
        bool ids = arguments.GetValue(_ids);
        OutputFile.CheckApart([("--input", input), ("--output", output)]);
        OutputFile.CheckApart([("--model", path), ("--output", output)]);
        var model = SentencePieceModel.Load(path);
        LineByLine.Copy(input, output, terminal, Write, cancellation);
        return CommandLine.Success;

        void Write(string line, TextWriter writer)
        {
            string text = SpmVerb.WithoutEnd(line);
            writer.Write(ids ? string.Join(' ', model.EncodeAsIds(text)) : string.Join(' ', model.Encode(text)));
            writer.Write('\n');
        }
    }
}
