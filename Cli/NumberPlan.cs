using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Cli;

/// <summary>How <c>cudaseq quickstart</c> trains: three models of equal size that differ only in what lets positions see each other.</summary>
/// <param name="TrainPairs">Numbers to learn from.</param>
/// <param name="TestPairs">Unseen numbers to count exact matches on.</param>
/// <param name="Training">How to train.</param>
internal sealed record NumberPlan(int TrainPairs, int TestPairs, TrainerOptions Training)
{
    /// <summary>Columns for a model's name.</summary>
    public const int LongestName = 11;

    private const int Width = 64;
    private const int Heads = 4;
    private const int Layers = 2;

    private static readonly int[] KernelWidths = [3, 11];

    /// <summary>Learns it.</summary>
    public static NumberPlan Full { get; } = new(50_000, 1000, Options(batchTokens: 1024, peak: 3e-3f, warmup: 300, updates: 3500));

    /// <summary>Shows that everything runs.</summary>
    public static NumberPlan Smoke { get; } = new(2000, 100, Options(batchTokens: 512, peak: 1e-3f, warmup: 10, updates: 20));

    /// <summary>
    /// The three models. What the gated convolutions save over self-attention (three C x C products a layer against four), the feed-forward blocks get.
    /// </summary>
    public static IEnumerable<ModelConfig> Models(int sourceVocabulary, int targetVocabulary)
    {
        var transformer = new ModelConfig
        {
            Architecture = Architecture.Transformer,
            ModelWidth = Width,
            FeedForwardWidth = 2 * Width,
            AttentionHeads = Heads,
            EncoderLayers = Layers,
            DecoderLayers = Layers,
            Dropout = 0,
            PreNorm = true,
            ShareEmbeddings = EmbeddingSharing.Decoder,
            SourceVocabulary = sourceVocabulary,
            TargetVocabulary = targetVocabulary,
        };
        yield return transformer;
        var lightConv = transformer with
        {
            Architecture = Architecture.LightConv,
            FeedForwardWidth = transformer.FeedForwardWidth + (Width / 2),
            EncoderKernelWidths = KernelWidths,
            DecoderKernelWidths = KernelWidths,
            EncoderGlu = true,
            DecoderGlu = true,
        };
        yield return lightConv;
        int taps = Heads * KernelWidths.Sum() / Layers;
        yield return lightConv with
        {
            Architecture = Architecture.DynamicConv,
            FeedForwardWidth = lightConv.FeedForwardWidth - (taps / 2),
        };
    }

    private static TrainerOptions Options(int batchTokens, float peak, int warmup, int updates) => new()
    {
        BatchTokens = batchTokens,
        LabelSmoothing = 0.1f,
        Schedule = new InverseSquareRootSchedule(peak, warmup),
        // Batches are of one length each; without clipping, one of short numbers now and then undoes what self-attention learned on long ones.
        ClipNorm = 0.25f,
        MaxUpdates = updates,
        ReportEvery = TimeSpan.FromMilliseconds(250),
    };
}
