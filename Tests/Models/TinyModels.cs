using CudaSeq.Kernels;
using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

/// <summary>Models small enough to be computed by hand, one of every kind.</summary>
internal static class TinyModels
{
    /// <summary>All architectures with and without GLU, post- and pre-norm, with every way of sharing embeddings.</summary>
    public static IEnumerable<ModelConfig> All =>
    [
        Transformer,
        Transformer with { PreNorm = true, ShareEmbeddings = EmbeddingSharing.None },
        Transformer with { PreNorm = true, DecoderFinalNorm = false },
        Conv(Architecture.LightConv),
        Conv(Architecture.LightConv) with { EncoderGlu = true, PreNorm = true, ShareEmbeddings = EmbeddingSharing.None },
        Conv(Architecture.LightConv) with { EncoderGlu = true, DecoderGlu = true },
        Conv(Architecture.DynamicConv),
        Conv(Architecture.DynamicConv) with { DecoderGlu = true, PreNorm = true, ShareEmbeddings = EmbeddingSharing.Decoder },
        Conv(Architecture.DynamicConv) with { EncoderGlu = true, DecoderGlu = true },
        Transformer with { EncoderPath = [2, 1, 2], DecoderPath = [1, 2, 2, 1] },
        Conv(Architecture.DynamicConv) with { EncoderPath = [1, 1, 2], DecoderPath = [2, 1, 1], PreNorm = true },
        Transformer with { EncoderFusion = EncoderFusion.Fine },
        Conv(Architecture.LightConv) with { EncoderFusion = EncoderFusion.Coarse, PreNorm = true, EncoderPath = [1, 2, 2], DecoderPath = [1, 1, 2] },
        Transformer with { OutputLinear = true },
        Conv(Architecture.LightConv) with { OutputLinear = true, PreNorm = true, ShareEmbeddings = EmbeddingSharing.None },
        .. Surface,
        .. Ablations,
        .. Universal,
        .. OfTwoWidths,
    ];

    /// <summary>Encoders wider and narrower than their decoders, with all that sees both.</summary>
    public static IEnumerable<ModelConfig> OfTwoWidths =>
    [
        Transformer with { EncoderWidth = 12, ShareEmbeddings = EmbeddingSharing.Decoder },
        Conv(Architecture.DynamicConv) with { EncoderWidth = 4, ShareEmbeddings = EmbeddingSharing.None, PreNorm = true, EncoderGlu = true },
        Conv(Architecture.LightConv) with { EncoderWidth = 16, ShareEmbeddings = EmbeddingSharing.None },
        Conv(Architecture.Cnn) with { EncoderWidth = 6, ShareEmbeddings = EmbeddingSharing.Decoder },
        SurfaceFusion2021.Hard(Transformer with { EncoderWidth = 12, EncoderFusion = EncoderFusion.Fine, ShareEmbeddings = EmbeddingSharing.None }),
        UniversalTransformer2018.Halted(Transformer with { EncoderWidth = 6, StepSignal = StepSignal.Learned, ShareEmbeddings = EmbeddingSharing.Decoder }, weight: 0.3f),
    ];

    /// <summary>The rows of Wu et al.'s table 3, and the normalisations of their table 6.</summary>
    public static IEnumerable<ModelConfig> Ablations =>
    [
        Conv(Architecture.Cnn),
        Conv(Architecture.Cnn) with { EncoderKernelWidths = [1, 5], DecoderKernelWidths = [2, 1], PreNorm = true },
        Conv(Architecture.LightConv) with { ConvHeads = 8, ConvNormalization = TapNormalization.None },
        Conv(Architecture.DynamicConv) with { ConvHeads = 4, ConvNormalization = TapNormalization.L2 },
        Transformer with { AttentionWindows = [3, 2] },
        Transformer with { AttentionWindows = [2], PreNorm = true, DecoderPath = [1, 2, 1] },
        Transformer with { AttentionWindows = [0, 4] },
        .. new[] { TapNormalization.Sigmoid, TapNormalization.L1, TapNormalization.Abs, TapNormalization.AbsL2 }.Select(n => Conv(Architecture.LightConv) with { ConvNormalization = n }),
        .. new[] { TapNormalization.None, TapNormalization.Tanh, TapNormalization.Square, TapNormalization.AbsL1 }.Select(n => Conv(Architecture.DynamicConv) with { ConvNormalization = n }),
    ];

    /// <summary>Steps with signals, and with halting, of layers of each kind and once with surface fusion.</summary>
    public static IEnumerable<ModelConfig> Universal =>
    [
        UniversalTransformer2018.Of(Transformer),
        UniversalTransformer2018.Halted(Transformer with { StepSignal = StepSignal.Learned, EncoderPath = [1, 2, 1, 2], DecoderPath = [2, 2, 2, 1] }, weight: 0.3f),
        SurfaceFusion2021.Hard(UniversalTransformer2018.Halted(Conv(Architecture.DynamicConv) with { StepSignal = StepSignal.Sinusoid, DecoderPath = [1, 2, 1], PreNorm = true })),
    ];

    /// <summary>Surface fusion of every kind, once with all else.</summary>
    public static IEnumerable<ModelConfig> Surface =>
    [
        SurfaceFusion2021.Hard(Transformer),
        SurfaceFusion2021.Hard(Transformer, gate: 0) with { SurfaceFeedForward = false, SurfaceLinear = true, PreNorm = true, SurfaceAttentionHeads = 2 },
        SurfaceFusion2021.Hard(Transformer with { OutputLinear = true, SurfaceLayer = 1 }, gate: 0),
        SurfaceFusion2021.Hard(Conv(Architecture.LightConv) with { OutputLinear = true, ShareEmbeddings = EmbeddingSharing.None }),
        SurfaceFusion2021.Soft(Transformer with { OutputLinear = true }, scale: 0.5f),
        SurfaceFusion2021.Soft(Conv(Architecture.DynamicConv) with { EncoderFusion = EncoderFusion.Fine, DecoderPath = [1, 2, 1], SurfaceLinear = true, SurfaceLayer = 2 }, scale: 0.2f),
    ];

    /// <summary>Those that are no stacks of layers.</summary>
    public static IEnumerable<ModelConfig> Others =>
    [
        Lstm,
        Lstm with { ReverseSource = false, ShareEmbeddings = EmbeddingSharing.None },
        RnnSearch,
        ConvS2S,
        ConvS2S with { EncoderChannels = [], DecoderChannels = [8], OutputWidth = 0, EncoderKernelWidths = [4], DecoderKernelWidths = [3], ShareEmbeddings = EmbeddingSharing.Decoder },
    ];

    /// <summary>The architectures that are.</summary>
    public static IEnumerable<Architecture> OfLayers => Enum.GetValues<Architecture>().Where(a => Of(a).HasLayers);

    /// <summary>All of them where that is quick; one of every architecture on the emulated GPU.</summary>
    public static IEnumerable<ModelConfig> On(string device) => device == TestDevices.Emulated
        ? [Transformer, Conv(Architecture.LightConv) with { EncoderGlu = true, PreNorm = true }, Conv(Architecture.DynamicConv) with { DecoderGlu = true }]
        : All;

    /// <summary>Two layers a side, C = 8, H = 2, F = 12, V = 11, no dropout, all embeddings shared.</summary>
    public static ModelConfig Transformer => new()
    {
        Architecture = Architecture.Transformer,
        ModelWidth = 8,
        FeedForwardWidth = 12,
        AttentionHeads = 2,
        EncoderLayers = 2,
        DecoderLayers = 2,
        Dropout = 0,
        ShareEmbeddings = EmbeddingSharing.All,
        SourceVocabulary = 11,
        TargetVocabulary = 11,
    };

    /// <summary>The same with filters of 3 and 5 taps in the encoder, 3 and 4 in the decoder.</summary>
    public static ModelConfig Conv(Architecture architecture)
        => Transformer with { Architecture = architecture, EncoderKernelWidths = [3, 5], DecoderKernelWidths = [3, 4] };

    /// <summary>A language model whose rarer tokens have fewer channels, half of those before them: bands that begin at the cutoffs, of embeddings and softmax.</summary>
    public static ModelConfig Adaptive(Architecture architecture, params int[] cutoffs)
        => Of(architecture).AsLanguageModel() with { ShareEmbeddings = EmbeddingSharing.None, AdaptiveInputCutoffs = cutoffs, AdaptiveSoftmaxCutoffs = cutoffs, AdaptiveFactor = 2 };

    public static ModelConfig Lstm => Plain(Architecture.Lstm);

    public static ModelConfig RnnSearch => Plain(Architecture.RnnSearch) with
    {
        EncoderLayers = 1,
        DecoderLayers = 1,
        EmbeddingWidth = 6,
        AlignmentWidth = 5,
        OutputWidth = 4,
        ShareEmbeddings = EmbeddingSharing.None,
        TargetVocabulary = 10,
    };

    /// <summary>Widths that change, filters of three taps and of one.</summary>
    public static ModelConfig ConvS2S => Plain(Architecture.ConvS2S) with
    {
        EncoderLayers = 3,
        EncoderChannels = [8, 6, 6],
        DecoderChannels = [4, 10],
        EncoderKernelWidths = [3, 5, 1],
        DecoderKernelWidths = [3, 1],
        OutputWidth = 6,
        MaxPositions = 64,
        ShareEmbeddings = EmbeddingSharing.None,
        TargetVocabulary = 10,
    };

    public static ModelConfig Of(Architecture architecture) => architecture switch
    {
        Architecture.Transformer => Transformer,
        Architecture.LightConv or Architecture.DynamicConv or Architecture.Cnn => Conv(architecture),
        _ => Others.First(c => c.Architecture == architecture),
    };

    private static ModelConfig Plain(Architecture architecture) => new()
    {
        Architecture = architecture,
        ModelWidth = 8,
        EncoderLayers = 2,
        DecoderLayers = 2,
        Dropout = 0,
        ShareEmbeddings = EmbeddingSharing.All,
        SourceVocabulary = 11,
        TargetVocabulary = 11,
    };

    /// <summary>A model none of whose parameters, not even biases and gains, has the value it starts with.</summary>
    public static Seq2SeqModel Create(ModelConfig config, Device device, ulong seed = 1, float spread = 0.3f)
    {
        var random = new RandomSource(seed);
        return Spread(SequenceModel.Create(config, device, random), random, spread);
    }

    /// <summary>The same of a language model.</summary>
    public static LanguageModel CreateLanguageModel(ModelConfig config, Device device, ulong seed = 1, float spread = 0.3f)
    {
        var random = new RandomSource(seed);
        return Spread(LanguageModel.Create(config, device, random), random, spread);
    }

    /// <summary>Adds normal numbers to all parameters.</summary>
    public static TModel Spread<TModel>(TModel model, RandomSource random, float spread = 0.3f)
        where TModel : Module
    {
        foreach (var parameter in model.Parameters)
        {
            var noise = new float[parameter.Shape.Count];
            random.Normal(noise, 0, spread);
            float[] values = parameter.ToArray();
            parameter.CopyFrom([.. values.Zip(noise, (v, n) => v + n)]);
        }

        return model;
    }

    /// <summary>Random sentences that end in end-of-sentence.</summary>
    public static int[][] Sentences(Random random, int vocabulary, params ReadOnlySpan<int> lengths)
    {
        var sentences = new int[lengths.Length][];
        for (int i = 0; i < lengths.Length; i++)
        {
            sentences[i] = new int[lengths[i]];
            for (int t = 0; t < lengths[i] - 1; t++)
                sentences[i][t] = random.Next(Vocabulary.Unk, vocabulary);
            sentences[i][^1] = Vocabulary.Eos;
        }

        return sentences;
    }

    /// <summary>End-of-sentence, then all but the last token.</summary>
    public static int[] Shifted(int[] target) => [Vocabulary.Eos, .. target[..^1]];

    /// <summary>[B, longest], right-padded.</summary>
    public static Tensor Pad(Device device, IReadOnlyList<int[]> sentences, int? width = null)
    {
        int longest = width ?? sentences.Max(s => s.Length);
        return Tensor.From(device, [.. sentences.SelectMany(s => s.Concat(Enumerable.Repeat(Vocabulary.Pad, longest - s.Length)))], [sentences.Count, longest]);
    }

    public static Tensor Lengths(Device device, IReadOnlyList<int[]> sentences) => Tensor.From(device, [.. sentences.Select(s => s.Length)]);

    public static EncoderOutput Encode(Seq2SeqModel model, IReadOnlyList<int[]> sources, int? width = null)
        => model.Encode(Pad(model.Device, sources, width), Lengths(model.Device, sources));
}
