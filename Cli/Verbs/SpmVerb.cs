using System.CommandLine;

namespace CudaSeq.Cli;

/// <summary><c>cudaseq spm</c>: models of SentencePiece applied.</summary>
internal sealed class SpmVerb : Verb
{
    public SpmVerb()
        : base("spm", "Cut raw text into the pieces of a SentencePiece model, and join them.")
    {
    }

    public override IReadOnlyList<Verb> Verbs => [new SpmApplyVerb(), new SpmUndoVerb()];

    public override IReadOnlyList<(string Line, string What)> Examples =>
    [
        ("cudaseq spm apply --model m.model --input test.en --output test.spm.en", "Cuts lines into pieces."),
        ("cudaseq spm undo --model m.model < translated.spm.de > translated.de", "Joins them again."),
    ];

    public override string Notes => "For models of the types unigram and BPE; pieces and ids are those of spm_encode, text that of spm_decode.";

    public override int Run(ParseResult arguments, Terminal terminal, CancellationToken cancellation) => throw new UsageException("a verb must be given.");

    /// <summary>A line without its end.</summary>
    public static string WithoutEnd(string line) => line is [.., '\r', '\n'] ? line[..^2] : line is [.., '\n'] ? line[..^1] : line;
}
