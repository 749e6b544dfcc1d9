namespace CudaSeq.Models;

/// <summary>
/// The convolutional baseline of F. Wu, A. Fan, A. Baevski, Y. Dauphin and M. Auli, "Pay less attention with lightweight and dynamic convolutions", ICLR 2019, table 3, "CNN (k = 3)": a
/// transformer each of whose self-attentions is replaced by one ordinary convolution, in which every output channel sees all input channels. Attention to the encoder stays.
/// </summary>
/// <remarks>
/// The presets are those of <see cref="LightConv2019"/> with filters of three taps and nothing that filters of few channels need. The paper does not say what surrounds the convolution; with
/// nothing, seven encoder layers and 32,768 joint types the big model has 208.8M parameters, and the paper says 208M.
/// </remarks>
public sealed class Cnn2019 : EncoderDecoderModel
{
    /// <summary>Declares the parameters of a model.</summary>
    /// <param name="config">The configuration; its architecture is <see cref="Architecture.Cnn"/>.</param>
    /// <exception cref="ArgumentException">The configuration has problems: one line for each.</exception>
    public Cnn2019(ModelConfig config)
        : base(
            config,
            Architecture.Cnn,
            i => new EncoderLayer(config.OfEncoder, Convolution(config.OfEncoder, config.EncoderKernelWidth(i), causal: false), LayerNames.ConvolutionalEncoder),
            i => DecoderLayer(config, i))
    {
    }

    /// <summary>Base.</summary>
    public static ModelConfig Base { get; } = Of(LightConv2019.Base);

    /// <summary>Big, for WMT16 English-German: the row of the table.</summary>
    public static ModelConfig Big { get; } = Of(LightConv2019.Big);

    /// <summary>Small, for IWSLT14 German-English.</summary>
    public static ModelConfig Iwslt { get; } = Of(LightConv2019.Iwslt);

    /// <summary>A layer of the decoder, also of a language model's.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="layer">Its index.</param>
    internal static DecoderLayer DecoderLayer(ModelConfig config, int layer)
        => new(config, Convolution(config, config.DecoderKernelWidth(layer), causal: true), LayerNames.ConvolutionalDecoder);

    private static FullConvolution Convolution(ModelConfig config, int kernelWidth, bool causal) => new(config.ModelWidth, kernelWidth, causal, config.InputDropout);

    private static ModelConfig Of(ModelConfig config) => config with
    {
        Architecture = Architecture.Cnn,
        EncoderKernelWidths = [3],
        DecoderKernelWidths = [3],
        EncoderGlu = false,
        DecoderGlu = false,
        WeightDropout = 0,
    };
}
