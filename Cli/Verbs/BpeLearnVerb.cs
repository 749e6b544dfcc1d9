using System.CommandLine;
using System.Globalization;
using CudaSeq.Models;

namespace CudaSeq.Cli;

/// <summary><c>cudaseq bpe learn</c>: merges from texts.</summary>
internal sealed class BpeLearnVerb : Verb
{
    private const int DefaultMerges = 10_000;
    private const int DefaultMinFrequency = 2;

    private readonly Option<string[]> _input = Texts("--input", "FILE", "Tokenised texts to learn from together (default: standard input).");
    private readonly Option<long?> _merges = Whole("--merges", "N", "The most merges to learn (default: 10000).", 1);
    private readonly Option<long?> _minFrequency = Whole("--min-frequency", "N", "Stop when no pair of symbols occurs as often (default: 2).", 1);
    private readonly Option<string> _codes = Text("--codes", "FILE", "Where the merges go (default: standard output).");
    private readonly Option<string[]> _vocabulary = Texts("--vocabulary", "FILE", "Where the tokens of each text and their counts go, one file for each --input.");

    public BpeLearnVerb()
        : base("learn", "Learn merges from tokenised texts.", "bpe")
    {
        foreach (var option in (Option[])[_input, _merges, _minFrequency, _codes, _vocabulary])
            Add(option);
    }

    public override IReadOnlyList<(string Line, string What)> Examples =>
    [
        ("cudaseq bpe learn --input train.en --merges 10000 --codes codes.en", "Equal to subword-nmt learn-bpe."),
        ("cudaseq bpe learn --input train.en train.de --merges 10000 --codes codes --vocabulary vocab.en vocab.de", "Equal to subword-nmt learn-joint-bpe-and-vocab."),
    ];

    public override int Run(ParseResult arguments, Terminal terminal, CancellationToken cancellation)
    {
        string[] inputs = arguments.GetValue(_input) ?? [], vocabularies = arguments.GetValue(_vocabulary) ?? [];
        string? codes = arguments.GetValue(_codes);
        int merges = (int)(arguments.GetValue(_merges) ?? DefaultMerges), texts = Math.Max(1, inputs.Length);
        long minFrequency = arguments.GetValue(_minFrequency) ?? DefaultMinFrequency;
        if (vocabularies.Length > 0 && vocabularies.Length != texts)
        {
            throw new UsageException(string.Create(
                CultureInfo.InvariantCulture, $"--vocabulary must name as many files as --input, got {vocabularies.Length} and {texts}."));
        }

        // The same text may be named twice: it then counts twice.
        OutputFile.CheckApart([.. inputs.Distinct().Select(f => ("--input", (string?)f)), ("--codes", codes), .. vocabularies.Select(f => ("--vocabulary", (string?)f))]);
        var words = new List<WordCounts>();
        for (int i = 0; i < texts; i++)
        {
            using var stream = LineByLine.Open(inputs.ElementAtOrDefault(i), terminal);
            words.Add(new WordCounts(TextFile.ReadLines(stream, inputs.ElementAtOrDefault(i) ?? "stdin", keepByteOrderMark: true), cancellation));
        }

        var learned = SubwordNmt.Learn(words, merges, minFrequency, cancellation);
        if (learned.Merges.Count < merges)
        {
            terminal.Error.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"{learned.Merges.Count} merges are all: no pair of symbols is left that occurs {minFrequency} times."));
        }

        for (int i = 0; i < vocabularies.Length; i++)
            learned.SaveVocabulary(vocabularies[i], words[i]);
        if (codes is not null)
        {
            learned.SaveCodes(codes);
            return CommandLine.Success;
        }

        foreach (string line in learned.CodesLines())
            terminal.Out.WriteLine(line);
        return CommandLine.Success;
    }
}
