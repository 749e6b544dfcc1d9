using System.CommandLine;

namespace CudaSeq.Cli;

/// <summary><c>cudaseq export</c>: writes models for other programs.</summary>
internal sealed class ExportVerb : Verb
{
    public ExportVerb()
        : base("export", "Write a model for another program.")
    {
    }

    public override IReadOnlyList<Verb> Verbs => [new ExportFairseqVerb()];

    public override IReadOnlyList<(string Line, string What)> Examples =>
    [
        ("cudaseq export fairseq --model runs/multi30k-dynamicconv --out model.safetensors", "The parameters under fairseq's names."),
    ];

    public override string Notes => "docs/fairseq.md says how the other program reads it.";

    public override int Run(ParseResult arguments, Terminal terminal, CancellationToken cancellation) => throw new UsageException("a verb must be given.");
}
