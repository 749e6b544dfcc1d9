using CudaSeq.Kernels;
using static CudaSeq.Models.RecipeTypes;

namespace CudaSeq.Models;

/// <summary>The table of all keys of a <see cref="ModelConfig"/>, in the order of its JSON.</summary>
internal static class ModelKeys
{
    /// <summary>Every key.</summary>
    public static ModelKey[] All { get; } =
    [
        Key(
            RecipeKeys.ArchitectureKey,
            OneOf(
                ("transformer", Architecture.Transformer),
                ("lightconv", Architecture.LightConv),
                ("dynamicconv", Architecture.DynamicConv),
                ("cnn", Architecture.Cnn),
                ("lstm", Architecture.Lstm),
                ("rnnsearch", Architecture.RnnSearch),
                ("convs2s", Architecture.ConvS2S)),
            m => m.Architecture,
            (m, v) => m with { Architecture = v },
            "What the model is made of. Must be given unless `preset` is."),

        Count("model_width", 4, m => m.ModelWidth, (m, v) => m with { ModelWidth = v }, "Channels of every position."),
        Key("encoder_width", Whole(0, 1_000_000), m => m.EncoderWidth, (m, v) => m with { EncoderWidth = v }, "Channels of the encoder's positions where they are others than the decoder's; the decoder's keys and values of the source are projected from them. 0 for `model_width`.", ModelKeyUse.Encoder | ModelKeyUse.Layers),
        Count("feed_forward_width", 1, m => m.FeedForwardWidth, (m, v) => m with { FeedForwardWidth = v }, "Inner width of the feed-forward blocks.", ModelKeyUse.Layers),
        Count("attention_heads", 1, m => m.AttentionHeads, (m, v) => m with { AttentionHeads = v }, "Heads of every attention, and of every convolution without `conv_heads`; divides `model_width`.", ModelKeyUse.Layers),
        Key("attention_windows", Wholes(0, 1_000_000), m => m.AttentionWindows, (m, v) => m with { AttentionWindows = v }, "How many positions self-attention sees, one number for each layer of encoder and decoder or one for all: around its own in the encoder, the last ones in the decoder. 0 or empty for all positions. Only for a transformer.", ModelKeyUse.SelfAttention),
        Count("encoder_layers", 0, m => m.EncoderLayers, (m, v) => m with { EncoderLayers = v }, "Layers of the encoder; 0 for a language model, and for no other.", ModelKeyUse.Encoder),
        Count("decoder_layers", 1, m => m.DecoderLayers, (m, v) => m with { DecoderLayers = v }, "Layers of the decoder."),
        Path("encoder_path", m => m.EncoderPath, (m, v) => m with { EncoderPath = v }, "Layers of the encoder, from 1, in the order in which they are applied, for example [1, 1, 1] for one layer three times; empty for each once.", ModelKeyUse.Encoder | ModelKeyUse.Layers),
        Path("decoder_path", m => m.DecoderPath, (m, v) => m with { DecoderPath = v }, "The same for the decoder.", ModelKeyUse.Layers),
        Probability("encoder_layer_drop", m => m.EncoderLayerDrop, (m, v) => m with { EncoderLayerDrop = v }, "Probability with which a batch passes by a layer of the encoder (LayerDrop).", ModelKeyUse.Encoder | ModelKeyUse.Layers),
        Probability("decoder_layer_drop", m => m.DecoderLayerDrop, (m, v) => m with { DecoderLayerDrop = v }, "The same for the decoder.", ModelKeyUse.Layers),
        Widths("encoder_kernel_widths", m => m.EncoderKernelWidths, (m, v) => m with { EncoderKernelWidths = v }, "Filter widths of the encoder's convolutions: one for each layer, or one for all.", ModelKeyUse.Encoder | ModelKeyUse.Convolution | ModelKeyUse.ConvS2S),
        Widths("decoder_kernel_widths", m => m.DecoderKernelWidths, (m, v) => m with { DecoderKernelWidths = v }, "The same for the decoder.", ModelKeyUse.Convolution | ModelKeyUse.ConvS2S),
        Key("conv_heads", Whole(0, 1_000_000), m => m.ConvHeads, (m, v) => m with { ConvHeads = v }, "Filters of every convolution, shared by as many groups of channels; divides `model_width`, which gives each channel its own. 0 for `attention_heads`.", ModelKeyUse.Filters),
        Key(
            "conv_normalization",
            OneOf(
                ("softmax", TapNormalization.Softmax),
                ("none", TapNormalization.None),
                ("sigmoid", TapNormalization.Sigmoid),
                ("tanh", TapNormalization.Tanh),
                ("l1", TapNormalization.L1),
                ("l2", TapNormalization.L2),
                ("square", TapNormalization.Square),
                ("abs", TapNormalization.Abs),
                ("abs_l1", TapNormalization.AbsL1),
                ("abs_l2", TapNormalization.AbsL2)),
            m => m.ConvNormalization,
            (m, v) => m with { ConvNormalization = v },
            "What is done to a filter's taps before DropConnect and their use; norms are over its taps. Models with none, l1, square, abs and abs_l1 diverged in the paper.",
            ModelKeyUse.Filters),
        Switch("encoder_glu", m => m.EncoderGlu, (m, v) => m with { EncoderGlu = v }, "A gated linear unit before the encoder's convolutions.", ModelKeyUse.Encoder | ModelKeyUse.Filters),
        Switch("decoder_glu", m => m.DecoderGlu, (m, v) => m with { DecoderGlu = v }, "A gated linear unit before the decoder's convolutions.", ModelKeyUse.Filters),
        Probability("dropout", m => m.Dropout, (m, v) => m with { Dropout = v }, "Dropout after the embeddings and every sub-layer."),
        Probability("attention_dropout", m => m.AttentionDropout, (m, v) => m with { AttentionDropout = v }, "Dropout of attention weights.", ModelKeyUse.Layers),
        Probability("weight_dropout", m => m.WeightDropout, (m, v) => m with { WeightDropout = v }, "Dropout of normalised filter taps (DropConnect).", ModelKeyUse.Filters),
        Probability("input_dropout", m => m.InputDropout, (m, v) => m with { InputDropout = v }, "Dropout before the convolution modules.", ModelKeyUse.Convolution),
        Probability("activation_dropout", m => m.ActivationDropout, (m, v) => m with { ActivationDropout = v }, "Dropout after the ReLU of the feed-forward blocks.", ModelKeyUse.Layers),
        Switch("pre_norm", m => m.PreNorm, (m, v) => m with { PreNorm = v }, "Layer norms before the sub-layers, not after them.", ModelKeyUse.Layers),
        Switch("decoder_final_norm", m => m.DecoderFinalNorm, (m, v) => m with { DecoderFinalNorm = v }, "With `pre_norm`, a layer norm after the decoder's last layer. A language model of convolutions never has one.", ModelKeyUse.Layers),
        Key(
            "step_signal",
            OneOf(("none", StepSignal.None), ("sinusoid", StepSignal.Sinusoid), ("learned", StepSignal.Learned)),
            m => m.StepSignal,
            (m, v) => m with { StepSignal = v },
            "What tells the places of a path apart, added with the positions before every layer (Universal Transformer); with none positions are added once.",
            ModelKeyUse.Layers),
        Key(
            "halting",
            OneOf(("none", Halting.None), ("act", Halting.Act)),
            m => m.Halting,
            (m, v) => m with { Halting = v },
            "Whether each position decides after how many places of the path it halts (adaptive computation time).",
            ModelKeyUse.Layers),
        Key("halting_epsilon", Number(0, below: 1), m => m.HaltingEpsilon, (m, v) => m with { HaltingEpsilon = v }, "How much of the probability of halting may be missing then.", ModelKeyUse.Layers),
        Key("halting_loss_weight", Number(0), m => m.HaltingLossWeight, (m, v) => m with { HaltingLossWeight = v }, "What pondering costs: the weight of steps and remainder of every position in the loss.", ModelKeyUse.Layers),
        Key(
            "adaptive_depth",
            OneOf(("none", AdaptiveDepth.None), ("aligned", AdaptiveDepth.Aligned), ("mixed", AdaptiveDepth.Mixed)),
            m => m.AdaptiveDepth,
            (m, v) => m with { AdaptiveDepth = v },
            "Whether the decoder learns to be left at any depth: every layer predicts every token, or each position is left at a depth that is drawn for it.",
            ModelKeyUse.Layers),
        Key(
            "exit_weights",
            OneOf(
                ("uniform", ExitWeights.Uniform),
                ("proportional", ExitWeights.Proportional),
                ("sqrt", ExitWeights.SquareRoot),
                ("inverse_sqrt", ExitWeights.InverseSquareRoot),
                ("inverse", ExitWeights.Inverse)),
            m => m.ExitWeights,
            (m, v) => m with { ExitWeights = v },
            "What depth n counts in aligned training: 1, n, its square root, or one over these.",
            ModelKeyUse.Layers),
        Count("mixed_paths", 1, m => m.MixedPaths, (m, v) => m with { MixedPaths = v }, "Passes with depths of their own for each batch of mixed training.", ModelKeyUse.Layers),
        Key("exit_gradient_scale", Number(0), m => m.ExitGradientScale, (m, v) => m with { ExitGradientScale = v }, "gamma: depth n of N passes gamma (N - n) times its gradient; 0 for no scaling.", ModelKeyUse.Layers),
        Key(
            "exit_classifiers",
            OneOf(("shared", ExitClassifierKind.Shared), ("separate", ExitClassifierKind.Separate)),
            m => m.ExitClassifiers,
            (m, v) => m with { ExitClassifiers = v },
            "Whether all depths predict by one projection to the vocabulary, behind one last layer norm in pre-norm models, or each by its own.",
            ModelKeyUse.Layers),
        Key(
            "exit_predictor",
            OneOf(("none", ExitPredictor.None), ("sequence", ExitPredictor.Sequence), ("multinomial", ExitPredictor.Multinomial), ("geometric", ExitPredictor.Geometric)),
            m => m.ExitPredictor,
            (m, v) => m with { ExitPredictor = v },
            "What learns at which depth positions leave the decoder: one depth for an output, one for each position after the first layer, or after every layer whether to leave.",
            ModelKeyUse.Layers),
        Key(
            "exit_oracle",
            OneOf(("likelihood", ExitOracle.Likelihood), ("correctness", ExitOracle.Correctness)),
            m => m.ExitOracle,
            (m, v) => m with { ExitOracle = v },
            "By what the depths are chosen that it learns: the true token's log probability, or whether it is the likeliest.",
            ModelKeyUse.Layers),
        Key("oracle_sigma", Number(0), m => m.OracleSigma, (m, v) => m with { OracleSigma = v }, "Over how far neighbours are heard in that: exp(-distance squared / sigma); 0 for not at all.", ModelKeyUse.Layers),
        Key("oracle_lambda", Number(0), m => m.OracleLambda, (m, v) => m with { OracleLambda = v }, "What a layer costs in that.", ModelKeyUse.Layers),
        Key("exit_loss_weight", Number(0), m => m.ExitLossWeight, (m, v) => m with { ExitLossWeight = v }, "The weight of the predictor's loss.", ModelKeyUse.Layers),
        Key(
            "encoder_fusion",
            OneOf(("none", EncoderFusion.None), ("coarse", EncoderFusion.Coarse), ("fine", EncoderFusion.Fine)),
            m => m.EncoderFusion,
            (m, v) => m with { EncoderFusion = v },
            "What the decoder's layers see of the encoder's: the last; or a mean of the embeddings and all layers, with a weight for each, or for each and channel (EncoderFusion).",
            ModelKeyUse.Encoder | ModelKeyUse.Layers),
        Probability("fusion_drop_connect", m => m.FusionDropConnect, (m, v) => m with { FusionDropConnect = v }, "Dropout of the weights of that mean, before their softmax; the paper's is 0.3.", ModelKeyUse.Encoder | ModelKeyUse.Layers),
        Probability("fusion_weight_dropout", m => m.FusionWeightDropout, (m, v) => m with { FusionWeightDropout = v }, "Dropout of the weights of that mean, behind their softmax, in place of fusion_drop_connect.", ModelKeyUse.Encoder | ModelKeyUse.Layers),
        Probability("fusion_dropout", m => m.FusionDropout, (m, v) => m with { FusionDropout = v }, "Dropout of that mean.", ModelKeyUse.Encoder | ModelKeyUse.Layers),
        Key(
            "surface_fusion",
            OneOf(("none", SurfaceFusion.None), ("hard", SurfaceFusion.Hard), ("soft", SurfaceFusion.Soft)),
            m => m.SurfaceFusion,
            (m, v) => m with { SurfaceFusion = v },
            "Whether the source's embeddings come to the output past the encoder: as a distribution of their own, or within the logits (SurfaceFusion).",
            ModelKeyUse.Encoder | ModelKeyUse.Layers),
        Key("surface_gate", Number(0, 1), m => m.SurfaceGate, (m, v) => m with { SurfaceGate = v }, "The share of the decoder's own distribution in hard surface fusion; 0 to learn it for each position, which nothing keeps from leaving one of the two out.", ModelKeyUse.Encoder | ModelKeyUse.Layers),
        Key("surface_scale", Positive, m => m.SurfaceScale, (m, v) => m with { SurfaceScale = v }, "What the surface's logits are multiplied by in soft surface fusion.", ModelKeyUse.Encoder | ModelKeyUse.Layers),
        Count("surface_attention_heads", 1, m => m.SurfaceAttentionHeads, (m, v) => m with { SurfaceAttentionHeads = v }, "Heads of the attention to the surface; divides `model_width`.", ModelKeyUse.Encoder | ModelKeyUse.Layers),
        Count("surface_layer", 0, m => m.SurfaceLayer, (m, v) => m with { SurfaceLayer = v }, "The layer of the decoder's path whose states attend to the surface; 0 for the last.", ModelKeyUse.Encoder | ModelKeyUse.Layers),
        Switch("surface_linear", m => m.SurfaceLinear, (m, v) => m with { SurfaceLinear = v }, "A matrix for each of both streams before the projection that they share.", ModelKeyUse.Encoder | ModelKeyUse.Layers),
        Switch("surface_feed_forward", m => m.SurfaceFeedForward, (m, v) => m with { SurfaceFeedForward = v }, "A feed-forward block behind the decoder's and the surface's stream, one for both.", ModelKeyUse.Encoder | ModelKeyUse.Layers),
        Switch("reverse_source", m => m.ReverseSource, (m, v) => m with { ReverseSource = v }, "A recurrent encoder reads the source from its last word to its first.", ModelKeyUse.Encoder | ModelKeyUse.Lstm),
        Count("embedding_width", 0, m => m.EmbeddingWidth, (m, v) => m with { EmbeddingWidth = v }, "Channels of the embeddings of `rnnsearch`; 0 for `model_width`.", ModelKeyUse.RnnSearch),
        Count("alignment_width", 0, m => m.AlignmentWidth, (m, v) => m with { AlignmentWidth = v }, "Channels of its attention; 0 for `model_width`.", ModelKeyUse.RnnSearch),
        Count("output_width", 0, m => m.OutputWidth, (m, v) => m with { OutputWidth = v }, "Channels from which `rnnsearch` and `convs2s` predict words; 0 for `model_width`.", ModelKeyUse.RnnSearch | ModelKeyUse.ConvS2S),
        Channels("encoder_channels", m => m.EncoderChannels, (m, v) => m with { EncoderChannels = v }, "Channels of the encoder's blocks of `convs2s`: one number for each layer, or one for all; empty for `model_width`.", ModelKeyUse.Encoder | ModelKeyUse.ConvS2S),
        Channels("decoder_channels", m => m.DecoderChannels, (m, v) => m with { DecoderChannels = v }, "The same for the decoder.", ModelKeyUse.ConvS2S),
        Count("max_positions", 2, m => m.MaxPositions, (m, v) => m with { MaxPositions = v }, "The most tokens of a sentence of `convs2s`, whose positions are learned.", ModelKeyUse.ConvS2S),
        Key(
            "share_embeddings",
            OneOf(("none", EmbeddingSharing.None), ("decoder", EmbeddingSharing.Decoder), ("all", EmbeddingSharing.All)),
            m => m.ShareEmbeddings,
            (m, v) => m with { ShareEmbeddings = v },
            "Which token tables are one: target and output, or also the source's (needs `data.joint`)."),
        Switch("output_linear", m => m.OutputLinear, (m, v) => m with { OutputLinear = v }, "A linear layer of `model_width` to `model_width` channels before the projection to the vocabulary.", ModelKeyUse.Layers),
        Cutoffs("adaptive_input_cutoffs", m => m.AdaptiveInputCutoffs, (m, v) => m with { AdaptiveInputCutoffs = v }, "The tokens at which the second and each later band of the vocabulary begins, whose embeddings are narrower each time by `adaptive_factor` (adaptive input representations); empty for embeddings of one width. Only for a language model, as what follows."),
        Cutoffs("adaptive_softmax_cutoffs", m => m.AdaptiveSoftmaxCutoffs, (m, v) => m with { AdaptiveSoftmaxCutoffs = v }, "The same of the output: an adaptive softmax."),
        Key("adaptive_factor", Whole(1, 1_000_000), m => m.AdaptiveFactor, (m, v) => m with { AdaptiveFactor = v }, "By what each band is narrower than the one before it.", ModelKeyUse.LanguageModel),
        Switch("tie_adaptive_weights", m => m.TieAdaptiveWeights, (m, v) => m with { TieAdaptiveWeights = v }, "The adaptive softmax has the tables of the adaptive embeddings.", ModelKeyUse.LanguageModel),
        Switch("tie_adaptive_projections", m => m.TieAdaptiveProjections, (m, v) => m with { TieAdaptiveProjections = v }, "It also has their projections.", ModelKeyUse.LanguageModel),
        Key("source_vocabulary", Whole(0), m => m.SourceVocabulary, (m, v) => m with { SourceVocabulary = v }, "Source tokens.", ModelKeyUse.Encoder | ModelKeyUse.Vocabulary),
        Key("target_vocabulary", Whole(4), m => m.TargetVocabulary, (m, v) => m with { TargetVocabulary = v }, "Target tokens.", ModelKeyUse.Vocabulary),
    ];

    private static ModelKey<T> Key<T>(
        string name, RecipeType<T> type, Func<ModelConfig, T> get, Func<ModelConfig, T, ModelConfig> set, string explanation, ModelKeyUse use = ModelKeyUse.Any)
        => new(name, type, get, set, explanation, use);

    private static ModelKey<int> Count(
        string name, int least, Func<ModelConfig, int> get, Func<ModelConfig, int, ModelConfig> set, string explanation, ModelKeyUse use = ModelKeyUse.Any)
        => new(name, Whole(least, 1_000_000), get, set, explanation, use);

    private static ModelKey<bool> Switch(
        string name, Func<ModelConfig, bool> get, Func<ModelConfig, bool, ModelConfig> set, string explanation, ModelKeyUse use = ModelKeyUse.Any)
        => new(name, Flag, get, set, explanation, use);

    private static ModelKey<float> Probability(
        string name, Func<ModelConfig, float> get, Func<ModelConfig, float, ModelConfig> set, string explanation, ModelKeyUse use = ModelKeyUse.Any)
        => new(name, Number(0, below: 1), get, set, explanation, use);

    private static ModelKey<IReadOnlyList<int>> Widths(
        string name, Func<ModelConfig, IReadOnlyList<int>> get, Func<ModelConfig, IReadOnlyList<int>, ModelConfig> set, string explanation, ModelKeyUse use)
        => new(name, Wholes(1, ModelConfig.MaxKernelWidth), get, set, explanation, use);

    private static ModelKey<IReadOnlyList<int>> Cutoffs(
        string name, Func<ModelConfig, IReadOnlyList<int>> get, Func<ModelConfig, IReadOnlyList<int>, ModelConfig> set, string explanation)
        => new(name, Wholes(4, 1_000_000_000), get, set, explanation, ModelKeyUse.LanguageModel);
    private static ModelKey<IReadOnlyList<int>> Channels(
        string name, Func<ModelConfig, IReadOnlyList<int>> get, Func<ModelConfig, IReadOnlyList<int>, ModelConfig> set, string explanation, ModelKeyUse use)
        => new(name, Wholes(1, 1_000_000), get, set, explanation, use);

    private static ModelKey<IReadOnlyList<int>> Path(
        string name, Func<ModelConfig, IReadOnlyList<int>> get, Func<ModelConfig, IReadOnlyList<int>, ModelConfig> set, string explanation, ModelKeyUse use = ModelKeyUse.Any)
        => new(name, Wholes(1, 1000), get, set, explanation, use);
}
