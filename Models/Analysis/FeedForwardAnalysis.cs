using System.Text.Json;

namespace CudaSeq.Models;

/// <summary>What the two analyses of feed-forward blocks as memories have in common.</summary>
internal abstract class FeedForwardAnalysis : Analysis
{
    private const int TailTokens = 14;

    /// <summary>Which layers.</summary>
    protected static readonly AnalysisOption LayersOption = AnalysisOption.Text("--layers", "N,N", "Layers to look at, by their places in the decoder from 1 (default: all).");

    /// <summary>The longest prefix.</summary>
    protected static readonly AnalysisOption LongestOption = AnalysisOption.Whole(
        "--longest-prefix", "N", "Read only so many tokens of a line (default: the recipe's data.tokens_per_sample less one where blocks go over lines, all else).", 1);

    /// <summary>The seed.</summary>
    protected static readonly AnalysisOption SeedOption = AnalysisOption.Whole("--seed", "N", "Draws whatever is random (default: 1).", 0, long.MaxValue);

    public override string Origin => "M. Geva, R. Schuster, J. Berant and O. Levy, \"Transformer feed-forward layers are key-value memories\", EMNLP 2021.";

    public override AnalysisReads Reads => AnalysisReads.Pairs;

    public override string? Obstacle(ModelConfig config)
        => config.SurfaceFusion != SurfaceFusion.None ? "has surface_fusion: another stream joins the decoder's before the output, and no layer's token is to be read off it."
            : NeedsPlainSteps(config);

    /// <summary>What was said on the command line.</summary>
    protected static FeedForwardOptions Usual(AnalysisWork work)
    {
        string layers = work.Settings.Text(LayersOption) ?? "";
        int[] numbers = layers.Length == 0 ? [] : [.. layers.Split(',').Select(l => int.TryParse(l, out int number)
            ? number
            : throw new ArgumentException($"--layers must be numbers with commas between them, got '{layers}'."))];
        return new FeedForwardOptions
        {
            Layers = numbers,
            LongestPrefix = (int)(work.Settings.Whole(LongestOption) ?? FeedForwardText.LongestPrefix(work.Run)),
            BatchTokens = work.Text.BatchTokens,
            Seed = (ulong)(work.Settings.Whole(SeedOption) ?? 1),
        };
    }

    /// <summary>The end of a prefix as text.</summary>
    protected static string Tail(AnalysisRun run, ISamples text, int sentence, int length)
    {
        int[] tokens = PrefixBatch.Tokens(text, sentence)[..length];
        return (length > TailTokens ? "… " : "") + run.Target.Decode(tokens[Math.Max(0, length - TailTokens)..]);
    }

    /// <summary>A token as the vocabulary has it.</summary>
    protected static string Piece(AnalysisRun run, int token) => run.Target.Vocabulary[token];

    /// <summary>A curve over the layers.</summary>
    protected static Series Over<T>(string name, IEnumerable<T> layers, Func<T, int> layer, Func<T, double> value)
        => new(name, [.. layers.Select(l => ((double)layer(l), value(l))).Where(p => double.IsFinite(p.Item2))]);

    /// <summary>A count, as text.</summary>
    protected static string Count(long number) => FormattableString.Invariant($"{number:N0}");

    /// <summary>A share in percent, as text.</summary>
    protected static string Percent(double share, string format = "0.0") => double.IsFinite(share) ? Figure.Shown(100 * share, format) + " %" : "–";

    /// <summary>Three quartiles as a row of numbers.</summary>
    protected static double[] Row(Quartiles quartiles) => [quartiles.First, quartiles.Median, quartiles.Third];

    /// <summary>An array of objects.</summary>
    protected static void Objects<T>(Utf8JsonWriter json, string name, IEnumerable<T> items, Action<T> write)
    {
        json.WriteStartArray(name);
        foreach (var item in items)
        {
            json.WriteStartObject();
            write(item);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
