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
        AtLeast(4, ModelWidth, "model_width");
        AtLeast(1, FeedForwardWidth, "feed_forward_width");
        AtLeast(1, AttentionHeads, "attention_heads");
        AtLeast(0, EncoderLayers, "encoder_layers");
        AtLeast(1, DecoderLayers, "decoder_layers");
        Layers(EncoderPath, EncoderLayers, "encoder_path");
        Layers(DecoderPath, DecoderLayers, "decoder_path");
        if (!IsLanguageModel)
            AtLeast(4, SourceVocabulary, "source_vocabulary");
        AtLeast(4, TargetVocabulary, "target_vocabulary");
        if (AttentionHeads >= 1 && ModelWidth >= 4 && ModelWidth % AttentionHeads != 0)
            problems.Add($"attention_heads must divide model_width, got {AttentionHeads} and {ModelWidth}.");
        Probability(Dropout, "dropout");
        Probability(AttentionDropout, "attention_dropout");
        Probability(WeightDropout, "weight_dropout");
        Probability(InputDropout, "input_dropout");
        Probability(ActivationDropout, "activation_dropout");
        Probability(EncoderLayerDrop, "encoder_layer_drop");
        Probability(DecoderLayerDrop, "decoder_layer_drop");
        Probability(FusionDropConnect, "fusion_drop_connect");
        Probability(FusionDropout, "fusion_dropout");
        Fusion(problems);
        Exits(problems);
        if (ShareEmbeddings == EmbeddingSharing.All && !IsLanguageModel && SourceVocabulary != TargetVocabulary)
            problems.Add($"share_embeddings \"all\" wants one vocabulary, got source_vocabulary {SourceVocabulary} and target_vocabulary {TargetVocabulary}.");
        if (Architecture == Architecture.Transformer)
        {
            NotForTransformers(EncoderKernelWidths.Count > 0 && !IsLanguageModel, "encoder_kernel_widths");
            NotForTransformers(DecoderKernelWidths.Count > 0, "decoder_kernel_widths");
            NotForTransformers(EncoderGlu && !IsLanguageModel, "encoder_glu");
            NotForTransformers(DecoderGlu, "decoder_glu");
            NotForTransformers(WeightDropout != 0, "weight_dropout");
            NotForTransformers(InputDropout != 0, "input_dropout");
        }
        else
        {
            if (!IsLanguageModel)
                Widths(EncoderKernelWidths, EncoderLayers, "encoder");
            Widths(DecoderKernelWidths, DecoderLayers, "decoder");
        }

        if (IsLanguageModel)
        {
            NotForLanguageModels(EncoderKernelWidths.Count > 0, "encoder_kernel_widths");
            NotForLanguageModels(EncoderGlu, "encoder_glu");
            NotForLanguageModels(EncoderFusion != EncoderFusion.None, "encoder_fusion");
            NotForLanguageModels(SurfaceFusion != SurfaceFusion.None, "surface_fusion");
            NotForLanguageModels(EncoderPath.Count > 0, "encoder_path");
            NotForLanguageModels(EncoderLayerDrop != 0, "encoder_layer_drop");
            NotForLanguageModels(SourceVocabulary != 0, "source_vocabulary");
        }

        return problems;

        void AtLeast(int least, int value, string key)
        {
            if (value < least)
                problems.Add($"{key} must be at least {least}, got {value}.");
        }

        void Layers(IReadOnlyList<int> path, int layers, string key)
        {
            if (layers > 0 && path.Any(l => l < 1 || l > layers))
                problems.Add($"{key} must name layers from 1 to {layers}, got [{string.Join(", ", path)}].");
        }

        void Probability(float value, string key)
        {
            if (!(value >= 0 && value < 1))
                problems.Add(string.Create(CultureInfo.InvariantCulture, $"{key} must be in [0, 1), got {value}."));
        }

        void NotForTransformers(bool given, string key)
        {
            if (given)
                problems.Add($"{key} has no meaning for a transformer; leave it out.");
        }

        void NotForLanguageModels(bool given, string key)
        {
            if (given)
                problems.Add($"{key} has no meaning for a language model; leave it out.");
        }

        void Widths(IReadOnlyList<int> widths, int layers, string side)
        {
            if (widths.Count != 1 && widths.Count != layers)
                problems.Add($"{side}_kernel_widths must name one width, or one for each of the {layers} layers, got {widths.Count}.");
            if (widths.Any(k => k is < 1 or > MaxKernelWidth))
                problems.Add($"{side}_kernel_widths must be in 1 .. {MaxKernelWidth}, got [{string.Join(", ", widths)}].");
        }
    }

    private void Fusion(List<string> problems)
    {
        if (EncoderFusion == EncoderFusion.None && (FusionDropConnect != 0 || FusionDropout != 0))
            problems.Add($"{(FusionDropConnect != 0 ? "fusion_drop_connect" : "fusion_dropout")} needs an encoder_fusion, coarse or fine.");
        if (EncoderFusion != EncoderFusion.None && (EncoderLayerDrop != 0 || DecoderLayerDrop != 0))
            problems.Add($"{(EncoderLayerDrop != 0 ? "encoder_layer_drop" : "decoder_layer_drop")} must be 0 with an encoder_fusion, which has a weight for each layer.");
        var defaults = new ModelConfig();
        foreach (var (key, value, usual, fusion) in new (string, object, object, SurfaceFusion?)[]
        {
            ("surface_gate", SurfaceGate, defaults.SurfaceGate, SurfaceFusion.Hard), ("surface_scale", SurfaceScale, defaults.SurfaceScale, SurfaceFusion.Soft),
            ("surface_attention_heads", SurfaceAttentionHeads, defaults.SurfaceAttentionHeads, null), ("surface_feed_forward", SurfaceFeedForward, defaults.SurfaceFeedForward, null),
        })
        {
            if (!value.Equals(usual) && (SurfaceFusion == SurfaceFusion.None || (fusion is not null && fusion != SurfaceFusion)))
                problems.Add($"{key} needs surface_fusion {(fusion is null ? "hard or soft" : fusion == SurfaceFusion.Hard ? "hard" : "soft")}.");
        }

        if (!(SurfaceGate >= 0 && SurfaceGate <= 1))
            problems.Add(string.Create(CultureInfo.InvariantCulture, $"surface_gate must be in [0, 1], got {SurfaceGate}."));
        if (!(SurfaceScale > 0 && float.IsFinite(SurfaceScale)))
            problems.Add(string.Create(CultureInfo.InvariantCulture, $"surface_scale must be a finite number above 0, got {SurfaceScale}."));
        if (SurfaceAttentionHeads < 1 || (ModelWidth >= 4 && ModelWidth % SurfaceAttentionHeads != 0))
            problems.Add($"surface_attention_heads must divide model_width, got {SurfaceAttentionHeads} and {ModelWidth}.");
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
        foreach (var (key, value) in new[] { ("oracle_sigma", OracleSigma), ("oracle_lambda", OracleLambda), ("exit_loss_weight", ExitLossWeight) })
        {
            if (!(value >= 0 && float.IsFinite(value)))
                problems.Add(string.Create(CultureInfo.InvariantCulture, $"{key} must be a finite number of at least 0, got {value}."));
        }

        if (MixedPaths < 1)
            problems.Add($"mixed_paths must be at least 1, got {MixedPaths}.");
        if (!(ExitGradientScale >= 0 && float.IsFinite(ExitGradientScale)))
            problems.Add(string.Create(CultureInfo.InvariantCulture, $"exit_gradient_scale must be a finite number of at least 0, got {ExitGradientScale}."));
        if (AdaptiveDepth != AdaptiveDepth.None && DecoderLayerDrop != 0)
            problems.Add(string.Create(CultureInfo.InvariantCulture, $"decoder_layer_drop must be 0 with an adaptive_depth, which has depths of its own, got {DecoderLayerDrop}."));
    }
}
