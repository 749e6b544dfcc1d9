using System.CommandLine;
using CudaSeq.Models;

namespace CudaSeq.Cli;

/// <summary><c>cudaseq moses detokenize</c>: tokens to text.</summary>
internal sealed class MosesDetokenizeVerb : Verb
{
    private readonly Option<string> _language = MosesVerb.LanguageOption();
    private readonly Option<string> _input = Text("--input", "FILE", "Tokens with blanks between them (default: standard input).");
    private readonly Option<string> _output = Text("--output", "FILE", "Where the text goes (default: standard output).");

    public MosesDetokenizeVerb()
        : base("detokenize", "Join words and punctuation to text again.", "moses")
    {
        foreach (var option in (Option[])[_language, _input, _output])
            Add(option);
    }

    public override IReadOnlyList<(string Line, string What)> Examples =>
    [
        ("cudaseq moses detokenize --lang en < translated.tok.en > translated.en", "Equal to detokenizer.perl -l en."),
    ];

    public override string Notes => "Lines of markup, from < to >, stay as they are. There are rules of their own for en, fr, it and cs, and none for fi.";

    public override int Run(ParseResult arguments, Terminal terminal, CancellationToken cancellation)
    {
        string? input = arguments.GetValue(_input), output = arguments.GetValue(_output);
        string language = MosesVerb.Language(arguments, _language);
        if (language == "fi")
            throw new UsageException("--lang must be another than fi, whose endings behind a colon have no rules here.");
        var detokenizer = new MosesDetokenizer(language);
        OutputFile.CheckApart([("--input", input), ("--output", output)]);
        LineByLine.Copy(input, output, terminal, Write, cancellation);
        return CommandLine.Success;

        void Write(string line, TextWriter writer)
        {
            string text = line.TrimEnd('\n').TrimEnd('\r');
            writer.Write(MosesDetokenizer.Keeps(text) ? line : detokenizer.Detokenize(text) + "\n");
        }
    }
}
