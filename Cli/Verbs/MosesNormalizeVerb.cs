using System.CommandLine;
using CudaSeq.Models;

namespace CudaSeq.Cli;

/// <summary><c>cudaseq moses normalize</c>: punctuation made uniform.</summary>
internal sealed class MosesNormalizeVerb : Verb
{
    private readonly Option<string> _language = MosesVerb.LanguageOption();
    private readonly Option<string> _input = Text("--input", "FILE", "Text (default: standard input).");
    private readonly Option<string> _output = Text("--output", "FILE", "Where it goes (default: standard output).");

    public MosesNormalizeVerb()
        : base("normalize", "Make quotation marks, dashes and the spaces around them uniform.", "moses")
    {
        foreach (var option in (Option[])[_language, _input, _output])
            Add(option);
    }

    public override IReadOnlyList<(string Line, string What)> Examples =>
    [
        ("cudaseq moses normalize --lang de < train.de > train.norm.de", "Equal to normalize-punctuation.perl -l de."),
    ];

    public override int Run(ParseResult arguments, Terminal terminal, CancellationToken cancellation)
    {
        string? input = arguments.GetValue(_input), output = arguments.GetValue(_output);
        var normalizer = new MosesNormalizer(MosesVerb.Language(arguments, _language));
        OutputFile.CheckApart([("--input", input), ("--output", output)]);
        LineByLine.Copy(input, output, terminal, (line, writer) => writer.Write(normalizer.Normalize(line)), cancellation);
        return CommandLine.Success;
    }
}
