using System.Text.Json.Serialization;
using CudaSeq.Kernels;

namespace CudaSeq.Models;

/// <summary>What lets the positions of a model see each other.</summary>
public enum Architecture
{
    /// <summary>Self-attention: <see cref="Transformer2017"/>.</summary>
    Transformer,

    /// <summary>Lightweight convolutions: <see cref="LightConv2019"/>.</summary>
    LightConv,

    /// <summary>Dynamic convolutions: <see cref="DynamicConv2019"/>.</summary>
    DynamicConv,

    /// <summary>Ordinary convolutions over all channels: <see cref="Cnn2019"/>.</summary>
    Cnn,

    /// <summary>LSTM cells without attention: <see cref="LstmSeq2Seq2014"/>.</summary>
    Lstm,

    /// <summary>Gated recurrent units with attention: <see cref="RnnSearch2015"/>.</summary>
    RnnSearch,

    /// <summary>Convolutions of all channels with attention in every layer: <see cref="ConvS2S2017"/>.</summary>
    ConvS2S,
}

/// <summary>Which of the three token tables of a model are one and the same.</summary>
public enum EmbeddingSharing
{
    /// <summary>Source embeddings, target embeddings and output projection are three tables.</summary>
    None,

    /// <summary>Target embeddings and output projection are one table.</summary>
    Decoder,

    /// <summary>All are one table; source and target then share one vocabulary.</summary>
    All,
}

/// <summary>
/// Everything that determines a model's function and the shapes of its parameters. The papers' configurations are presets of
/// <see cref="Transformer2017"/>, <see cref="LightConv2019"/> and <see cref="DynamicConv2019"/>; change them with <c>with</c>. As JSON, the keys are the
/// properties' names in snake_case.
/// </summary>
/// <example>
/// <code>
/// var config = DynamicConv2019.Iwslt with { SourceVocabulary = 8848, TargetVocabulary = 6632 };
/// using var model = SequenceModel.Create(config, device, new RandomSource(seed: 1));
/// </code>
/// </example>
[JsonConverter(typeof(ModelConfigJson))]
public sealed partial record ModelConfig
{
    /// <summary>The widest filter the convolutions support.</summary>
    public const int MaxKernelWidth = 255;

    /// <summary>What lets positions see each other.</summary>
    public Architecture Architecture { get; init; }

    /// <summary>C, the channels of every position.</summary>
    public int ModelWidth { get; init; } = 512;

    /// <summary>C of the encoder where it is another than the decoder's, whose keys and values of the source are projected from it; 0 for <see cref="ModelWidth"/>.</summary>
    public int EncoderWidth { get; init; }

    /// <summary>The inner width of the feed-forward blocks.</summary>
    public int FeedForwardWidth { get; init; } = 2048;

    /// <summary>H, the heads of every attention and, unless <see cref="ConvHeads"/> says otherwise, of every convolution; divides C.</summary>
    public int AttentionHeads { get; init; } = 8;

    /// <summary>
    /// How many positions each layer's self-attention sees, or one number for all: in the encoder those around its own, in the decoder the last ones. 0 for all positions; empty: all
    /// layers see all.
    /// </summary>
    public IReadOnlyList<int> AttentionWindows { get; init; } = [];

    /// <summary>Encoder layers, each with parameters of its own; 0 for a language model, which has no encoder and no source.</summary>
    public int EncoderLayers { get; init; } = 6;

    /// <summary>Decoder layers, each with parameters of its own.</summary>
    public int DecoderLayers { get; init; } = 6;

    /// <summary>
    /// The encoder's layers, from 1, in the order in which they are applied: a layer may come several times, as in <see cref="RecurrentStacking2019"/>, or not at all, as when a model
    /// is pruned. Empty: each once.
    /// </summary>
    public IReadOnlyList<int> EncoderPath { get; init; } = [];

    /// <summary>The same for the decoder.</summary>
    public IReadOnlyList<int> DecoderPath { get; init; } = [];

    /// <summary>Probability with which a batch passes by an encoder layer while training (LayerDrop, Fan, Grave and Joulin, "Reducing transformer depth on demand with structured dropout", ICLR 2020).</summary>
    public float EncoderLayerDrop { get; init; }

    /// <summary>The same for the decoder.</summary>
    public float DecoderLayerDrop { get; init; }

    /// <summary>K of each encoder layer's convolution, or one number for all; empty for models without.</summary>
    public IReadOnlyList<int> EncoderKernelWidths { get; init; } = [];

    /// <summary>K of each decoder layer's convolution, or one number for all; empty for models without.</summary>
    public IReadOnlyList<int> DecoderKernelWidths { get; init; } = [];

    /// <summary>H of the convolutions, the filters of each; divides C, and with C each channel has its own. 0 for that of the attention.</summary>
    public int ConvHeads { get; init; }

    /// <summary>What is done to a filter's taps before they are applied.</summary>
    public TapNormalization ConvNormalization { get; init; }

    /// <summary>Whether a gated linear unit stands before the encoder's convolutions.</summary>
    public bool EncoderGlu { get; init; }

    /// <summary>Whether a gated linear unit stands before the decoder's convolutions.</summary>
    public bool DecoderGlu { get; init; }

    /// <summary>Probability of dropping an element of the embeddings' sum and of every sub-layer's output.</summary>
    public float Dropout { get; init; } = 0.1f;

    /// <summary>Probability of dropping an attention weight.</summary>
    public float AttentionDropout { get; init; }

    /// <summary>Probability of dropping a normalised filter tap (DropConnect).</summary>
    public float WeightDropout { get; init; }

    /// <summary>Probability of dropping an element of the input of a convolution module.</summary>
    public float InputDropout { get; init; }

    /// <summary>Probability of dropping an element inside the feed-forward blocks, after the ReLU.</summary>
    public float ActivationDropout { get; init; }

    /// <summary>
    /// Layer norms before the sub-layers and one more after the last layer, x + f(LN(x)); otherwise after them, LN(x + f(x)), as the papers have it. A convolutional language model
    /// has none after the last layer, as in fairseq.
    /// </summary>
    public bool PreNorm { get; init; }

    /// <summary>Whether the decoder of a pre-norm model has a layer norm after its last layer. fairseq's published language models have none (<c>no_decoder_final_norm</c>).</summary>
    public bool DecoderFinalNorm { get; init; } = true;

    /// <summary>What tells the places of a path apart, added with the positions at each of them (<see cref="UniversalTransformer2018"/>).</summary>
    public StepSignal StepSignal { get; init; }

    /// <summary>Whether each position decides for itself after how many places of the path it has been computed enough.</summary>
    public Halting Halting { get; init; }

    /// <summary>epsilon, how much of the probability of halting may be missing when a position halts.</summary>
    public float HaltingEpsilon { get; init; } = 0.01f;

    /// <summary>tau, what pondering costs.</summary>
    public float HaltingLossWeight { get; init; } = 0.01f;

    /// <summary>Whether the decoder learns to be left at any depth (<see cref="DepthAdaptive2020"/>).</summary>
    public AdaptiveDepth AdaptiveDepth { get; init; }

    /// <summary>What each depth counts in aligned training.</summary>
    public ExitWeights ExitWeights { get; init; }

    /// <summary>M, passes of mixed training for each batch.</summary>
    public int MixedPaths { get; init; } = 1;

    /// <summary>gamma of the scaling of gradients in aligned training; 0 for none.</summary>
    public float ExitGradientScale { get; init; }

    /// <summary>Whether all depths predict by one projection.</summary>
    public ExitClassifierKind ExitClassifiers { get; init; }

    /// <summary>What predicts at which depth positions leave the decoder.</summary>
    public ExitPredictor ExitPredictor { get; init; }

    /// <summary>By what the depths are chosen that it learns.</summary>
    public ExitOracle ExitOracle { get; init; }

    /// <summary>sigma, over how far neighbours are heard in that; 0 for not at all.</summary>
    public float OracleSigma { get; init; }

    /// <summary>lambda, what a layer costs in that.</summary>
    public float OracleLambda { get; init; }

    /// <summary>alpha, the weight of the predictor's loss.</summary>
    public float ExitLossWeight { get; init; } = 1;

    /// <summary>What the layers of the decoder see of the encoder's (<see cref="SurfaceFusion2021"/>).</summary>
    public EncoderFusion EncoderFusion { get; init; }

    /// <summary>Probability of dropping a logit of the layer attention of <see cref="EncoderFusion"/>.</summary>
    public float FusionDropConnect { get; init; }

    /// <summary>Probability of dropping a weight of the layer attention behind its softmax, which takes the place of <see cref="FusionDropConnect"/>; the others of a mean do not grow to sum to 1.</summary>
    public float FusionWeightDropout { get; init; }

    /// <summary>Probability of dropping an element of what the layers of the decoder then see.</summary>
    public float FusionDropout { get; init; }

    /// <summary>How the source's words come to the output past the encoder (<see cref="SurfaceFusion2021"/>).</summary>
    public SurfaceFusion SurfaceFusion { get; init; }

    /// <summary>g of hard fusion, the share of the decoder's own distribution; 0 to learn it for each position.</summary>
    public float SurfaceGate { get; init; } = 0.8f;

    /// <summary>tau of soft fusion, what the surface's logits are multiplied by.</summary>
    public float SurfaceScale { get; init; } = 1;

    /// <summary>Heads of the surface attention; divides C.</summary>
    public int SurfaceAttentionHeads { get; init; } = 1;

    /// <summary>The place of the decoder's path, from 1, after which states attend to the surface; 0 for the last. A position that leaves before attends with what it leaves with.</summary>
    public int SurfaceLayer { get; init; }

    /// <summary>Whether each of both streams passes a C by C matrix of its own before the projection they share, behind the feed-forward block.</summary>
    public bool SurfaceLinear { get; init; }

    /// <summary>Whether a feed-forward block, one for both, stands behind the decoder's and the surface's stream.</summary>
    public bool SurfaceFeedForward { get; init; } = true;

    /// <summary>Whether a recurrent encoder reads the source from its last word to its first.</summary>
    public bool ReverseSource { get; init; } = true;

    /// <summary>Channels of the embeddings of <see cref="RnnSearch2015"/>; 0 for C.</summary>
    public int EmbeddingWidth { get; init; }

    /// <summary>Channels of its alignment; 0 for C.</summary>
    public int AlignmentWidth { get; init; }

    /// <summary>Channels from which words are predicted by <see cref="RnnSearch2015"/> and <see cref="ConvS2S2017"/>; 0 for C.</summary>
    public int OutputWidth { get; init; }

    /// <summary>Channels of each encoder block of <see cref="ConvS2S2017"/>, or one number for all; empty for C.</summary>
    public IReadOnlyList<int> EncoderChannels { get; init; } = [];

    /// <summary>The same for the decoder.</summary>
    public IReadOnlyList<int> DecoderChannels { get; init; } = [];

    /// <summary>The most tokens of a sentence where positions are learned: fairseq's 1,024 rows are two more.</summary>
    public int MaxPositions { get; init; } = 1022;

    /// <summary>Which token tables are one.</summary>
    public EmbeddingSharing ShareEmbeddings { get; init; }

    /// <summary>Whether a linear layer, C to C without a bias, stands before the projection to the vocabulary (v1 of Xu et al. 2021, arXiv 2003.09586).</summary>
    public bool OutputLinear { get; init; }

    /// <summary>
    /// Where the second and each later band of the tokens begins whose embeddings are narrower than those of the band before (<see cref="AdaptiveEmbedding"/>); empty for embeddings of one
    /// width. Language models have it.
    /// </summary>
    public IReadOnlyList<int> AdaptiveInputCutoffs { get; init; } = [];

    /// <summary>The same of the softmax (<see cref="AdaptiveHead"/>).</summary>
    public IReadOnlyList<int> AdaptiveSoftmaxCutoffs { get; init; } = [];

    /// <summary>By what each band is narrower than the one before it.</summary>
    public int AdaptiveFactor { get; init; } = 4;

    /// <summary>Whether the adaptive softmax has the tables of the adaptive embeddings.</summary>
    public bool TieAdaptiveWeights { get; init; }

    /// <summary>Whether it also has their projections.</summary>
    public bool TieAdaptiveProjections { get; init; }

    /// <summary>Number of source tokens, the four special ones included. Presets and language models leave it at 0.</summary>
    public int SourceVocabulary { get; init; }

    /// <summary>Number of target tokens, the four special ones included. Presets leave it at 0.</summary>
    public int TargetVocabulary { get; init; }

    /// <summary>Whether the model has no encoder: it is a <see cref="LanguageModel"/> then.</summary>
    public bool IsLanguageModel => EncoderLayers == 0;

    /// <summary>The bands of the embeddings.</summary>
    internal AdaptiveBands InputBands => new(AdaptiveInputCutoffs, TargetVocabulary, ModelWidth, AdaptiveFactor);

    /// <summary>The bands of the softmax.</summary>
    internal AdaptiveBands SoftmaxBands => new(AdaptiveSoftmaxCutoffs, TargetVocabulary, ModelWidth, AdaptiveFactor);

    /// <summary>Whether the model is a stack of layers, of attention or convolutions within residual connections, with all that can be said of such.</summary>
    internal bool HasLayers => Uses.HasFlag(ModelKeyUse.Layers);

    /// <summary>Which of the uses of keys that not every architecture has this one has.</summary>
    internal ModelKeyUse Uses => Architecture switch
    {
        Architecture.Transformer => ModelKeyUse.Layers | ModelKeyUse.SelfAttention,
        Architecture.LightConv or Architecture.DynamicConv => ModelKeyUse.Layers | ModelKeyUse.Convolution | ModelKeyUse.Filters,
        Architecture.Cnn => ModelKeyUse.Layers | ModelKeyUse.Convolution,
        Architecture.Lstm => ModelKeyUse.Lstm,
        Architecture.RnnSearch => ModelKeyUse.RnnSearch,
        Architecture.ConvS2S => ModelKeyUse.ConvS2S,
        _ => ModelKeyUse.Any,
    };

    /// <summary>Whether the layers of a model of layers attend to something: those of convolutions attend to the source alone.</summary>
    internal bool HasAttention => Uses.HasFlag(ModelKeyUse.SelfAttention) || !IsLanguageModel;

    /// <summary>Whether a layer norm follows the last layer of the encoder: layer attention, which sees that layer too, has one of its own.</summary>
    internal bool HasEncoderNorm => PreNorm && EncoderFusion == EncoderFusion.None;

    /// <summary>Whether a layer norm follows the last layer of the decoder.</summary>
    internal bool HasDecoderNorm => PreNorm && DecoderFinalNorm && (!IsLanguageModel || Architecture == Architecture.Transformer);

    /// <summary>
    /// The language model that this model's decoder would be alone: without an encoder and all that is said of it. Embeddings of one table stay one.
    /// </summary>
    public ModelConfig AsLanguageModel()
    {
        var shared = ShareEmbeddings == EmbeddingSharing.None ? EmbeddingSharing.None : EmbeddingSharing.Decoder;
        var config = ModelKeys.All.Where(k => k.Use.HasFlag(ModelKeyUse.Encoder)).Aggregate(this, (c, k) => k.Reset(c)) with { EncoderLayers = 0, ShareEmbeddings = shared };
        return config.HasAttention ? config : config with { AttentionDropout = 0 };
    }

    /// <summary>How often an encoder layer is applied to a source, whichever it is: the depth of the encoder.</summary>
    public int EncoderDepth => EncoderPath.Count > 0 ? EncoderPath.Count : EncoderLayers;

    /// <summary>The same for the decoder.</summary>
    public int DecoderDepth => DecoderPath.Count > 0 ? DecoderPath.Count : DecoderLayers;

    /// <summary>Channels of one encoder block of <see cref="ConvS2S2017"/>.</summary>
    internal int EncoderChannelsOf(int layer) => EncoderChannels.Count == 0 ? ModelWidth : EncoderChannels[EncoderChannels.Count == 1 ? 0 : layer];

    /// <summary>The same for the decoder.</summary>
    internal int DecoderChannelsOf(int layer) => DecoderChannels.Count == 0 ? ModelWidth : DecoderChannels[DecoderChannels.Count == 1 ? 0 : layer];

    /// <summary>The most positions that the model can tell apart.</summary>
    internal int MostPositions => Architecture == Architecture.ConvS2S ? MaxPositions : int.MaxValue;

    /// <summary>Channels of the encoder.</summary>
    internal int WidthOfEncoder => EncoderWidth > 0 ? EncoderWidth : ModelWidth;

    /// <summary>The same configuration with the encoder's width for C, as the encoder and its layers take it.</summary>
    internal ModelConfig OfEncoder => WidthOfEncoder == ModelWidth ? this : this with { ModelWidth = WidthOfEncoder };

    /// <summary>Channels of embeddings where they may differ from C.</summary>
    internal int WidthOfEmbeddings => EmbeddingWidth > 0 ? EmbeddingWidth : ModelWidth;

    /// <summary>Channels of the alignment.</summary>
    internal int WidthOfAlignment => AlignmentWidth > 0 ? AlignmentWidth : ModelWidth;

    /// <summary>Channels from which words are predicted where they may differ from C.</summary>
    internal int WidthOfOutput => OutputWidth > 0 ? OutputWidth : ModelWidth;

    /// <summary>K of one encoder layer's convolution.</summary>
    /// <param name="layer">0 .. EncoderLayers - 1.</param>
    public int EncoderKernelWidth(int layer) => EncoderKernelWidths[EncoderKernelWidths.Count == 1 ? 0 : layer];

    /// <summary>K of one decoder layer's convolution.</summary>
    /// <param name="layer">0 .. DecoderLayers - 1.</param>
    public int DecoderKernelWidth(int layer) => DecoderKernelWidths[DecoderKernelWidths.Count == 1 ? 0 : layer];

    /// <summary>H of every convolution.</summary>
    public int ConvolutionHeads => ConvHeads > 0 ? ConvHeads : AttentionHeads;

    /// <summary>How many positions the self-attention of a layer sees; 0 for all.</summary>
    /// <param name="layer">Its index, in the encoder or the decoder.</param>
    public int AttentionWindow(int layer) => AttentionWindows.Count == 0 ? 0 : AttentionWindows[AttentionWindows.Count == 1 ? 0 : layer];

    /// <summary>Whether two configurations say the same.</summary>
    public bool Equals(ModelConfig? other) => other is not null && ToJson() == other.ToJson();

    /// <inheritdoc/>
    public override int GetHashCode() => ToJson().GetHashCode(StringComparison.Ordinal);
}
