using System.Globalization;

namespace CudaSeq.Models;

/// <content>What a configuration must be.</content>
public sealed partial record ModelConfig
{
    /// <summary>Checks the configuration.</summary>
    /// <returns>One sentence for each problem, for example <c>attention_heads must divide model_width, got 7 and 512.</c>; empty if there is none.</returns>
    public IReadOnlyList<string> Validate()
    {
        var problems = new List<string>();
        problems.AddRange(ModelKeys.All.Select(k => k.Problem(this)).OfType<string>());
        if (HasLayers)
        {
            Layers(EncoderPath, EncoderLayers, "encoder_path");
            Layers(DecoderPath, DecoderLayers, "decoder_path");
        }

        if (!IsLanguageModel && SourceVocabulary is >= 0 and < 4)
            problems.Add($"source_vocabulary must be at least 4, got {SourceVocabulary}.");
        if (HasLayers && AttentionHeads >= 1 && ModelWidth >= 4 && ModelWidth % AttentionHeads != 0)
            problems.Add($"attention_heads must divide model_width, got {AttentionHeads} and {ModelWidth}.");
        if (ConvHeads >= 1 && ModelWidth >= 4 && ModelWidth % ConvHeads != 0)
            problems.Add($"conv_heads must divide model_width, got {ConvHeads} and {ModelWidth}.");
        if (HasLayers && EncoderWidth > 0)
            Encoder(problems);
        if (HasLayers)
        {
            if (!IsLanguageModel)
                Fusion(problems);
            Exits(problems);
            Steps(problems);
            if (!DecoderFinalNorm && !PreNorm)
                problems.Add("decoder_final_norm must be left out without pre_norm: there is none to leave away.");
            if (OutputLinear && ExitClassifiers != ExitClassifierKind.Shared)
                problems.Add("exit_classifiers must be shared with output_linear, which stands before the one projection.");
        }

        if (ShareEmbeddings == EmbeddingSharing.All && !IsLanguageModel && SourceVocabulary != TargetVocabulary)
            problems.Add($"share_embeddings \"all\" wants one vocabulary, got source_vocabulary {SourceVocabulary} and target_vocabulary {TargetVocabulary}.");
        string named = Architecture switch { Architecture.Transformer => "a transformer", Architecture.Cnn => "a cnn", _ => Architecture.ToString().ToLowerInvariant() };

        // Of a language model the encoder's are refused as such below.
        foreach (var key in ModelKeys.All.Where(k => !k.IsFor(this) && !k.IsDefault(this) && (!IsLanguageModel || !k.Use.HasFlag(ModelKeyUse.Encoder))))
            problems.Add($"{key.Name} has no meaning for {named}; leave it out.");
        if (!HasLayers && IsLanguageModel)
            problems.Add($"encoder_layers must be at least 1 for {named}, which makes no language model, got 0.");
        if (Architecture == Architecture.Lstm && DecoderLayers != EncoderLayers)
            problems.Add($"decoder_layers must be encoder_layers for {named}, whose decoder begins where the encoder ends, got {DecoderLayers} and {EncoderLayers}.");
        if (Architecture == Architecture.RnnSearch)
        {
            if (EncoderLayers > 1 || DecoderLayers != 1)
                problems.Add($"{(EncoderLayers > 1 ? "encoder_layers" : "decoder_layers")} must be 1 for {named}, got {(EncoderLayers > 1 ? EncoderLayers : DecoderLayers)}.");
            if (ShareEmbeddings != EmbeddingSharing.None)
                problems.Add($"share_embeddings must be none for {named}, got {ShareEmbeddings.ToString().ToLowerInvariant()}.");
        }

        if (Architecture == Architecture.ConvS2S)
        {
            Channels(EncoderChannels, EncoderLayers, "encoder");
            Channels(DecoderChannels, DecoderLayers, "decoder");
            if (ShareEmbeddings == EmbeddingSharing.All)
                problems.Add($"share_embeddings must be none or decoder for {named}, got all.");
            else if (ShareEmbeddings == EmbeddingSharing.Decoder && WidthOfOutput != ModelWidth)
                problems.Add($"share_embeddings \"decoder\" wants output_width to be model_width, got {WidthOfOutput} and {ModelWidth}.");
        }

        if ((Uses & (ModelKeyUse.Convolution | ModelKeyUse.ConvS2S)) != 0)
        {
            if (!IsLanguageModel)
                Widths(EncoderKernelWidths, EncoderLayers, "encoder");
            Widths(DecoderKernelWidths, DecoderLayers, "decoder");
        }

        if (Architecture == Architecture.Transformer && AttentionWindows.Count > 1 && (AttentionWindows.Count != DecoderLayers || (!IsLanguageModel && EncoderLayers != DecoderLayers)))
        {
            string layers = IsLanguageModel ? $"each of the {DecoderLayers} layers" : $"each layer of encoder and decoder, which have {EncoderLayers} and {DecoderLayers}";
            problems.Add($"attention_windows must name one window, or one for {layers}, got {AttentionWindows.Count}.");
        }

        if (IsLanguageModel)
        {
            foreach (var key in Given(ModelKeyUse.Encoder).Where(k => k.Name != "encoder_layers"))
                problems.Add($"{key.Name} has no meaning for a language model; leave it out.");
            if (HasLayers && !HasAttention && AttentionDropout != 0)
                problems.Add("attention_dropout has no meaning for a language model of convolutions; leave it out.");
            Adaptive(problems);
        }
        else
        {
            foreach (var key in Given(ModelKeyUse.LanguageModel))
                problems.Add($"{key.Name} has no meaning for a model that translates; leave it out.");
        }

        return problems;

        void Layers(IReadOnlyList<int> path, int layers, string key)
        {
            if (layers > 0 && path.Any(l => l > layers))
                problems.Add($"{key} must name layers from 1 to {layers}, got [{string.Join(", ", path)}].");
        }

        void Channels(IReadOnlyList<int> channels, int layers, string side)
        {
            if (channels.Count > 1 && channels.Count != layers)
                problems.Add($"{side}_channels must name one number, or one for each of the {layers} layers, got {channels.Count}.");
        }

        void Widths(IReadOnlyList<int> widths, int layers, string side)
        {
            if (widths.Count != 1 && widths.Count != layers)
                problems.Add($"{side}_kernel_widths must name one width, or one for each of the {layers} layers, got {widths.Count}.");
        }
    }

    private void Encoder(List<string> problems)
    {
        if (EncoderWidth < 4)
            problems.Add($"encoder_width must be 0 or at least 4, got {EncoderWidth}.");
        if (AttentionHeads >= 1 && EncoderWidth % AttentionHeads != 0)
            problems.Add($"attention_heads must divide encoder_width, got {AttentionHeads} and {EncoderWidth}.");
        if (ConvHeads >= 1 && EncoderWidth % ConvHeads != 0)
            problems.Add($"conv_heads must divide encoder_width, got {ConvHeads} and {EncoderWidth}.");
        if (ShareEmbeddings == EmbeddingSharing.All && EncoderWidth != ModelWidth)
            problems.Add($"share_embeddings \"all\" wants encoder_width to be model_width, got {EncoderWidth} and {ModelWidth}.");
    }

    private void Fusion(List<string> problems)
    {
        if (EncoderFusion == EncoderFusion.None && (FusionDropConnect != 0 || FusionWeightDropout != 0 || FusionDropout != 0))
            problems.Add($"{(FusionDropConnect != 0 ? "fusion_drop_connect" : FusionWeightDropout != 0 ? "fusion_weight_dropout" : "fusion_dropout")} needs an encoder_fusion, coarse or fine.");
        if (FusionDropConnect != 0 && FusionWeightDropout != 0)
            problems.Add(FormattableString.Invariant($"fusion_weight_dropout takes the place of fusion_drop_connect, one of them must be 0, got {FusionWeightDropout} and {FusionDropConnect}."));
        var defaults = new ModelConfig();
        foreach (var (key, value, usual, fusion) in new (string, object, object, SurfaceFusion?)[]
        {
            ("surface_gate", SurfaceGate, defaults.SurfaceGate, SurfaceFusion.Hard), ("surface_scale", SurfaceScale, defaults.SurfaceScale, SurfaceFusion.Soft),
            ("surface_attention_heads", SurfaceAttentionHeads, defaults.SurfaceAttentionHeads, null), ("surface_feed_forward", SurfaceFeedForward, defaults.SurfaceFeedForward, null),
            ("surface_layer", SurfaceLayer, defaults.SurfaceLayer, null), ("surface_linear", SurfaceLinear, defaults.SurfaceLinear, null),
        })
        {
            if (!value.Equals(usual) && (SurfaceFusion == SurfaceFusion.None || (fusion is not null && fusion != SurfaceFusion)))
                problems.Add($"{key} needs surface_fusion {(fusion is null ? "hard or soft" : fusion == SurfaceFusion.Hard ? "hard" : "soft")}.");
        }

        if (SurfaceAttentionHeads >= 1 && ModelWidth >= 4 && ModelWidth % SurfaceAttentionHeads != 0)
            problems.Add($"surface_attention_heads must divide model_width, got {SurfaceAttentionHeads} and {ModelWidth}.");
        if (SurfaceLayer > DecoderDepth)
            problems.Add($"surface_layer must be from 0 to the decoder's {DecoderDepth} layers, got {SurfaceLayer}.");
        if (SurfaceLayer > 0 && Halting != Halting.None)
            problems.Add($"surface_layer must be 0 with halting, whose states are means over all steps, got {SurfaceLayer}.");
    }

    private void Adaptive(List<string> problems)
    {
        foreach (var (key, cutoffs) in new[] { ("adaptive_input_cutoffs", AdaptiveInputCutoffs), ("adaptive_softmax_cutoffs", AdaptiveSoftmaxCutoffs) })
        {
            if (cutoffs.Zip(cutoffs.Skip(1)).Any(pair => pair.First >= pair.Second) || cutoffs.Any(c => c >= TargetVocabulary))
                problems.Add($"{key} must ascend and be below the {TargetVocabulary} tokens, got [{string.Join(", ", cutoffs)}].");
            else if (AdaptiveFactor >= 1 && new AdaptiveBands(cutoffs, TargetVocabulary, ModelWidth, AdaptiveFactor).Width(cutoffs.Count) < 1)
                problems.Add($"adaptive_factor must leave each of the {cutoffs.Count + 1} bands of {key} a channel, got {AdaptiveFactor} and model_width {ModelWidth}.");
        }

        bool adaptive = AdaptiveInputCutoffs.Count + AdaptiveSoftmaxCutoffs.Count > 0;
        if (adaptive && ShareEmbeddings != EmbeddingSharing.None)
            problems.Add("share_embeddings must be none with adaptive bands, which tie_adaptive_weights makes one.");
        if (!adaptive && AdaptiveFactor != new ModelConfig().AdaptiveFactor)
            problems.Add("adaptive_factor needs adaptive_input_cutoffs or adaptive_softmax_cutoffs.");
        if (TieAdaptiveWeights && (AdaptiveInputCutoffs.Count == 0 || !AdaptiveInputCutoffs.SequenceEqual(AdaptiveSoftmaxCutoffs)))
            problems.Add("tie_adaptive_weights needs adaptive_input_cutoffs and the same adaptive_softmax_cutoffs.");
        if (TieAdaptiveProjections && !TieAdaptiveWeights)
            problems.Add("tie_adaptive_projections needs tie_adaptive_weights.");
    }

    private void Exits(List<string> problems)
    {
        if (AdaptiveDepth != AdaptiveDepth.Aligned && (ExitWeights != ExitWeights.Uniform || ExitGradientScale != 0))
            problems.Add($"{(ExitGradientScale != 0 ? "exit_gradient_scale" : "exit_weights")} needs adaptive_depth aligned.");
        if (AdaptiveDepth != AdaptiveDepth.Mixed && MixedPaths != 1)
            problems.Add($"mixed_paths needs adaptive_depth mixed, got {MixedPaths}.");
        if (AdaptiveDepth != AdaptiveDepth.Aligned && ExitPredictor != ExitPredictor.None)
            problems.Add("exit_predictor needs adaptive_depth aligned.");
        if (ExitPredictor == ExitPredictor.None && (ExitOracle != ExitOracle.Likelihood || OracleSigma != 0 || OracleLambda != 0 || ExitLossWeight != 1))
            problems.Add($"{(ExitOracle != ExitOracle.Likelihood ? "exit_oracle" : OracleSigma != 0 ? "oracle_sigma" : OracleLambda != 0 ? "oracle_lambda" : "exit_loss_weight")} needs an exit_predictor.");
        if (ExitPredictor == ExitPredictor.Sequence && OracleSigma != 0)
            problems.Add("oracle_sigma needs exit_predictor multinomial or geometric.");
        if (ExitPredictor == ExitPredictor.Sequence && IsLanguageModel)
            problems.Add("exit_predictor sequence has no meaning for a language model, which has no source.");
        if (AdaptiveDepth != AdaptiveDepth.None && DecoderLayerDrop != 0)
            problems.Add(string.Create(CultureInfo.InvariantCulture, $"decoder_layer_drop must be 0 with an adaptive_depth, which has depths of its own, got {DecoderLayerDrop}."));
        if (ExitClassifiers != ExitClassifierKind.Shared)
            Classifiers(problems);
    }

    private void Classifiers(List<string> problems)
    {
        if (AdaptiveDepth == AdaptiveDepth.None)
            problems.Add("exit_classifiers separate needs adaptive_depth aligned or mixed.");
        if (ShareEmbeddings != EmbeddingSharing.None)
            problems.Add($"share_embeddings must be none with exit_classifiers separate, whose tables are their own, got {ShareEmbeddings.ToString().ToLowerInvariant()}.");
        if (AdaptiveSoftmaxCutoffs.Count > 0)
            problems.Add("adaptive_softmax_cutoffs must be empty with exit_classifiers separate, whose tables have no bands.");
        if (SurfaceFusion != SurfaceFusion.None)
            problems.Add($"surface_fusion must be none with exit_classifiers separate, it has one table for both streams, got {SurfaceFusion.ToString().ToLowerInvariant()}.");
    }

    private void Steps(List<string> problems)
    {
        var defaults = new ModelConfig();
        if (Halting == Halting.None)
        {
            if (HaltingEpsilon != defaults.HaltingEpsilon || HaltingLossWeight != defaults.HaltingLossWeight)
                problems.Add($"{(HaltingEpsilon != defaults.HaltingEpsilon ? "halting_epsilon" : "halting_loss_weight")} needs halting act.");
            return;
        }

        if (AdaptiveDepth != AdaptiveDepth.None)
            problems.Add("adaptive_depth must be none with halting act, which has depths of its own.");
        if (EncoderFusion != EncoderFusion.None)
            problems.Add("encoder_fusion must be none with halting act, which has no layers that all positions pass through.");
        if (EncoderLayerDrop != 0 || DecoderLayerDrop != 0)
            problems.Add($"{(EncoderLayerDrop != 0 ? "encoder_layer_drop" : "decoder_layer_drop")} must be 0 with halting act, which leaves out layers by itself.");
    }

    /// <summary>Keys of some use that do not have their defaults.</summary>
    private IEnumerable<ModelKey> Given(ModelKeyUse use) => ModelKeys.All.Where(k => k.Use.HasFlag(use) && !k.IsDefault(this));
}
