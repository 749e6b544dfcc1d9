using System.CommandLine;

namespace CudaSeq.Cli;

/// <summary><c>cudaseq import</c>: takes over what other programs trained.</summary>
internal sealed class ImportVerb : Verb
{
    public ImportVerb()
        : base("import", "Make a model of another program one to translate with.")
    {
    }

    public override IReadOnlyList<Verb> Verbs => [new ImportFairseqVerb()];

    public override IReadOnlyList<(string Line, string What)> Examples =>
    [
        ("cudaseq import fairseq downloads/wmt16.en-de/model.pt --out runs/wmt16", "A checkpoint of fairseq, with the dictionaries beside it."),
    ];

    public override string Notes => "docs/fairseq.md says what can be imported. Files are read as data: nothing that they hold is run.";

    public override int Run(ParseResult arguments, Terminal terminal, CancellationToken cancellation) => throw new UsageException("a verb must be given.");
}
