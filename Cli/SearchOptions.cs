using System.CommandLine;
using CudaSeq.Models;

namespace CudaSeq.Cli;

/// <summary>The options that say how to search, of every verb that writes text with a model.</summary>
internal sealed class SearchOptions
{
    private readonly bool _draws;
    private readonly Option<long?> _beam;
    private readonly Option<long?> _nbest;
    private readonly Option<double?> _lengthPenalty;
    private readonly Option<string> _lengthPenaltyForm;
    private readonly Option<long?> _minLength;
    private readonly Option<double?> _maxLengthA;
    private readonly Option<long?> _maxLengthB;
    private readonly Option<long?> _noRepeat;
    private readonly Option<double?> _temperature = Verb.Number("--temperature", "T", "Divides the logits: above 1 flattens the distribution, below 1 sharpens it (default: 1).");
    private readonly Option<bool> _sampling;
    private readonly Option<long?> _topK = Verb.Whole("--sampling-topk", "K", "Draw from the K likeliest pieces of each step; 0 for all (the default).", 0);
    private readonly Option<double?> _topP;
    private readonly Option<long?> _seed;
    private readonly Option<long?> _groups = Verb.Whole("--diverse-beam-groups", "N", "Search with N groups of hypotheses that keep apart; divides --beam (default: 1, plain beam search).", 1);
    private readonly Option<double?> _strength = Verb.Number("--diverse-beam-strength", "S", "What a piece costs a group for each earlier one's hypothesis that took it too (default: 0.5).");
    private readonly Option<long?> _batchTokens;
    private readonly Option<string> _graphs;

    private SearchOptions(bool draws)
    {
        const string TopP = "Draw from the smallest set of likeliest pieces whose probability reaches P";
        _draws = draws;
        string text = draws ? "text" : "translation";
        _beam = Verb.Whole("--beam", "N", draws ? "Search, with N hypotheses kept at each step, instead of drawing; 1 is greedy." : "Hypotheses kept at each step; 1 is greedy (default: the recipe's).", 1);
        _nbest = Verb.Whole("--nbest", "N", draws ? "Write N texts for each prompt (default: 1)." : "Write the N best translations of each line, each as: line number, score, translation, with tabs between.", 1);
        _lengthPenalty = Verb.Number("--length-penalty", "P", $"Scores are divided by the length to the power P {Default("1")}.");
        _lengthPenaltyForm = Verb.Text("--length-penalty-form", "FORM", $"power, or gnmt for (5 + length) / 6 in place of the length {Default("power")}.");
        _minLength = Verb.Whole("--min-length", "N", draws ? "At least N pieces follow a prompt, where the model writes single lines (default: 1)." : "A translation has at least N pieces (default: the recipe's).", 0);
        _maxLengthA = Verb.Number("--max-length-a", "A", "A translation has at most A times the source's length + B pieces (default: the recipe's).");
        _maxLengthB = Verb.Whole("--max-length-b", "B", "See --max-length-a (default: the recipe's).", 0);
        _noRepeat = Verb.Whole("--no-repeat-ngram-size", "N", $"No N pieces in a row come twice in a {text}; 0 lets them {Default("0")}.", 0);
        _sampling = Verb.Flag("--sampling", draws ? "Draw --nbest independent texts: what is done without --beam too." : "Draw --nbest independent translations instead of searching for the likeliest.");
        _topP = Verb.Number("--sampling-topp", "P", draws ? $"{TopP}; 1 for all (default: 0.9; 1 with --sampling-topk)." : $"{TopP}; 1 for all (the default).");
        _seed = Verb.Whole("--seed", "N", draws ? "Seed of what is drawn: the same seed gives a prompt the same texts (default: 1)." : "Seed of --sampling: the same seed gives a line the same samples (default: 1).", 0);
        _batchTokens = Verb.Whole("--batch-tokens", "N", draws ? "Pieces of texts written together, prompts and --max-length included (default: 16384)." : "Source tokens translated together, padding included (default: the recipe's).", 1);
        _graphs = Verb.Text("--graphs", "on|off", $"Whether a GPU captures the steps of each shape as a CUDA graph; no {text} changes by it {Default("on")}.");

        string Default(string plain) => $"(default: {(draws ? plain : "the recipe's")})";
    }

    /// <summary>All options, in the order of the help. How long a text may be is a matter of the verb that goes on with it.</summary>
    public IReadOnlyList<Option> All =>
    [
        _beam, _nbest, _lengthPenalty, _lengthPenaltyForm, _minLength, .. _draws ? Array.Empty<Option>() : [_maxLengthA, _maxLengthB], _noRepeat, _temperature, _sampling, _topK, _topP, _seed,
        _groups, _strength, _batchTokens, _graphs,
    ];

    /// <summary>For what a source becomes: what is not given is the recipe's.</summary>
    public static SearchOptions ForTranslations() => new(draws: false);

    /// <summary>For what a language model goes on with: it draws where nothing is given.</summary>
    public static SearchOptions ForTexts() => new(draws: true);

    /// <summary>Whether several outputs were asked for, be it one.</summary>
    public bool AsksForSeveral(ParseResult arguments) => arguments.GetValue(_nbest) is not null;

    /// <summary>Whether a shortest output was asked for.</summary>
    public bool AsksForLeast(ParseResult arguments) => arguments.GetValue(_minLength) is not null;

    /// <summary>How to search.</summary>
    /// <param name="arguments">What was typed.</param>
    /// <param name="options">What holds where nothing is given.</param>
    /// <exception cref="UsageException">The options do not go together.</exception>
    public DecodingOptions Read(ParseResult arguments, DecodingOptions options)
    {
        bool sampling = arguments.GetValue(_sampling) || (_draws && arguments.GetValue(_beam) is null);
        float topP = sampling && arguments.GetValue(_topK) is null ? options.SamplingTopP : 1;
        options = options with
        {
            Beam = WholeOr(_beam, options.Beam),
            NBest = WholeOr(_nbest, 1),
            LengthPenalty = (float)(arguments.GetValue(_lengthPenalty) ?? options.LengthPenalty),
            LengthPenaltyForm = arguments.GetValue(_lengthPenaltyForm) switch
            {
                null => options.LengthPenaltyForm,
                "power" => LengthPenaltyForm.Power,
                "gnmt" => LengthPenaltyForm.Gnmt,
                var other => throw new UsageException($"--length-penalty-form must be power or gnmt, got {other}."),
            },
            MinLength = WholeOr(_minLength, options.MinLength),
            MaxLengthA = (_draws ? null : arguments.GetValue(_maxLengthA)) ?? options.MaxLengthA,
            MaxLengthB = _draws ? options.MaxLengthB : WholeOr(_maxLengthB, options.MaxLengthB),
            MaxLength = _draws ? int.MaxValue : options.MaxLength,
            NoRepeatNGramSize = WholeOr(_noRepeat, options.NoRepeatNGramSize),
            Temperature = (float)(arguments.GetValue(_temperature) ?? options.Temperature),
            Sampling = sampling,
            SamplingTopK = WholeOr(_topK, 0),
            SamplingTopP = (float)(arguments.GetValue(_topP) ?? topP),
            Seed = (ulong)(arguments.GetValue(_seed) ?? (long)options.Seed),
            DiverseBeamGroups = WholeOr(_groups, 1),
            DiverseBeamStrength = (float)(arguments.GetValue(_strength) ?? options.DiverseBeamStrength),
            BatchTokens = WholeOr(_batchTokens, options.BatchTokens),
            Graphs = arguments.GetValue(_graphs) switch
            {
                null => options.Graphs,
                "on" => true,
                "off" => false,
                var other => throw new UsageException($"--graphs must be on or off, got {other}."),
            },
        };
        CheckEffect(arguments, options);
        return options.Validate() is { Count: > 0 } problems ? throw new UsageException(AsOptions(problems[0])) : options;

        int WholeOr(Option<long?> option, int otherwise) => (int)(arguments.GetValue(option) ?? otherwise);
    }

    // What is typed shall matter.
    private void CheckEffect(ParseResult arguments, DecodingOptions options)
    {
        if (options.Sampling && arguments.GetValue(_beam) is not null)
            throw new UsageException("--beam searches and --sampling draws: one of them alone must be given.");
        if (!options.Sampling && arguments.GetValue(_seed) is not null)
            throw new UsageException(_draws ? "--seed is about drawing, --beam must not be given with it." : "--seed is about --sampling, which must be given with it.");
        if (!_draws && options.MaxLengthA == 0 && options.MinLength > options.MaxLengthB)
            throw new UsageException($"--min-length must be at most --max-length-b with --max-length-a 0, got {options.MinLength} and {options.MaxLengthB}.");
        if (options.DiverseBeamGroups == 1 && arguments.GetValue(_strength) is not null)
            throw new UsageException("--diverse-beam-strength is about --diverse-beam-groups of 2 or more, which must be given with it.");
    }

    // "nbest must be at most beam, ..." speaks of options by their keys.
    private string AsOptions(string problem)
    {
        string[] words = problem.Split(' ');
        for (int i = 0; i < words.Length; i++)
        {
            string word = words[i].TrimEnd(','), option = "--" + word.Replace('_', '-');
            if (All.Any(o => o.Name == option))
                words[i] = option + words[i][word.Length..];
        }

        return string.Join(' ', words);
    }
}
