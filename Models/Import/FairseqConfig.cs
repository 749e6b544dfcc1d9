using CudaSeq.Kernels;

namespace CudaSeq.Models;

/// <summary>
/// fairseq's arguments as a <see cref="ModelConfig"/>. Where an argument is missing it is what the architecture of that name has; what these models do not have is refused with a
/// line for each argument, as are inner widths, heads and places of the layer norms that differ between the two sides.
/// </summary>
internal static class FairseqConfig
{
    // fairseq's registered architectures. Where they leave the filters' dropout to that of the attention it is 0 here.
    private static readonly (string Name, ModelConfig Defaults)[] Architectures =
    [
        ("transformer", Transformer2017.Base),
        ("transformer_tiny", Transformer2017.Base with { ModelWidth = 64, FeedForwardWidth = 64, AttentionHeads = 2, EncoderLayers = 2, DecoderLayers = 2 }),
        ("transformer_align", Transformer2017.Base),
        ("transformer_iwslt_de_en", Transformer2017.Iwslt with { Dropout = 0.1f }),
        ("transformer_wmt_en_de", Transformer2017.Base),
        ("transformer_vaswani_wmt_en_de_big", Transformer2017.Big),
        ("transformer_vaswani_wmt_en_fr_big", Transformer2017.WmtEnFrBig),
        ("transformer_wmt_en_de_big", Transformer2017.WmtEnDeBig),
        ("transformer_wmt_en_de_big_align", Transformer2017.WmtEnDeBig),
        ("transformer_wmt_en_de_big_t2t", Transformer2017.WmtEnDeBigT2T),
        ("lightconv", LightConv2019.Base),
        ("lightconv_iwslt_de_en", LightConv2019.Iwslt with { Dropout = 0.1f }),
        ("lightconv_wmt_en_de", LightConv2019.Base),
        ("lightconv_wmt_en_de_big", LightConv2019.Big with { WeightDropout = 0 }),
        ("lightconv_wmt_en_fr_big", LightConv2019.WmtEnFrBig with { WeightDropout = 0 }),
        ("lightconv_wmt_zh_en_big", LightConv2019.WmtZhEnBig with { WeightDropout = 0 }),
        ("fconv", ConvS2S2017.WmtEnRo with { OutputWidth = 256 }),
        ("fconv_iwslt_de_en", ConvS2S2017.Iwslt),
        ("fconv_wmt_en_ro", ConvS2S2017.WmtEnRo),
        ("fconv_wmt_en_de", ConvS2S2017.WmtEnDe with { Dropout = 0.1f }),
        ("fconv_wmt_en_fr", ConvS2S2017.WmtEnFr),
    ];

    /// <summary>The name of the architecture; null where there is none.</summary>
    public static string? ArchitectureOf(FairseqArguments arguments) => arguments.Text("arch") ?? arguments.Text("_name");

    /// <summary>Reads the configuration, vocabularies left at 0.</summary>
    /// <param name="arguments">fairseq's.</param>
    /// <param name="source">The file's name, for error messages.</param>
    /// <exception cref="InvalidDataException">One line for each argument that is wrong or asks for what these models do not have.</exception>
    public static ModelConfig Read(FairseqArguments arguments, string source)
    {
        string? arch = ArchitectureOf(arguments);
        if (Array.Find(Architectures, a => a.Name == arch).Defaults is not { } defaults)
            throw new InvalidDataException($"{source}: {(arch is null && arguments.Problems.Count > 0 ? arguments.Problems[0] : Unknown(arch))}");
        if (arguments.Task is { } task && task != "translation")
            arguments.Report($"task must be translation, got {ForeignFile.Printable(task)}.");
        var config = defaults.Architecture switch
        {
            Architecture.Transformer => Transformer(arguments, defaults),
            Architecture.ConvS2S => FairseqConvS2S.Read(arguments, defaults),
            _ => Convolutional(arguments, defaults),
        };
        if (config.HasLayers)
            CheckCommon(arguments, config);
        return arguments.Problems.Count == 0
            ? config
            : throw new InvalidDataException(string.Join('\n', arguments.Problems.Select(p => $"{source}: {p}")));
    }

    private static string Unknown(string? arch) => arch switch
    {
        null => "must say its architecture (arch), got none.",
        _ when arch.StartsWith("transformer_lm", StringComparison.Ordinal) || arch.StartsWith("fconv_lm", StringComparison.Ordinal) || arch.StartsWith("lightconv_lm", StringComparison.Ordinal)
            => $"arch {Printable(arch)} is a language model; models that translate are imported.",
        _ => $"arch must be one of {string.Join(", ", Architectures.Select(a => a.Name))}, got {Printable(arch)}.",
    };

    private static string Printable(string arch) => ForeignFile.Printable(arch);

    private static ModelConfig Transformer(FairseqArguments arguments, ModelConfig defaults)
    {
        if (arguments.Text("activation_fn") is { } activation && activation != "relu")
            arguments.Report("activation_fn", "relu");
        Off("no_scale_embedding", "embeddings are multiplied by the root of the width");
        Off("layernorm_embedding", "there is no layer norm at the embeddings");
        Off("adaptive_input", "there are no adaptive embeddings");
        Off("no_cross_attention", "decoders attend to the source");
        Off("cross_self_attention", "decoders attend to source and target apart");
        Off("char_inputs", "source pieces are looked up whole");
        Off("merge_src_tgt_embed", "tables of both sides are one or are two");
        Off("scale_attn", "there is no layer norm behind the attention");
        Off("scale_heads", "heads have no gains");
        Off("scale_fc", "there is no layer norm within the feed-forward blocks");
        Off("scale_resids", "residuals have no gains");
        foreach (string name in (string[])["encoder_layers_to_keep", "decoder_layers_to_keep"])
        {
            if (arguments.Has(name))
                arguments.Report(name, "left out: all layers are imported");
        }

        if (arguments.Whole("base_layers", 0) != 0)
            arguments.Report("base_layers", "0");
        float activationDropout = arguments.Real("activation_dropout", defaults.ActivationDropout);
        return Common(arguments, defaults) with
        {
            ActivationDropout = activationDropout == 0 ? arguments.Real("relu_dropout", 0) : activationDropout,
            EncoderLayerDrop = arguments.Real("encoder_layerdrop", defaults.EncoderLayerDrop),
            DecoderLayerDrop = arguments.Real("decoder_layerdrop", defaults.DecoderLayerDrop),
        };

        void Off(string name, string reason)
        {
            if (arguments.Flag(name, false))
                arguments.Report(name, $"false ({reason})");
        }
    }

    private static ModelConfig Convolutional(FairseqArguments arguments, ModelConfig defaults)
    {
        var config = Common(arguments, defaults);
        foreach (string side in (string[])["encoder", "decoder"])
        {
            string name = $"{side}_conv_dim";
            int width = side == "encoder" ? config.WidthOfEncoder : config.ModelWidth;
            if (arguments.Whole(name, width) != width)
                arguments.Report(name, $"{side}_embed_dim, {width}");
        }

        string type = arguments.Text("encoder_conv_type") ?? "dynamic";
        if (type is not ("dynamic" or "lightweight"))
            arguments.Report("encoder_conv_type", "dynamic or lightweight");
        if ((arguments.Text("decoder_conv_type") ?? "dynamic") != type)
            arguments.Report("decoder_conv_type", $"encoder_conv_type, '{type}'");
        return config with
        {
            Architecture = type == "lightweight" ? Architecture.LightConv : Architecture.DynamicConv,
            EncoderKernelWidths = Widths("encoder", defaults.EncoderKernelWidths, config.EncoderLayers),
            DecoderKernelWidths = Widths("decoder", defaults.DecoderKernelWidths, config.DecoderLayers),
            ConvNormalization = arguments.Flag("weight_softmax", true) ? TapNormalization.Softmax : TapNormalization.None,
            EncoderGlu = arguments.Flag("encoder_glu", defaults.EncoderGlu),
            DecoderGlu = arguments.Flag("decoder_glu", defaults.DecoderGlu),
            WeightDropout = arguments.Real("weight_dropout", defaults.WeightDropout > 0 ? defaults.WeightDropout : config.AttentionDropout),
            InputDropout = arguments.Real("input_dropout", defaults.InputDropout),
            ActivationDropout = arguments.Real("relu_dropout", defaults.ActivationDropout),
        };

        IReadOnlyList<int> Widths(string side, IReadOnlyList<int> otherwise, int layers)
        {
            string name = $"{side}_kernel_size_list";
            var widths = arguments.Wholes(name, otherwise);
            if (widths.Count != 1 && widths.Count != layers)
                arguments.Report($"{name} must have one width, or one for each of the {layers} layers of {side}_layers, got {widths.Count}.");
            else if (side == "encoder" && widths.Any(k => k % 2 == 0))
                arguments.Report(name, "odd widths, for filters that are centred");
            return widths;
        }
    }

    private static ModelConfig Common(FairseqArguments arguments, ModelConfig defaults)
    {
        int encoderWidth = arguments.Whole("encoder_embed_dim", defaults.ModelWidth), width = arguments.Whole("decoder_embed_dim", encoderWidth), inner = Both("ffn_embed_dim", defaults.FeedForwardWidth), heads = arguments.Whole("encoder_attention_heads", defaults.AttentionHeads);
        if (arguments.Whole("decoder_attention_heads", defaults.AttentionHeads) is var decoderHeads && decoderHeads != heads)
            arguments.Report($"decoder_attention_heads must be encoder_attention_heads, {heads}, got {decoderHeads}.");
        bool preNorm = arguments.Flag("encoder_normalize_before", defaults.PreNorm);
        if (arguments.Flag("decoder_normalize_before", defaults.PreNorm) != preNorm)
            arguments.Report("decoder_normalize_before", $"encoder_normalize_before, {(preNorm ? "true" : "false")}");
        bool finalNorm = !preNorm || !arguments.Flag("no_decoder_final_norm", false);
        if (!finalNorm && defaults.Architecture != Architecture.Transformer)
            arguments.Report("no_decoder_final_norm", "false (a layer norm follows the last layer)");
        return defaults with
        {
            ModelWidth = width,
            EncoderWidth = encoderWidth == width ? 0 : encoderWidth,
            FeedForwardWidth = inner,
            AttentionHeads = heads,
            EncoderLayers = arguments.Whole("encoder_layers", defaults.EncoderLayers),
            DecoderLayers = arguments.Whole("decoder_layers", defaults.DecoderLayers),
            Dropout = arguments.Real("dropout", defaults.Dropout),
            AttentionDropout = arguments.Real("attention_dropout", defaults.AttentionDropout),
            PreNorm = preNorm,
            DecoderFinalNorm = finalNorm,
            ShareEmbeddings = arguments.Flag("share_all_embeddings", false) ? EmbeddingSharing.All
                : arguments.Flag("share_decoder_input_output_embed", false) ? EmbeddingSharing.Decoder
                : EmbeddingSharing.None,
        };

        int Both(string name, int otherwise)
        {
            int encoder = arguments.Whole($"encoder_{name}", otherwise), decoder = arguments.Whole($"decoder_{name}", encoder);
            if (encoder != decoder)
                arguments.Report($"decoder_{name} must be encoder_{name}, {encoder}, got {decoder}.");
            return encoder;
        }
    }

    private static void CheckCommon(FairseqArguments arguments, ModelConfig config)
    {
        foreach (string name in (string[])["encoder_learned_pos", "decoder_learned_pos", "no_token_positional_embeddings"])
        {
            if (arguments.Flag(name, false))
                arguments.Report(name, "false (positions are sinusoids)");
        }

        if (config.EncoderLayers == 0)
            arguments.Report("encoder_layers must be at least 1, got 0.");
        if (arguments.Has("adaptive_softmax_cutoff"))
            arguments.Report("adaptive_softmax_cutoff", "left out (there is no adaptive softmax)");
        foreach (string name in (string[])["decoder_input_dim", "decoder_output_dim"])
        {
            if (arguments.Whole(name, config.ModelWidth) != config.ModelWidth)
                arguments.Report(name, $"decoder_embed_dim, {config.ModelWidth}");
        }
    }
}
