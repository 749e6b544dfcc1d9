namespace CudaSeq.Models;

/// <summary>
/// What fairseq calls the parts of a layer in its checkpoints: transformers and convolutional models, and their two sides, differ.
/// </summary>
/// <param name="Mixer">Self-attention, or empty where the parts of the convolution module are the layer's own.</param>
/// <param name="MixerNorm">The layer norm at the mixer.</param>
/// <param name="FinalNorm">The layer norm at the feed-forward block.</param>
public sealed record LayerNames(string Mixer, string MixerNorm, string FinalNorm)
{
    /// <summary>A transformer's layers, both sides.</summary>
    public static LayerNames Attention { get; } = new("self_attn", "self_attn_layer_norm", "final_layer_norm");

    /// <summary>Encoder layers of LightConv and DynamicConv models (later versions of fairseq say layer_norm1 and layer_norm2).</summary>
    public static LayerNames ConvolutionalEncoder { get; } = new(string.Empty, "layer_norms.0", "layer_norms.1");

    /// <summary>Decoder layers of LightConv and DynamicConv models.</summary>
    public static LayerNames ConvolutionalDecoder { get; } = new(string.Empty, "conv_layer_norm", "final_layer_norm");
}
