using System.CommandLine;
using System.Globalization;
using CudaSeq.Models;

namespace CudaSeq.Cli;

/// <summary><c>cudaseq score</c>: BLEU, chrF and chrF++ of a file or of its lines.</summary>
internal sealed class ScoreVerb : Verb
{
    // So many lines that end in a blank and a full stop are no accident.
    private const int TokenizedLines = 100;

    private static readonly BleuTokenization[] Tokenizations = [BleuTokenization.Mteval13a, BleuTokenization.International, BleuTokenization.Character, BleuTokenization.None];
    private static readonly BleuSmoothing[] Smoothings = [BleuSmoothing.Exponential, BleuSmoothing.Floor, BleuSmoothing.AddK, BleuSmoothing.None];
    private static readonly string[] Metrics = ["bleu", "chrf", "chrf++"];

    private readonly Option<string> _system = Text("--system", "FILE", "Translations, one a line, not tokenised.", required: true);

    private readonly Option<string[]> _reference = new("--reference")
    {
        HelpName = "FILE",
        Description = "What they should be, line by line. More files are more references of each line: --reference A B C.",
        Arity = new ArgumentArity(1, 1000),
        AllowMultipleArgumentsPerToken = true,
        Required = true,
    };

    private readonly Option<string> _metric = Text("--metric", "LIST", "One or more of bleu, chrf and chrf++, with commas between (default: bleu).");
    private readonly Option<string> _tokenize = Text("--tokenize", "NAME", "How BLEU cuts words: 13a (the default), intl for all of Unicode's punctuation, char for characters, none for text that is tokenised.");
    private readonly Option<string> _smooth = Text("--smooth", "NAME", "What BLEU makes of n-grams without a match: exp (the default), floor, add-k or none.");
    private readonly Option<string> _smoothValue = Text("--smooth-value", "X", "The value of --smooth floor (default: 0.1) and add-k (default: 1).");
    private readonly Option<bool> _lowercase = Flag("--lowercase", "Take upper and lower case as the same.");
    private readonly Option<bool> _sentence = Flag("--sentence", "Score each line by itself: its number and its scores, with tabs between; signatures go to standard error. BLEU leaves out orders for which a line is too short.");
    private readonly Option<bool> _json = Flag("--json", "Write JSON (keys: docs/scores.md): an object, an array of them for more metrics; with --sentence an object for each line.");

    public ScoreVerb()
        : base("score", "Score translations with BLEU, chrF and chrF++, equal to sacreBLEU's.")
    {
        foreach (var option in (Option[])[_system, _reference, _metric, _tokenize, _smooth, _smoothValue, _lowercase, _sentence, _json])
            Add(option);
    }

    public override IReadOnlyList<(string Line, string What)> Examples =>
    [
        ("cudaseq score --system translated.de --reference test_2016_flickr.de", "Prints the score, the precisions of 1 to 4 words, and the signature."),
        ("cudaseq score --system translated.de --reference test.de --metric bleu,chrf,chrf++", "Three metrics, each with its signature."),
        ("cudaseq score --system corrected.en --reference ref0.en ref1.en --sentence --json", "Every line by itself, against two references, for a program to read."),
    ];

    public override string Notes =>
        "The signature says how the score was computed: two scores can be compared only where their signatures are equal. It is sacreBLEU's (2.x), "
        + "but its version is this program's.";

    public override int Run(ParseResult arguments, Terminal terminal, CancellationToken cancellation)
    {
        string[] metrics = Chosen(arguments.GetValue(_metric) ?? Metrics[0]);
        bool sentence = arguments.GetValue(_sentence), json = arguments.GetValue(_json), lowercase = arguments.GetValue(_lowercase);
        var bleu = Variant(arguments, metrics) with { Lowercase = lowercase, EffectiveOrder = sentence };
        string system = arguments.GetRequiredValue(_system);
        string[] files = arguments.GetRequiredValue(_reference);
        string[] hypotheses = Read(system, cancellation);
        string[][] references = [.. files.Select(file => Read(file, cancellation))];
        for (int i = 0; i < files.Length; i++)
            CheckLines(system, hypotheses.Length, files[i], references[i].Length);
        if (hypotheses.Length == 0)
            throw new InvalidDataException($"{system}: must have at least one line to score, got none.");
        if (metrics.Contains("bleu"))
            WarnOfTokenized(terminal, system, hypotheses, bleu.Tokenization);

        if (sentence)
        {
            ScoreReport.WriteSentences(terminal, Sentences(), json);
            return CommandLine.Success;
        }

        var scores = new List<IMetricScore>();
        foreach (string metric in metrics)
        {
            cancellation.ThrowIfCancellationRequested();
            scores.Add(Score(metric, hypotheses, references));
        }

        if (json)
            ScoreReport.WriteJson(terminal, scores);
        else
            ScoreReport.Write(terminal, scores);
        return CommandLine.Success;

        IMetricScore Score(string metric, IReadOnlyList<string> translations, IReadOnlyList<IReadOnlyList<string>> wanted) => metric switch
        {
            "bleu" => Bleu.Corpus(translations, wanted, bleu),
            "chrf" => Chrf.Corpus(translations, wanted, new ChrfOptions { Lowercase = lowercase }),
            _ => Chrf.Corpus(translations, wanted, ChrfOptions.PlusPlus with { Lowercase = lowercase }),
        };

        IEnumerable<IReadOnlyList<IMetricScore>> Sentences()
        {
            for (int i = 0; i < hypotheses.Length && !terminal.ReaderLeft; i++)
            {
                cancellation.ThrowIfCancellationRequested();
                string[][] wanted = [.. references.Select(r => new[] { r[i] })];
                yield return [.. metrics.Select(metric => Score(metric, [hypotheses[i]], wanted))];
            }
        }
    }

    private static string[] Chosen(string list)
    {
        string[] names = list.Split(',');
        foreach (string name in names)
        {
            if (!Metrics.Contains(name))
                throw new UsageException($"--metric must be one or more of bleu, chrf and chrf++ with commas between, got {(list.Length == 0 ? "nothing" : list)}.");
        }

        return names.Distinct().Count() == names.Length ? names : throw new UsageException($"--metric must name each metric once, got {list}.");
    }

    private BleuOptions Variant(ParseResult arguments, string[] metrics)
    {
        string? tokenize = arguments.GetValue(_tokenize), smooth = arguments.GetValue(_smooth), value = arguments.GetValue(_smoothValue);
        if (!metrics.Contains("bleu"))
        {
            foreach (var (option, given) in new[] { (_tokenize, tokenize), (_smooth, smooth), (_smoothValue, value) })
            {
                if (given is not null)
                    throw new UsageException($"{option.Name} is for bleu, which --metric {string.Join(',', metrics)} leaves out.");
            }
        }

        var options = new BleuOptions
        {
            Tokenization = tokenize is null ? default : Named(_tokenize, tokenize, Tokenizations, t => new BleuOptions { Tokenization = t }.TokenizationName),
            Smoothing = smooth is null ? default : Named(_smooth, smooth, Smoothings, s => new BleuOptions { Smoothing = s }.SmoothingName),
        };
        if (value is null)
            return options;
        if (options.EffectiveSmoothingValue is null)
            throw new UsageException($"--smooth-value is for --smooth floor and add-k, got {value} for {options.SmoothingName}.");
        return double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out double x) && double.IsFinite(x) && x >= 0
            ? options with { SmoothingValue = x }
            : throw new UsageException($"--smooth-value must be a number of at least 0, got {value}.");
    }

    private static T Named<T>(Option option, string given, T[] choices, Func<T, string> name)
    {
        foreach (var choice in choices)
        {
            if (name(choice) == given)
                return choice;
        }

        string[] names = [.. choices.Select(name)];
        throw new UsageException($"{option.Name} must be {string.Join(", ", names[..^1])} or {names[^1]}, got {given}.");
    }

    // sacreBLEU takes a byte order mark for a character of the first line.
    private static string[] Read(string path, CancellationToken cancellation)
    {
        var lines = new List<string>();
        foreach (string line in TextFile.ReadLines(path, keepByteOrderMark: true))
        {
            cancellation.ThrowIfCancellationRequested();
            lines.Add(line);
        }

        return [.. lines];
    }

    private static void CheckLines(string system, int lines, string reference, int wanted)
    {
        if (lines == wanted)
            return;
        throw new InvalidDataException(string.Create(
            CultureInfo.InvariantCulture,
            $"{system} and {reference}: must have as many lines as each other, got {lines} and {wanted}; "
            + $"line {Math.Min(lines, wanted) + 1} of {(lines > wanted ? system : reference)} is the first without a partner."));
    }

    private static void WarnOfTokenized(Terminal terminal, string system, string[] hypotheses, BleuTokenization tokenization)
    {
        int tokenized = hypotheses.Count(line => line.TrimEnd().EndsWith(" .", StringComparison.Ordinal));
        if (tokenized >= TokenizedLines && tokenization is BleuTokenization.Mteval13a or BleuTokenization.International)
        {
            terminal.Error.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"warning: {tokenized} lines of {system} end in a blank and a full stop and look tokenised; BLEU can be compared with others' only on text that is not."));
        }
    }
}
