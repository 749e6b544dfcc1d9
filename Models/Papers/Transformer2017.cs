namespace CudaSeq.Models;

/// <summary>
/// The Transformer: A. Vaswani, N. Shazeer, N. Parmar, J. Uszkoreit, L. Jones, A. N. Gomez, Ł. Kaiser and I. Polosukhin, "Attention is all you need", NIPS 2017.
/// Encoder layers are self-attention and feed-forward, decoder layers causal self-attention, attention to the encoder and feed-forward.
/// </summary>
/// <remarks>
/// The presets are fairseq's configurations of the same names, with which the papers that compare with the Transformer trained it. Where fairseq's published
/// command lines share embeddings or set dropout, so do the presets. Vocabularies are left to the user.
/// </remarks>
public sealed class Transformer2017 : EncoderDecoderModel
{
    /// <summary>Declares the parameters of a model.</summary>
    /// <param name="config">The configuration; its architecture is <see cref="Architecture.Transformer"/>.</param>
    /// <exception cref="ArgumentException">The configuration has problems: one line for each.</exception>
    public Transformer2017(ModelConfig config)
        : base(
            config,
            Architecture.Transformer,
            i => new EncoderLayer(config.OfEncoder, Attention(config.OfEncoder, i, causal: false), LayerNames.Attention),
            i => DecoderLayer(config, i))
    {
    }

    /// <summary>The base model (Vaswani et al. 2017, table 3; fairseq transformer_wmt_en_de): 65M parameters with 37,000 joint types.</summary>
    public static ModelConfig Base { get; } = new()
    {
        Architecture = Architecture.Transformer,
        ModelWidth = 512,
        FeedForwardWidth = 2048,
        AttentionHeads = 8,
        EncoderLayers = 6,
        DecoderLayers = 6,
        Dropout = 0.1f,
        ShareEmbeddings = EmbeddingSharing.All,
    };

    /// <summary>
    /// The big model for English-German (Vaswani et al. 2017, table 3; fairseq transformer_vaswani_wmt_en_de_big): 213M parameters in the paper,
    /// 209.9M with 32,768 joint types.
    /// </summary>
    public static ModelConfig Big { get; } = Base with { ModelWidth = 1024, FeedForwardWidth = 4096, AttentionHeads = 16, Dropout = 0.3f };

    /// <summary>The big model for English-French: dropout 0.1 (fairseq transformer_vaswani_wmt_en_fr_big).</summary>
    public static ModelConfig WmtEnFrBig { get; } = Big with { Dropout = 0.1f };

    /// <summary>
    /// The big model with attention dropout (fairseq transformer_wmt_en_de_big): the self-attention baseline of Wu et al. 2019.
    /// </summary>
    public static ModelConfig WmtEnDeBig { get; } = Big with { AttentionDropout = 0.1f };

    /// <summary>The big model as tensor2tensor has it: pre-norm, dropout also after the ReLU (fairseq transformer_wmt_en_de_big_t2t).</summary>
    public static ModelConfig WmtEnDeBigT2T { get; } = WmtEnDeBig with { PreNorm = true, ActivationDropout = 0.1f };

    /// <summary>The small model for IWSLT14 German-English (fairseq transformer_iwslt_de_en with its published dropout 0.3).</summary>
    public static ModelConfig Iwslt { get; } = Base with
    {
        FeedForwardWidth = 1024,
        AttentionHeads = 4,
        Dropout = 0.3f,
        ShareEmbeddings = EmbeddingSharing.Decoder,
    };

    /// <summary>
    /// The language model of WikiText-103 (A. Baevski and M. Auli, "Adaptive input representations for neural language modeling", ICLR 2019; fairseq transformer_lm_wiki103), into whose
    /// feed-forward layers Geva et al. 2021 look: norms before the sub-layers and none behind the last, adaptive embeddings and softmax, tied. Its dropout of 0.2 within the softmax is left out: there is none here. 246.9M parameters with 267,744 words.
    /// </summary>
    public static ModelConfig WikiText103 { get; } = Big.AsLanguageModel() with
    {
        AttentionHeads = 8,
        DecoderLayers = 16,
        AttentionDropout = 0.1f,
        ActivationDropout = 0.1f,
        PreNorm = true,
        DecoderFinalNorm = false,
        ShareEmbeddings = EmbeddingSharing.None,
        AdaptiveInputCutoffs = [20_000, 60_000],
        AdaptiveSoftmaxCutoffs = [20_000, 60_000],
        TieAdaptiveWeights = true,
        TieAdaptiveProjections = true,
    };

    /// <summary>A layer of the decoder, also of a language model's.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="layer">Its index.</param>
    internal static DecoderLayer DecoderLayer(ModelConfig config, int layer) => new(config, Attention(config, layer, causal: true), LayerNames.Attention);

    private static SelfAttention Attention(ModelConfig config, int layer, bool causal)
        => new(config.ModelWidth, config.AttentionHeads, config.AttentionDropout, causal, config.AttentionWindow(layer));
}
