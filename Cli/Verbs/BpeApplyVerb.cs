using System.CommandLine;
using CudaSeq.Models;

namespace CudaSeq.Cli;

/// <summary><c>cudaseq bpe apply</c>: words to subwords.</summary>
internal sealed class BpeApplyVerb : Verb
{
    private readonly Option<string> _codes = Text("--codes", "FILE", "The merges that cudaseq bpe learn or subword-nmt learned.", required: true);
    private readonly Option<string> _input = Text("--input", "FILE", "Tokenised text (default: standard input).");
    private readonly Option<string> _output = Text("--output", "FILE", "Where the subwords go (default: standard output).");
    private readonly Option<string> _vocabulary = Text("--vocabulary", "FILE", "The tokens of the training text and their counts: tokens not among them are taken apart.");
    private readonly Option<long?> _threshold = Whole("--vocabulary-threshold", "N", "Take apart also tokens with a smaller count (default: 0).", 0);

    public BpeApplyVerb()
        : base("apply", "Cut the words of tokenised text into subwords.", "bpe")
    {
        foreach (var option in (Option[])[_codes, _input, _output, _vocabulary, _threshold])
            Add(option);
    }

    public override IReadOnlyList<(string Line, string What)> Examples =>
    [
        ("cudaseq bpe apply --codes codes < test.en > test.bpe.en", "Equal to subword-nmt apply-bpe."),
        ("cudaseq bpe apply --codes codes --vocabulary vocab.en --vocabulary-threshold 50 --input test.en --output test.bpe.en", "No token that training saw fewer than 50 times, unless it is one character."),
    ];

    public override string Notes => "Words stand between blanks (U+0020); a token that does not end its word ends in @@. Blanks at both ends of a line stay, several between words become one.";

    public override int Run(ParseResult arguments, Terminal terminal, CancellationToken cancellation)
    {
        string codes = arguments.GetRequiredValue(_codes);
        string? input = arguments.GetValue(_input), output = arguments.GetValue(_output), vocabulary = arguments.GetValue(_vocabulary);
        if (arguments.GetValue(_threshold) is not null && vocabulary is null)
            throw new UsageException("--vocabulary-threshold needs --vocabulary FILE.");
        foreach (var (option, needed) in ((string, string?)[])[("--input", input), ("--codes", codes), ("--vocabulary", vocabulary)])
            OutputFile.CheckApart([(option, needed), ("--output", output)]);
        var subwords = SubwordNmt.LoadCodes(codes);
        if (vocabulary is not null)
            subwords = subwords.WithVocabulary(vocabulary, arguments.GetValue(_threshold) ?? 0);
        LineByLine.Copy(input, output, terminal, (line, writer) => subwords.Apply(line, writer), cancellation);
        return CommandLine.Success;
    }
}
