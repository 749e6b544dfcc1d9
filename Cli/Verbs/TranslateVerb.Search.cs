using System.CommandLine;
using CudaSeq.Models;

namespace CudaSeq.Cli;

/// <summary>The options that say how to search; what is not given is the recipe's.</summary>
internal sealed partial class TranslateVerb
{
    private readonly Option<long?> _beam = Whole("--beam", "N", "Hypotheses kept at each step; 1 is greedy (default: the recipe's).", 1);
    private readonly Option<long?> _nbest = Whole("--nbest", "N", "Write the N best translations of each line, each as: line number, score, translation, with tabs between.", 1);
    private readonly Option<double?> _lengthPenalty = Number("--length-penalty", "P", "Scores are divided by the length to the power P (default: the recipe's).");
    private readonly Option<string> _lengthPenaltyForm = Text("--length-penalty-form", "FORM", "power, or gnmt for (5 + length) / 6 in place of the length (default: the recipe's).");
    private readonly Option<long?> _minLength = Whole("--min-length", "N", "A translation has at least N pieces (default: the recipe's).", 0);
    private readonly Option<double?> _maxLengthA = Number("--max-length-a", "A", "A translation has at most A times the source's length + B pieces (default: the recipe's).");
    private readonly Option<long?> _maxLengthB = Whole("--max-length-b", "B", "See --max-length-a (default: the recipe's).", 0);
    private readonly Option<long?> _noRepeat = Whole("--no-repeat-ngram-size", "N", "No N pieces in a row come twice in a translation; 0 lets them (default: the recipe's).", 0);
    private readonly Option<double?> _temperature = Number("--temperature", "T", "Divides the logits: above 1 flattens the distribution, below 1 sharpens it (default: 1).");
    private readonly Option<bool> _sampling = Flag("--sampling", "Draw --nbest independent translations instead of searching for the likeliest.");
    private readonly Option<long?> _topK = Whole("--sampling-topk", "K", "Draw from the K likeliest pieces of each step; 0 for all (the default).", 0);
    private readonly Option<double?> _topP = Number("--sampling-topp", "P", "Draw from the smallest set of likeliest pieces whose probability reaches P; 1 for all (the default).");
    private readonly Option<long?> _seed = Whole("--seed", "N", "Seed of --sampling: the same seed gives a line the same samples (default: 1).", 0);
    private readonly Option<long?> _groups = Whole("--diverse-beam-groups", "N", "Search with N groups of hypotheses that keep apart; divides --beam (default: 1, plain beam search).", 1);
    private readonly Option<double?> _strength = Number("--diverse-beam-strength", "S", "What a piece costs a group for each earlier one's hypothesis that took it too (default: 0.5).");
    private readonly Option<long?> _batchTokens = Whole("--batch-tokens", "N", "Source tokens translated together, padding included (default: the recipe's).", 1);
    private readonly Option<string> _graphs = Text("--graphs", "on|off", "Whether a GPU captures the steps of each shape as a CUDA graph; no translation changes by it (default: the recipe's).");

    private Option[] SearchOptions =>
    [
        _beam, _nbest, _lengthPenalty, _lengthPenaltyForm, _minLength, _maxLengthA, _maxLengthB, _noRepeat, _temperature, _sampling, _topK, _topP, _seed, _groups, _strength,
        _batchTokens, _graphs,
    ];

    private DecodingOptions Search(ParseResult arguments, RunDirectory run)
    {
        var options = run.Decoding();
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
            MaxLengthA = arguments.GetValue(_maxLengthA) ?? options.MaxLengthA,
            MaxLengthB = WholeOr(_maxLengthB, options.MaxLengthB),
            NoRepeatNGramSize = WholeOr(_noRepeat, options.NoRepeatNGramSize),
            Temperature = (float)(arguments.GetValue(_temperature) ?? options.Temperature),
            Sampling = arguments.GetValue(_sampling),
            SamplingTopK = WholeOr(_topK, 0),
            SamplingTopP = (float)(arguments.GetValue(_topP) ?? 1),
            Seed = (ulong)(arguments.GetValue(_seed) ?? (long)options.Seed),
            DiverseBeamGroups = WholeOr(_groups, 1),
            DiverseBeamStrength = (float)(arguments.GetValue(_strength) ?? options.DiverseBeamStrength),
            BatchTokens = WholeOr(_batchTokens, options.BatchTokens),
            ConstraintOrder = arguments.GetValue(_constraintsOrder) switch
            {
                null or "unordered" => ConstraintOrder.Unordered,
                "ordered" => ConstraintOrder.Ordered,
                var other => throw new UsageException($"--constraints-order must be unordered or ordered, got {other}."),
            },
            Graphs = arguments.GetValue(_graphs) switch
            {
                null => options.Graphs,
                "on" => true,
                "off" => false,
                var other => throw new UsageException($"--graphs must be on or off, got {other}."),
            },
        };
        if (options.Validate() is { Count: > 0 } problems)
            throw new UsageException(AsOptions(problems[0]));
        bool constrained = arguments.GetValue(_constraints) is not null;
        if (constrained && (options.Sampling || options.DiverseBeamGroups > 1))
            throw new UsageException($"--constraints needs plain beam search, {(options.Sampling ? "--sampling" : "--diverse-beam-groups")} must not be given with it.");
        if (!constrained && arguments.GetValue(_constraintsOrder) is not null)
            throw new UsageException("--constraints-order is about --constraints, which must be given with it.");
        return options;

        int WholeOr(Option<long?> option, int otherwise) => (int)(arguments.GetValue(option) ?? otherwise);
    }

    // "nbest must be at most beam, ..." speaks of options by their keys.
    private string AsOptions(string problem)
    {
        string[] words = problem.Split(' ');
        for (int i = 0; i < words.Length; i++)
        {
            string word = words[i].TrimEnd(','), option = "--" + word.Replace('_', '-');
            if (SearchOptions.Any(o => o.Name == option))
                words[i] = option + words[i][word.Length..];
        }

        return string.Join(' ', words);
    }
}
