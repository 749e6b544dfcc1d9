using System.CommandLine;

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
}
