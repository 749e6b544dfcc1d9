using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using CudaSeq.Models;

namespace CudaSeq.Cli;

/// <summary>The options that say which layers of a trained model to apply.</summary>
internal sealed class PathOptions
{
    private readonly Option<int[]?> _encoder = Path("--encoder-path", "encoder");
    private readonly Option<int[]?> _decoder = Path("--decoder-path", "decoder");
    private readonly Option<long?> _exitDepth = Verb.Whole("--exit-depth", "N", "Leave the decoder after N of its layers (default: after the last).", 1);
    private readonly Option<float[]?> _exitConfidence = new("--exit-confidence")
    {
        HelpName = "P,P,...",
        Description = "Leave the decoder after the first layer that gives a token a probability above P: one P, or one for each layer before the last.",
        CustomParser = result => Thresholds(result, "--exit-confidence"),
    };

    private readonly Option<bool> _exitPredicted = Verb.Flag("--exit-predicted", "Leave the decoder where the model's exit_predictor says.");
    private readonly Option<float[]?> _exitThreshold = new("--exit-threshold")
    {
        HelpName = "P,P,...",
        Description = "With --exit-predicted and a geometric exit_predictor: leave after the first layer whose probability of leaving is above P, one P or one for each layer before the last (default: 0.5).",
        CustomParser = result => Thresholds(result, "--exit-threshold"),
    };

    private readonly Option<long?> _exitRandom = Verb.Whole("--exit-random", "SEED", "Leave the decoder after a layer drawn for each token, all equally likely: how little states of mixed depths harm.", 0);
    private readonly Option<long?> _exitLimit = Verb.Whole("--exit-limit", "N", "The positions of an output take at most N of the decoder's layers together, then one each; until then as the options above say.", 1);
    private readonly Option<double?> _exitBudget = Verb.Number("--exit-budget", "LAYERS", "Choose --exit-confidence, or with --exit-predicted --exit-threshold, so that positions of --exit-tune-on take at most so many layers in the mean, and say it.");
    private readonly Option<string> _exitTuneOn = Verb.Text("--exit-tune-on", "FILE", "The text on which --exit-budget is met, one source a line; it is decoded several times.");
    private readonly bool _hasEncoder;

    /// <param name="hasEncoder">Whether the models may have an encoder.</param>
    public PathOptions(bool hasEncoder) => _hasEncoder = hasEncoder;

    /// <summary>All options, in the order of the help.</summary>
    public IReadOnlyList<Option> All => _hasEncoder ? [_encoder, _decoder] : [_decoder];

    /// <summary>The options that say when a decoder is left while it writes.</summary>
    public IReadOnlyList<Option> Exits => [_exitDepth, _exitConfidence, _exitPredicted, _exitThreshold, _exitRandom, _exitLimit];

    /// <summary>The options that have that chosen on a text.</summary>
    public IReadOnlyList<Option> Tuning => [_exitBudget, _exitTuneOn];

    /// <summary>The layers in the mean that are allowed, the text on which they are, and whether a predictor's threshold is to be chosen; null where nothing is.</summary>
    /// <exception cref="UsageException">One of two is missing, or there is nothing to choose.</exception>
    public (double Layers, string File, bool Predicted)? Budget(ParseResult arguments)
    {
        var (layers, file) = (arguments.GetValue(_exitBudget), arguments.GetValue(_exitTuneOn));
        if (layers is null != file is null)
            throw new UsageException("--exit-budget and --exit-tune-on must be given together.");
        if (layers is null)
            return null;
        return arguments.GetValue(_exitDepth) is null && arguments.GetValue(_exitRandom) is null && Given(arguments, _exitConfidence) is null && Given(arguments, _exitThreshold) is null
            ? (layers.Value, file!, arguments.GetValue(_exitPredicted))
            : throw new UsageException("--exit-budget chooses --exit-confidence or --exit-threshold, neither they nor --exit-depth or --exit-random must be given with it.");
    }

    /// <summary>When the decoder is left; null for after its last layer.</summary>
    /// <param name="arguments">What was typed.</param>
    /// <param name="chosen">What was chosen on a text; null where nothing was.</param>
    /// <exception cref="UsageException">Several ways were asked for.</exception>
    public ExitRule? Exit(ParseResult arguments, ExitBudget? chosen = null)
    {
        var rule = chosen?.Rule ?? Typed(arguments);
        return arguments.GetValue(_exitLimit) is { } limit ? ExitRule.Within((int)limit, rule) : rule;
    }

    private ExitRule? Typed(ParseResult arguments)
    {
        long? depth = arguments.GetValue(_exitDepth), seed = arguments.GetValue(_exitRandom);
        float[]? thresholds = Given(arguments, _exitConfidence), leaving = Given(arguments, _exitThreshold);
        bool predicted = arguments.GetValue(_exitPredicted);
        if ((depth is null ? 0 : 1) + (thresholds is null ? 0 : 1) + (predicted ? 1 : 0) + (seed is null ? 0 : 1) > 1)
            throw new UsageException("--exit-depth, --exit-confidence, --exit-predicted and --exit-random must be given alone.");
        if (leaving is not null && !predicted)
            throw new UsageException("--exit-threshold must be given with --exit-predicted.");
        if (seed is { } begin)
            return ExitRule.Random((ulong)begin);
        return predicted ? ExitRule.Predicted(leaving) : depth is { } layers ? ExitRule.AtDepth((int)layers) : thresholds is not null ? ExitRule.Confidence(thresholds) : null;
    }

    /// <summary>What was done, in a line for people.</summary>
    /// <param name="counts">Positions that left after each layer.</param>
    public static string Done(IReadOnlyList<long> counts)
    {
        double positions = counts.Sum(), layers = counts.Select((c, i) => (double)c * (i + 1)).Sum();
        return string.Create(
            CultureInfo.InvariantCulture,
            $"layers: {layers / Math.Max(1, positions):f2} of {counts.Count} in the mean ({string.Join(", ", counts.Select((c, i) => $"{i + 1}: {c}"))} positions)");
    }

    /// <summary>What was chosen, in a line for people.</summary>
    public static string Chosen(ExitBudget budget, int layers, string file) => string.Create(
        CultureInfo.InvariantCulture,
        $"exits: {(budget.IsPredicted ? "--exit-predicted --exit-threshold" : "--exit-confidence")} {budget.Typed} takes {budget.Layers:f2} of {layers} layers in the mean of {file} ({budget.Positions} positions, decoded {budget.Decodings} times)");

    /// <summary>What was typed; null where nothing was.</summary>
    public LayerPaths? Read(ParseResult arguments)
    {
        int[]? encoder = _hasEncoder ? Given(arguments, _encoder) : null, decoder = Given(arguments, _decoder);
        return (encoder ?? decoder) is null ? null : new LayerPaths(encoder, decoder);
    }

    // What is not given is an empty array, not null.
    private static T[]? Given<T>(ParseResult arguments, Option<T[]?> option) => arguments.GetResult(option) is null ? null : arguments.GetValue(option);

    private static Option<int[]?> Path(string name, string side) => new(name)
    {
        HelpName = "N,N,...",
        Description = $"Layers of the {side} to apply, from 1, in this order: 1,1,1 is three recurrences of a stacked layer, 1,3,5 a model pruned of the others (default: as it was trained).",
        CustomParser = result => Numbers(result, name),
    };

    private static int[]? Numbers(ArgumentResult result, string name)
    {
        string text = result.Tokens[0].Value;
        var numbers = new List<int>();
        foreach (string part in text.Split(','))
        {
            if (!int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int number) || number < 1)
            {
                result.AddError($"{name} must be layers from 1 with commas between, got {text}.");
                return null;
            }

            numbers.Add(number);
        }

        return [.. numbers];
    }

    private static float[]? Thresholds(ArgumentResult result, string name)
    {
        string text = result.Tokens[0].Value;
        var numbers = new List<float>();
        foreach (string part in text.Split(','))
        {
            if (!float.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out float number) || !(number is >= 0 and <= 1))
            {
                result.AddError($"{name} must be probabilities with commas between, got {text}.");
                return null;
            }

            numbers.Add(number);
        }

        return [.. numbers];
    }
}
