namespace CudaSeq.Models;

/// <summary>
/// EncoderFusion and SurfaceFusion: X. Liu, L. Wang, D. F. Wong, L. Ding, L. S. Chao and Z. Tu, "Understanding and improving encoder layer fusion in sequence-to-sequence learning",
/// ICLR 2021. Decoders that see more of a source than the encoder's last layer: either all layers, by layer attention (<see cref="LayerAttention"/>), or, as the paper's analysis has it
/// enough, the embeddings alone and only at the output (<see cref="SurfaceAttention"/>). Of any model with an encoder, whatever its layers are, and both together where that is wanted.
/// </summary>
/// <remarks>
/// Details are those of the published code: layer attention sees the embeddings without positions, with a dropout of their own (in pre-norm models too, unlike there) and for post-norm models a layer norm; there is one layer
/// norm behind the mean for all layers of the decoder; the surface's queries and keys pass no gradient on; and the feed-forward block that both streams share, with four times the width
/// inside, is part of the published command although its option is said to be off. Base models gain 21,504 weights by fine layer attention and 1,024 by its layer norm.
/// </remarks>
public static class SurfaceFusion2021
{
    /// <summary>DropConnect of the layer attention's logits, in all of the paper's experiments.</summary>
    public const float DropConnect = 0.3f;

    /// <summary>The share of the decoder's own distribution in hard fusion.</summary>
    public const float Gate = 0.8f;

    /// <summary>Layer attention with one weight for each layer of the encoder.</summary>
    /// <param name="config">A model with an encoder.</param>
    public static ModelConfig Coarse(ModelConfig config) => Fused(config, EncoderFusion.Coarse);

    /// <summary>Layer attention with one weight for each layer of the encoder and channel.</summary>
    /// <param name="config">A model with an encoder.</param>
    public static ModelConfig Fine(ModelConfig config) => Fused(config, EncoderFusion.Fine);

    /// <summary>Surface fusion of two distributions.</summary>
    /// <param name="config">A model with an encoder.</param>
    /// <param name="gate">The share of the decoder's own, in (0, 1]; 0 to learn it for each position.</param>
    public static ModelConfig Hard(ModelConfig config, float gate = Gate) => config with { SurfaceFusion = SurfaceFusion.Hard, SurfaceGate = gate };

    /// <summary>Surface fusion of the logits.</summary>
    /// <param name="config">A model with an encoder.</param>
    /// <param name="scale">tau, what the surface's are multiplied by: 0.2 for what the paper calls a division by 5.</param>
    public static ModelConfig Soft(ModelConfig config, float scale = 1) => config with { SurfaceFusion = SurfaceFusion.Soft, SurfaceScale = scale };

    private static ModelConfig Fused(ModelConfig config, EncoderFusion fusion) => config with { EncoderFusion = fusion, FusionDropConnect = DropConnect, FusionDropout = config.Dropout };
}
