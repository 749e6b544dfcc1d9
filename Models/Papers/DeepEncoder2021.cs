namespace CudaSeq.Models;

/// <summary>
/// Decoder layers traded for encoder layers: H. Xu, J. van Genabith, Q. Liu and D. Xiong, "Probing word translations in the transformer and trading decoder for encoder layers", NAACL 2021.
/// The source is encoded once and a decoder's layers run at every step: 10 and 2 layers decode 2.32 times as fast as 6 and 6 in the paper. Its probes are the analysis word-translation.
/// </summary>
public static class DeepEncoder2021
{
    /// <summary>A model with so many layers on either side, norms before the sub-layers as in the paper's toolkit.</summary>
    /// <param name="config">A model of layers that translates, without filters or with one width for all of a side; paths, which are for other numbers of layers, are left out.</param>
    /// <param name="encoder">Layers of the encoder: 10, 18.</param>
    /// <param name="decoder">Layers of the decoder: 2, 4.</param>
    public static ModelConfig Of(ModelConfig config, int encoder, int decoder) => config with
    {
        EncoderLayers = encoder,
        DecoderLayers = decoder,
        EncoderPath = [],
        DecoderPath = [],
        PreNorm = true,
    };

    /// <summary>With a linear layer before the classifier, of the paper's first version (arXiv 2003.09586): 0.42 BLEU more on English-German.</summary>
    /// <param name="config">A model of layers.</param>
    public static ModelConfig WithOutputLinear(ModelConfig config) => config with { OutputLinear = true };
}
