using System.CommandLine;
using System.Globalization;
using CudaSeq.Models;

namespace CudaSeq.Cli;

/// <summary>The options of <c>cudaseq score</c> that choose variants of its metrics.</summary>
internal sealed class ScoreOptions
{
    private static readonly BleuTokenization[] Tokenizations = [BleuTokenization.Mteval13a, BleuTokenization.International, BleuTokenization.Character, BleuTokenization.None];
    private static readonly BleuSmoothing[] Smoothings = [BleuSmoothing.Exponential, BleuSmoothing.Floor, BleuSmoothing.AddK, BleuSmoothing.None];

    private readonly Option<string> _tokenize = Verb.Text("--tokenize", "NAME", "How BLEU cuts words: 13a (the default), intl for all of Unicode's punctuation, char for characters, none for text that is tokenised.");
    private readonly Option<string> _smooth = Verb.Text("--smooth", "NAME", "What BLEU makes of n-grams without a match: exp (the default), floor, add-k or none.");
    private readonly Option<string> _smoothValue = Verb.Text("--smooth-value", "X", "The value of --smooth floor (default: 0.1) and add-k (default: 1).");
    private readonly Option<bool> _splitCompounds = Verb.Flag("--split-compounds", "BLEU splits words at hyphens (a ##AT##-##AT## b), as papers on English-German do; for text that is tokenised, with --tokenize none.");
    private readonly Option<bool> _lowercase = Verb.Flag("--lowercase", "Take upper and lower case as the same, as ter and rouge always do; for bleu, chrf and gleu.");
    private readonly Option<bool> _terNormalized = Verb.Flag("--ter-normalized", "TER cuts punctuation off words.");
    private readonly Option<bool> _terNoPunctuation = Verb.Flag("--ter-no-punct", "TER takes punctuation out.");
    private readonly Option<bool> _terAsian = Verb.Flag("--ter-asian-support", "TER cuts Chinese characters apart, with --ter-normalized, and knows East Asian punctuation, with --ter-no-punct.");
    private readonly Option<bool> _terCaseSensitive = Verb.Flag("--ter-case-sensitive", "TER takes upper and lower case as different.");
    private readonly Option<bool> _stem = Verb.Flag("--stem", "ROUGE compares the stems of English words (Porter).");
    private readonly Option<string> _separator = Verb.Text("--sentence-separator", "TEXT", "What stands between the sentences of a line, <n> for example; ROUGE-Lsum, which compares sentences, is computed then too.");

    /// <summary>The options, in the order of the help.</summary>
    public IReadOnlyList<Option> All => [_tokenize, _smooth, _smoothValue, _splitCompounds, _lowercase, _terNormalized, _terNoPunctuation, _terAsian, _terCaseSensitive, _stem, _separator];

    /// <summary>The metrics of a list with commas between.</summary>
    /// <exception cref="UsageException">It names what is no metric, or one twice.</exception>
    public static string[] Chosen(string list)
    {
        string[] names = list.Split(',');
        foreach (string name in names)
        {
            if (!ScoreMetrics.All.Contains(name))
                throw new UsageException($"--metric must be one or more of {Listed(ScoreMetrics.All, "and")} with commas between, got {(list.Length == 0 ? "nothing" : list)}.");
        }

        return names.Distinct().Count() == names.Length ? names : throw new UsageException($"--metric must name each metric once, got {list}.");
    }

    /// <summary>Refuses an option that is for metrics none of which is chosen.</summary>
    public static void CheckUse(Option option, bool given, string[] names, params string[] metrics)
    {
        if (given && !names.Intersect(metrics).Any())
            throw new UsageException($"{option.Name} is for {Listed(metrics, "and")}, which --metric {string.Join(',', names)} leaves out.");
    }

    /// <summary>Names with commas between, and a word before the last: <c>a, b and c</c>.</summary>
    public static string Listed(string[] names, string last) => names.Length == 1 ? names[0] : $"{string.Join(", ", names[..^1])} {last} {names[^1]}";

    /// <summary>The metrics in the variants that were asked for, without files.</summary>
    /// <exception cref="UsageException">An option is for a metric that is not chosen, or its value is no choice.</exception>
    public ScoreMetrics Read(ParseResult arguments, string[] names, bool sentence)
    {
        foreach (Option option in (Option[])[_tokenize, _smooth, _smoothValue])
            CheckUse(option, arguments.GetResult(option) is not null, names, ScoreMetrics.BleuName);
        CheckUse(_splitCompounds, arguments.GetValue(_splitCompounds), names, ScoreMetrics.BleuName);
        CheckUse(_lowercase, arguments.GetValue(_lowercase), names, ScoreMetrics.BleuName, ScoreMetrics.ChrfName, ScoreMetrics.ChrfPlusPlusName, ScoreMetrics.GleuName);
        foreach (var option in (Option<bool>[])[_terNormalized, _terNoPunctuation, _terAsian, _terCaseSensitive])
            CheckUse(option, arguments.GetValue(option), names, ScoreMetrics.TerName);
        string? separator = arguments.GetValue(_separator);
        CheckUse(_stem, arguments.GetValue(_stem), names, ScoreMetrics.RougeName);
        CheckUse(_separator, separator is not null, names, ScoreMetrics.RougeName);
        if (separator is "")
            throw new UsageException($"{_separator.Name} must not be empty.");
        bool lowercase = arguments.GetValue(_lowercase), stem = arguments.GetValue(_stem);
        var rouge = new RougeOptions { Stem = stem };
        if (separator is not null)
            rouge = rouge with { SentenceSeparator = separator };
        RougeOptions[] variants = [rouge, rouge with { Order = 2 }, rouge with { Measure = RougeMeasure.Subsequence }, rouge with { Measure = RougeMeasure.SummarySubsequence }];
        return new ScoreMetrics(names)
        {
            Bleu = Bleu(arguments) with { Lowercase = lowercase, EffectiveOrder = sentence, SplitCompounds = arguments.GetValue(_splitCompounds) },
            Chrf = new ChrfOptions { Lowercase = lowercase },
            Ter = new TerOptions
            {
                Normalized = arguments.GetValue(_terNormalized),
                NoPunctuation = arguments.GetValue(_terNoPunctuation),
                AsianSupport = arguments.GetValue(_terAsian),
                CaseSensitive = arguments.GetValue(_terCaseSensitive),
            },
            Rouge = separator is null ? variants[..^1] : variants,
            Gleu = new GleuOptions { Lowercase = lowercase },
        };
    }

    private BleuOptions Bleu(ParseResult arguments)
    {
        string? tokenize = arguments.GetValue(_tokenize), smooth = arguments.GetValue(_smooth), value = arguments.GetValue(_smoothValue);
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

        throw new UsageException($"{option.Name} must be {Listed([.. choices.Select(name)], "or")}, got {given}.");
    }
}
