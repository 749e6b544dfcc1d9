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
        CustomParser = Thresholds,
    };

    private readonly Option<bool> _exitPredicted = Verb.Flag("--exit-predicted", "Leave the decoder where the model's exit_predictor says.");
    private readonly bool _hasEncoder;

    /// <param name="hasEncoder">Whether the models may have an encoder.</param>
    public PathOptions(bool hasEncoder) => _hasEncoder = hasEncoder;

    /// <summary>All options, in the order of the help.</summary>
    public IReadOnlyList<Option> All => _hasEncoder ? [_encoder, _decoder] : [_decoder];

    /// <summary>The options that say when a decoder is left while it writes.</summary>
    public IReadOnlyList<Option> Exits => [_exitDepth, _exitConfidence, _exitPredicted];

    /// <summary>When the decoder is left; null for after its last layer.</summary>
    /// <exception cref="UsageException">Both ways were asked for.</exception>
    public ExitRule? Exit(ParseResult arguments)
    {
        long? depth = arguments.GetValue(_exitDepth);
        float[]? thresholds = Given(arguments, _exitConfidence);
        bool predicted = arguments.GetValue(_exitPredicted);
        if ((depth is null ? 0 : 1) + (thresholds is null ? 0 : 1) + (predicted ? 1 : 0) > 1)
            throw new UsageException("--exit-depth, --exit-confidence and --exit-predicted must be given alone.");
        return predicted ? ExitRule.Predicted() : depth is { } layers ? ExitRule.AtDepth((int)layers) : thresholds is not null ? ExitRule.Confidence(thresholds) : null;
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

    private static float[]? Thresholds(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        var numbers = new List<float>();
        foreach (string part in text.Split(','))
        {
            if (!float.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out float number) || !(number is >= 0 and <= 1))
            {
                result.AddError($"--exit-confidence must be probabilities with commas between, got {text}.");
                return null;
            }

            numbers.Add(number);
        }

        return [.. numbers];
    }
}
