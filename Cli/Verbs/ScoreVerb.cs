using System.CommandLine;
using System.Globalization;
using CudaSeq.Models;

namespace CudaSeq.Cli;

/// <summary><c>cudaseq score</c>: corpus BLEU.</summary>
internal sealed class ScoreVerb : Verb
{
    private readonly Option<string> _system = Text("--system", "FILE", "Translations, one a line, not tokenised.", required: true);
    private readonly Option<string> _reference = Text("--reference", "FILE", "What they should be, line by line.", required: true);

    public ScoreVerb()
        : base("score", "Score translations with corpus BLEU, equal to sacreBLEU's.")
    {
        Add(_system);
        Add(_reference);
    }

    public override IReadOnlyList<(string Line, string What)> Examples =>
    [
        ("cudaseq score --system translated.de --reference test_2016_flickr.de", "Prints the score, the precisions of 1 to 4 words, and the signature."),
    ];

    public override string Notes => "The signature says how the score was computed: two scores can be compared only where their signatures are equal.";

    public override int Run(ParseResult arguments, Terminal terminal, CancellationToken cancellation)
    {
        var hypotheses = new List<string>();
        var references = new List<string>();
        string system = arguments.GetRequiredValue(_system), reference = arguments.GetRequiredValue(_reference);

        // sacreBLEU takes a byte order mark for a character of the first line.
        foreach (var (hypothesis, wanted) in ParallelCorpus.Read(system, reference, keepByteOrderMark: true))
        {
            cancellation.ThrowIfCancellationRequested();
            hypotheses.Add(hypothesis);
            references.Add(wanted);
        }

        if (hypotheses.Count == 0)
            throw new InvalidDataException($"{system}: must have at least one line to score, got none.");
        Write(terminal, Bleu.Corpus(hypotheses, references));
        return CommandLine.Success;
    }

    /// <summary>The score in two lines.</summary>
    public static void Write(Terminal terminal, BleuScore bleu)
    {
        string precisions = string.Join("/", bleu.Precisions.Select(p => p.ToString("f1", CultureInfo.InvariantCulture)));
        double ratio = (double)bleu.HypothesisLength / Math.Max(1, bleu.ReferenceLength);
        terminal.Out.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"BLEU {bleu.Score:f4}  {precisions}  (brevity penalty {bleu.BrevityPenalty:f3}, length ratio {ratio:f3}: {bleu.HypothesisLength} / {bleu.ReferenceLength})"));
        terminal.Out.WriteLine($"signature {bleu.Signature}");
    }
}
