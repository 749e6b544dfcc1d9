using System.CommandLine;
using CudaSeq.Models;

namespace CudaSeq.Cli;

/// <summary><c>cudaseq score</c>: scores of files or of their lines, and tests of their differences.</summary>
internal sealed class ScoreVerb : Verb
{
    private readonly Option<string[]> _system = Files("--system", "Translations, summaries or corrections, one a line; BLEU, chrF and TER want them not tokenised. More files are more systems.", required: true);
    private readonly Option<string[]> _reference = Files("--reference", "What they should be, line by line. More files are more references of each line: --reference A B C.");
    private readonly Option<string> _source = Text("--source", "FILE", "What was corrected, line by line; for gleu.");
    private readonly Option<string> _m2 = Text("--m2", "FILE", "Annotated sentences in m2scorer's format, which hold source and references of m2.");
    private readonly Option<string> _metric = Text("--metric", "LIST", $"One or more of {ScoreOptions.Listed(ScoreMetrics.All, "and")}, with commas between (default: bleu).");
    private readonly ScoreOptions _variants = new();
    private readonly Option<string> _paired = Text("--paired", "NAME", "Test whether each system differs from the first: bs for paired bootstrap resampling, ar for approximate randomisation.");
    private readonly Option<long?> _pairedSamples = Whole("--paired-n", "N", "How many corpora the test makes (default: 1000 for bs, 10000 for ar).", 1);
    private readonly Option<long?> _seed = Whole("--seed", "N", "The seed of its random numbers (default: 12345).", 0);
    private readonly Option<bool> _sentence = Flag("--sentence", "Score each line by itself: its number and its scores, with tabs between; signatures go to standard error. BLEU leaves out orders for which a line is too short.");
    private readonly Option<bool> _json = Flag("--json", "Write JSON (keys: docs/scores.md): an object, an array of them for more metrics; with --sentence an object for each line, with more systems an array with an object for each.");

    public ScoreVerb()
        : base("score", "Score translations, summaries and corrections with BLEU, chrF, TER, ROUGE, GLEU or M2, and test their differences.")
    {
        Option[] options = [_system, _reference, _source, _m2, _metric, .. _variants.All, _paired, _pairedSamples, _seed, _sentence, _json];
        foreach (var option in options)
            Add(option);
    }

    public override IReadOnlyList<(string Line, string What)> Examples =>
    [
        ("cudaseq score --system translated.de --reference test_2016_flickr.de", "Prints the score, the precisions of 1 to 4 words, and the signature."),
        ("cudaseq score --system translated.de --reference test.de --metric bleu,chrf,ter", "Three metrics, each with its signature."),
        ("cudaseq score --system base.de new.de --reference test.de --metric bleu,ter --paired bs", "Is new.de better than base.de, or is it the choice of the test set?"),
        ("cudaseq score --system summaries.en --reference test.en --metric rouge --stem", "ROUGE-1, ROUGE-2 and ROUGE-L."),
        ("cudaseq score --system fixed.en --reference ref0.en ref1.en --metric gleu --source test.en", "GLEU of grammatical corrections."),
        ("cudaseq score --system fixed.en --m2 test.m2 --metric m2 --sentence --json", "F0.5 of the edits of every line, for a program to read."),
    ];

    public override string Notes =>
        "The signature says how the score was computed: two scores can be compared only where their signatures are equal. That of BLEU, chrF and TER is "
        + "sacreBLEU's (2.x), but its version is this program's.";

    public override int Run(ParseResult arguments, Terminal terminal, CancellationToken cancellation)
    {
        string[] names = ScoreOptions.Chosen(arguments.GetValue(_metric) ?? ScoreMetrics.BleuName);
        bool sentence = arguments.GetValue(_sentence), json = arguments.GetValue(_json);
        string[] systems = arguments.GetRequiredValue(_system);
        var metrics = _variants.Read(arguments, names, sentence);
        var test = PairedOptions(arguments, systems.Length, sentence);
        string[] references = arguments.GetValue(_reference) ?? [];
        CheckFiles(names, references, arguments.GetValue(_source), arguments.GetValue(_m2));

        string[][] hypotheses = [.. systems.Select(file => ScoreFiles.Read(file, cancellation))];
        metrics = WithFiles(metrics, references, arguments.GetValue(_source), arguments.GetValue(_m2), terminal, cancellation);
        for (int i = 0; i < systems.Length; i++)
            CheckParallel(systems[i], hypotheses[i].Length, metrics, references, arguments);
        for (int i = 0; i < systems.Length && names.Contains(ScoreMetrics.BleuName); i++)
            ScoreFiles.WarnOfTokenized(terminal, systems[i], hypotheses[i], metrics.Bleu.Tokenization);

        if (sentence)
            ScoreReport.WriteSentences(terminal, Sentences(), json);
        else if (test is not null)
            WriteTests(terminal, systems, [.. hypotheses.Select(h => metrics.Statistics(h, cancellation))], test, json, cancellation);
        else if (systems.Length > 1)
            WriteSystems(terminal, systems, [.. hypotheses.Select(h => metrics.Corpus(h, cancellation))], json);
        else if (json)
            ScoreReport.WriteJson(terminal, metrics.Corpus(hypotheses[0], cancellation));
        else
            ScoreReport.Write(terminal, metrics.Corpus(hypotheses[0], cancellation));
        return CommandLine.Success;

        IEnumerable<IReadOnlyList<IMetricScore>> Sentences()
        {
            for (int i = 0; i < hypotheses[0].Length && !terminal.ReaderLeft; i++)
            {
                cancellation.ThrowIfCancellationRequested();
                yield return metrics.Sentence(hypotheses[0], i);
            }
        }
    }

    private static Option<string[]> Files(string name, string description, bool required = false) => new(name)
    {
        HelpName = "FILE",
        Description = description,
        Arity = new ArgumentArity(1, 1000),
        AllowMultipleArgumentsPerToken = true,
        Required = required,
    };

    private static void WriteSystems(Terminal terminal, string[] systems, IReadOnlyList<IReadOnlyList<IMetricScore>> scores, bool json)
    {
        if (json)
            SystemsReport.WriteJson(terminal, systems, scores);
        else
            SystemsReport.Write(terminal, systems, scores);
    }

    private static void WriteTests(
        Terminal terminal, string[] systems, IReadOnlyList<IReadOnlyList<CorpusStatistics>> statistics, PairedTestOptions options, bool json, CancellationToken cancellation)
    {
        var tests = new List<SystemsReport.MetricTest>();
        for (int m = 0; m < statistics[0].Count; m++)
        {
            var results = PairedTest.Run([.. statistics.Select(s => s[m])], options, cancellation);
            tests.Add(new SystemsReport.MetricTest(statistics[0][m].Name, options.Sign(statistics[0][m].Signature), results));
        }

        if (json)
            SystemsReport.WriteJson(terminal, systems, tests);
        else
            SystemsReport.Write(terminal, systems, tests);
    }

    private PairedTestOptions? PairedOptions(ParseResult arguments, int systems, bool sentence)
    {
        if (sentence && systems > 1)
            throw new UsageException($"{_sentence.Name} must have one file in {_system.Name}, got {systems}.");
        string? name = arguments.GetValue(_paired);
        long? samples = arguments.GetValue(_pairedSamples), seed = arguments.GetValue(_seed);
        if (name is null)
        {
            if ((samples is not null ? _pairedSamples : seed is not null ? (Option)_seed : null) is { } lonely)
                throw new UsageException($"{lonely.Name} is for {_paired.Name}, which is not given.");
            return null;
        }

        if (name is not ("bs" or "ar"))
            throw new UsageException($"{_paired.Name} must be bs or ar, got {name}.");
        if (systems < 2)
            throw new UsageException($"{_paired.Name} must have two files or more in {_system.Name}, got {systems}.");
        var options = new PairedTestOptions
        {
            Method = name == "bs" ? PairedTestMethod.BootstrapResampling : PairedTestMethod.ApproximateRandomization,
            Samples = (int?)samples,
        };
        return seed is null ? options : options with { Seed = seed.Value };
    }

    private void CheckFiles(string[] names, string[] references, string? source, string? m2)
    {
        string[] compared = [.. ScoreMetrics.All.Where(n => n != ScoreMetrics.M2Name)];
        if (references.Length == 0 && names.Intersect(compared).Any())
            throw new UsageException($"{_reference.Name} {_reference.HelpName} must be given; cudaseq {FullName} --help shows how.");
        if (source is null && names.Contains(ScoreMetrics.GleuName))
            throw new UsageException($"{_source.Name} {_source.HelpName} must be given for {ScoreMetrics.GleuName}.");
        if (m2 is null && names.Contains(ScoreMetrics.M2Name))
            throw new UsageException($"{_m2.Name} {_m2.HelpName} must be given for {ScoreMetrics.M2Name}.");
        ScoreOptions.CheckUse(_reference, references.Length > 0, names, compared);
        ScoreOptions.CheckUse(_source, source is not null, names, ScoreMetrics.GleuName);
        ScoreOptions.CheckUse(_m2, m2 is not null, names, ScoreMetrics.M2Name);
    }

    private static ScoreMetrics WithFiles(ScoreMetrics metrics, string[] references, string? source, string? m2, Terminal terminal, CancellationToken cancellation) => metrics with
    {
        References = [.. references.Select(file => ScoreFiles.Read(file, cancellation))],
        Source = source is null ? [] : ScoreFiles.Read(source, cancellation),
        Gold = m2 is null ? [] : ScoreFiles.ReadAnnotated(terminal, m2),
    };

    private void CheckParallel(string system, int lines, ScoreMetrics metrics, string[] references, ParseResult arguments)
    {
        for (int i = 0; i < references.Length; i++)
            ScoreFiles.CheckLines(system, lines, references[i], metrics.References[i].Length);
        if (arguments.GetValue(_source) is { } source)
            ScoreFiles.CheckLines(system, lines, source, metrics.Source.Length);
        if (arguments.GetValue(_m2) is { } m2)
            ScoreFiles.CheckSentences(system, lines, m2, metrics.Gold.Count);
        if (lines == 0)
            throw new InvalidDataException($"{system}: must have at least one line to score, got none.");
    }
}
