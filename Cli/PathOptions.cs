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
    private readonly bool _hasEncoder;

    /// <param name="hasEncoder">Whether the models may have an encoder.</param>
    public PathOptions(bool hasEncoder) => _hasEncoder = hasEncoder;

    /// <summary>All options, in the order of the help.</summary>
    public IReadOnlyList<Option> All => _hasEncoder ? [_encoder, _decoder] : [_decoder];

    /// <summary>What was typed; null where nothing was.</summary>
    public LayerPaths? Read(ParseResult arguments)
    {
        int[]? encoder = _hasEncoder ? arguments.GetValue(_encoder) : null, decoder = arguments.GetValue(_decoder);
        return (encoder ?? decoder) is null ? null : new LayerPaths(encoder, decoder);
    }

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
}
