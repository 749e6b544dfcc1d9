using System.Globalization;
using System.Text.RegularExpressions;

namespace CudaSeq.Models;

/// <summary>The arguments of fairseq's fconv, whose blocks are expressions of Python: <c>[(512, 3)] * 9 + [(1024, 3)] * 4</c>. They are read as such sums and nothing is run.</summary>
internal static partial class FairseqConvS2S
{
    // A number beyond this is no layer that anything holds.
    private const int MostLayers = 1000;

    // Rows of a table of positions that no position has: up to that of padding.
    private const int UnusedRows = 2;

    /// <summary>Reads a configuration, vocabularies left at 0; what is wrong is reported.</summary>
    /// <param name="arguments">fairseq's.</param>
    /// <param name="defaults">What the architecture of that name has.</param>
    public static ModelConfig Read(FairseqArguments arguments, ModelConfig defaults)
    {
        int width = arguments.Whole("encoder_embed_dim", defaults.ModelWidth);
        if (arguments.Whole("decoder_embed_dim", defaults.ModelWidth) is var other && other != width)
            arguments.Report($"decoder_embed_dim must be encoder_embed_dim, {width}, got {other}.");
        int rows = arguments.Whole("max_source_positions", defaults.MaxPositions + UnusedRows);
        if (arguments.Whole("max_target_positions", defaults.MaxPositions + UnusedRows) is var target && target != rows)
            arguments.Report($"max_target_positions must be max_source_positions, {rows}, got {target}.");
        if (arguments.Text("decoder_attention") is { } attention && attention != "True")
            arguments.Report("decoder_attention", "True (every layer attends)");
        var (encoderChannels, encoderTaps) = Blocks(arguments, "encoder_layers", defaults.EncoderLayers, defaults.EncoderChannelsOf, defaults.EncoderKernelWidth);
        var (decoderChannels, decoderTaps) = Blocks(arguments, "decoder_layers", defaults.DecoderLayers, defaults.DecoderChannelsOf, defaults.DecoderKernelWidth);
        return defaults with
        {
            ModelWidth = width,
            OutputWidth = arguments.Whole("decoder_out_embed_dim", defaults.OutputWidth),
            EncoderLayers = encoderChannels.Length,
            DecoderLayers = decoderChannels.Length,
            EncoderChannels = encoderChannels,
            DecoderChannels = decoderChannels,
            EncoderKernelWidths = encoderTaps,
            DecoderKernelWidths = decoderTaps,
            MaxPositions = rows - UnusedRows,
            Dropout = arguments.Real("dropout", defaults.Dropout),
            ShareEmbeddings = arguments.Flag("share_input_output_embed", false) ? EmbeddingSharing.Decoder : EmbeddingSharing.None,
        };
    }

    /// <summary>fairseq's arguments of a model, but for task, languages and dropout.</summary>
    /// <param name="config">A model of this architecture.</param>
    public static Dictionary<string, object?> Arguments(ModelConfig config) => new()
    {
        ["arch"] = "fconv",
        ["encoder_embed_dim"] = config.ModelWidth,
        ["decoder_embed_dim"] = config.ModelWidth,
        ["decoder_out_embed_dim"] = config.WidthOfOutput,
        ["encoder_layers"] = Expression(config.EncoderLayers, config.EncoderChannelsOf, config.EncoderKernelWidth),
        ["decoder_layers"] = Expression(config.DecoderLayers, config.DecoderChannelsOf, config.DecoderKernelWidth),
        ["decoder_attention"] = "True",
        ["max_source_positions"] = config.MaxPositions + UnusedRows,
        ["max_target_positions"] = config.MaxPositions + UnusedRows,
        ["share_input_output_embed"] = config.ShareEmbeddings != EmbeddingSharing.None,
    };

    /// <summary>The same model as it is read: with a number for each block where one stood for all or for none.</summary>
    /// <param name="config">A model of this architecture.</param>
    public static ModelConfig Spelled(ModelConfig config) => config with
    {
        OutputWidth = config.WidthOfOutput,
        EncoderChannels = [.. Enumerable.Range(0, config.EncoderLayers).Select(config.EncoderChannelsOf)],
        DecoderChannels = [.. Enumerable.Range(0, config.DecoderLayers).Select(config.DecoderChannelsOf)],
        EncoderKernelWidths = [.. Enumerable.Range(0, config.EncoderLayers).Select(config.EncoderKernelWidth)],
        DecoderKernelWidths = [.. Enumerable.Range(0, config.DecoderLayers).Select(config.DecoderKernelWidth)],
    };

    // Blocks that are alike stand together: [(512, 3)] * 9 + [(1024, 3)] * 4.
    private static string Expression(int layers, Func<int, int> channels, Func<int, int> taps)
    {
        var parts = new List<(int Channels, int Taps, int Times)>();
        for (int i = 0; i < layers; i++)
        {
            var (own, wide) = (channels(i), taps(i));
            if (parts.Count > 0 && parts[^1] is var last && (last.Channels, last.Taps) == (own, wide))
                parts[^1] = (own, wide, last.Times + 1);
            else
                parts.Add((own, wide, 1));
        }

        return string.Join(" + ", parts.Select(p => string.Create(CultureInfo.InvariantCulture, $"[({p.Channels}, {p.Taps})] * {p.Times}")));
    }

    private static (int[] Channels, int[] Taps) Blocks(FairseqArguments arguments, string name, int layers, Func<int, int> channels, Func<int, int> taps)
    {
        if (arguments.Text(name) is not { } text)
            return ([.. Enumerable.Range(0, layers).Select(channels)], [.. Enumerable.Range(0, layers).Select(taps)]);
        var blocks = new List<(int Channels, int Taps)>();

        // Of 1000 blocks, each written out.
        const int LongestSum = 20_000;
        bool isSum = text.Length <= LongestSum && Sum().IsMatch(text);
        foreach (Match part in Part().Matches(isSum ? text : ""))
        {
            var own = Block().Matches(part.Groups["list"].Value).Select(b => (Channels: Number(b, "channels"), Taps: Number(b, "taps"), Residual: b.Groups["residual"].Success ? Number(b, "residual") : 1)).ToArray();
            if (own.Any(b => b.Residual != 1))
            {
                arguments.Report(name, "of blocks with residuals from the block before");
                return ([1], [1]);
            }

            int times = part.Groups["times"].Success ? Number(part, "times") : 1;
            for (int i = 0; i < times && blocks.Count <= MostLayers; i++)
                blocks.AddRange(own.Select(b => (b.Channels, b.Taps)));
        }

        if (blocks.Count is > 0 and <= MostLayers)
            return ([.. blocks.Select(b => b.Channels)], [.. blocks.Select(b => b.Taps)]);
        arguments.Report(name, "a sum of lists like [(512, 3)] * 4, with 1 to 1000 blocks in all");
        return ([1], [1]);

        // Six digits at most.
        static int Number(Match match, string group) => int.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);
    }

    [GeneratedRegex(@"\(\s*(?<channels>\d{1,6})\s*,\s*(?<taps>\d{1,6})\s*(,\s*(?<residual>\d{1,6})\s*)?,?\s*\)")]
    private static partial Regex Block();

    [GeneratedRegex(@"\[(?<list>[^\[\]]*)\]\s*(\*\s*(?<times>\d{1,6}))?")]
    private static partial Regex Part();

    [GeneratedRegex(@"^\s*\[\s*(\(\s*\d{1,6}\s*,\s*\d{1,6}\s*(,\s*\d{1,6}\s*)?,?\s*\)\s*,?\s*)+\]\s*(\*\s*\d{1,6}\s*)?(\+\s*\[\s*(\(\s*\d{1,6}\s*,\s*\d{1,6}\s*(,\s*\d{1,6}\s*)?,?\s*\)\s*,?\s*)+\]\s*(\*\s*\d{1,6}\s*)?)*$", RegexOptions.NonBacktracking)]
    private static partial Regex Sum();
}
