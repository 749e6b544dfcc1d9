namespace CudaSeq.Models;

/// <summary>
/// LightConv: F. Wu, A. Fan, A. Baevski, Y. Dauphin and M. Auli, "Pay less attention with lightweight and dynamic convolutions", ICLR 2019.
/// A transformer whose self-attention is replaced by convolutions that share H softmax-normalised filters among their channels, the same at every position.
/// Attention to the encoder stays.
/// </summary>
/// <remarks>
/// The presets are fairseq's configurations of the same names. The encoder has seven layers, one more than the Transformer, so that parameters are comparable:
/// filters of 3, 7, 15 and four of 31 taps; the decoder's are of 3, 7, 15 and three of 31. The gated linear units are on, as in the paper's headline results;
/// its table of ablations and speed was run without them (<c>with { EncoderGlu = false, DecoderGlu = false }</c>).
/// With 32,768 joint types the big model has 195.2M parameters without GLU, 202.6M with GLU in the encoder, 208.9M with both; the paper says 195M and 202M.
/// </remarks>
public sealed class LightConv2019 : EncoderDecoderModel
{
    /// <summary>Declares the parameters of a model.</summary>
    /// <param name="config">The configuration; its architecture is <see cref="Architecture.LightConv"/>.</param>
    /// <exception cref="ArgumentException">The configuration has problems: one line for each.</exception>
    public LightConv2019(ModelConfig config)
        : base(
            config,
            Architecture.LightConv,
            i => new EncoderLayer(
                config.OfEncoder,
                new ConvModule(config.WidthOfEncoder, config.EncoderGlu, config.InputDropout, Convolution(config.OfEncoder, config.EncoderKernelWidth(i), causal: false)),
                LayerNames.ConvolutionalEncoder),
            i => DecoderLayer(config, i))
    {
    }

    /// <summary>Base: fairseq lightconv_wmt_en_de.</summary>
    public static ModelConfig Base { get; } = new()
    {
        Architecture = Architecture.LightConv,
        ModelWidth = 512,
        FeedForwardWidth = 2048,
        AttentionHeads = 8,
        EncoderLayers = 7,
        DecoderLayers = 6,
        EncoderKernelWidths = [3, 7, 15, 31, 31, 31, 31],
        DecoderKernelWidths = [3, 7, 15, 31, 31, 31],
        EncoderGlu = true,
        DecoderGlu = true,
        Dropout = 0.1f,
        InputDropout = 0.1f,
        ShareEmbeddings = EmbeddingSharing.All,
    };

    /// <summary>Big, for WMT16 English-German: fairseq lightconv_wmt_en_de_big.</summary>
    public static ModelConfig Big { get; } = Base with
    {
        ModelWidth = 1024,
        FeedForwardWidth = 4096,
        AttentionHeads = 16,
        Dropout = 0.3f,
        AttentionDropout = 0.1f,
        WeightDropout = 0.1f,
    };

    /// <summary>Big, for WMT14 English-French: dropout 0.1 (fairseq lightconv_wmt_en_fr_big).</summary>
    public static ModelConfig WmtEnFrBig { get; } = Big with { Dropout = 0.1f };

    /// <summary>
    /// Big, for WMT17 Chinese-English: fairseq lightconv_wmt_zh_en_big, dropout 0.2 (an author gives 0.25 for the paper, fairseq issue 534); nothing shared.
    /// </summary>
    public static ModelConfig WmtZhEnBig { get; } = Big with
    {
        Dropout = 0.2f,
        AttentionDropout = 0.2f,
        WeightDropout = 0.2f,
        ShareEmbeddings = EmbeddingSharing.None,
    };

    /// <summary>
    /// Small, for IWSLT14 German-English: fairseq lightconv_iwslt_de_en with its published dropout 0.3; no GLU, no input dropout, nothing shared.
    /// </summary>
    public static ModelConfig Iwslt { get; } = Base with
    {
        FeedForwardWidth = 1024,
        AttentionHeads = 4,
        EncoderGlu = false,
        DecoderGlu = false,
        Dropout = 0.3f,
        AttentionDropout = 0.1f,
        WeightDropout = 0.1f,
        InputDropout = 0,
        ShareEmbeddings = EmbeddingSharing.None,
    };

    /// <summary>A layer of the decoder, also of a language model's.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="layer">Its index.</param>
    internal static DecoderLayer DecoderLayer(ModelConfig config, int layer)
    {
        var convolution = Convolution(config, config.DecoderKernelWidth(layer), causal: true);
        return new DecoderLayer(config, new ConvModule(config.ModelWidth, config.DecoderGlu, config.InputDropout, convolution), LayerNames.ConvolutionalDecoder);
    }

    private static LightConvolution Convolution(ModelConfig config, int kernelWidth, bool causal)
        => new(config.ModelWidth, config.ConvolutionHeads, kernelWidth, causal, config.ConvNormalization, config.WeightDropout);
}
