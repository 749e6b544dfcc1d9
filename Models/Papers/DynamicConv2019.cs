namespace CudaSeq.Models;

/// <summary>
/// DynamicConv: F. Wu, A. Fan, A. Baevski, Y. Dauphin and M. Auli, "Pay less attention with lightweight and dynamic convolutions", ICLR 2019.
/// As <see cref="LightConv2019"/>, but every position predicts its own filters, from the very vector that is convolved: a linear function without bias gives the
/// H K taps before their softmax.
/// </summary>
/// <remarks>
/// The presets differ from LightConv's in nothing else. With 32,768 joint types the big model has 199.6M parameters without GLU and 213.2M with it; the paper says
/// 200M (ablations and speed) and 213M (headline).
/// </remarks>
public sealed class DynamicConv2019 : EncoderDecoderModel
{
    /// <summary>Declares the parameters of a model.</summary>
    /// <param name="config">The configuration; its architecture is <see cref="Architecture.DynamicConv"/>.</param>
    /// <exception cref="ArgumentException">The configuration has problems: one line for each.</exception>
    public DynamicConv2019(ModelConfig config)
        : base(
            config,
            Architecture.DynamicConv,
            i => new EncoderLayer(
                config.OfEncoder,
                new ConvModule(config.WidthOfEncoder, config.EncoderGlu, config.InputDropout, Convolution(config.OfEncoder, config.EncoderKernelWidth(i), causal: false)),
                LayerNames.ConvolutionalEncoder),
            i => DecoderLayer(config, i))
    {
    }

    /// <summary>Base: fairseq lightconv_wmt_en_de with dynamic convolutions.</summary>
    public static ModelConfig Base { get; } = LightConv2019.Base with { Architecture = Architecture.DynamicConv };

    /// <summary>Big, for WMT16 English-German.</summary>
    public static ModelConfig Big { get; } = LightConv2019.Big with { Architecture = Architecture.DynamicConv };

    /// <summary>Big, for WMT14 English-French: dropout 0.1.</summary>
    public static ModelConfig WmtEnFrBig { get; } = LightConv2019.WmtEnFrBig with { Architecture = Architecture.DynamicConv };

    /// <summary>Big, for WMT17 Chinese-English: dropout 0.2, nothing shared.</summary>
    public static ModelConfig WmtZhEnBig { get; } = LightConv2019.WmtZhEnBig with { Architecture = Architecture.DynamicConv };

    /// <summary>Small, for IWSLT14 German-English: dropout 0.3, no GLU, no input dropout, nothing shared.</summary>
    public static ModelConfig Iwslt { get; } = LightConv2019.Iwslt with { Architecture = Architecture.DynamicConv };

    /// <summary>
    /// The language model of the Billion Word benchmark (section 6.4; fairseq lightconv_lm): 17 gated layers, norms before the sub-layers and none behind the last, adaptive embeddings and
    /// softmax, tied. 339.1M parameters with the benchmark's 793,471 words.
    /// </summary>
    public static ModelConfig BillionWord { get; } = Big.AsLanguageModel() with
    {
        DecoderLayers = 17,
        DecoderKernelWidths = [15, 15, 31, 31, 31, 31, .. Enumerable.Repeat(63, 11)],
        PreNorm = true,
        Dropout = 0.1f,
        ShareEmbeddings = EmbeddingSharing.None,
        AdaptiveInputCutoffs = [60_000, 160_000],
        AdaptiveSoftmaxCutoffs = [60_000, 160_000],
        TieAdaptiveWeights = true,
        TieAdaptiveProjections = true,
    };

    /// <summary>A layer of the decoder, also of a language model's.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="layer">Its index.</param>
    internal static DecoderLayer DecoderLayer(ModelConfig config, int layer)
    {
        var convolution = Convolution(config, config.DecoderKernelWidth(layer), causal: true);
        return new DecoderLayer(config, new ConvModule(config.ModelWidth, config.DecoderGlu, config.InputDropout, convolution), LayerNames.ConvolutionalDecoder);
    }

    private static DynamicConvolution Convolution(ModelConfig config, int kernelWidth, bool causal)
        => new(config.ModelWidth, config.ConvolutionHeads, kernelWidth, causal, config.ConvNormalization, config.WeightDropout);
}
