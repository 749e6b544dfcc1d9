using CudaSeq.Kernels;
using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>Checkpoints as fairseq writes them, of models of ours.</summary>
internal static class FairseqStates
{
    /// <summary>The tiny models that fairseq has as well: each layer once, nothing of the encoder but its last layer, taps of a softmax or as they are.</summary>
    public static IEnumerable<ModelConfig> Models => TinyModels.All.Where(c => c is
    {
        EncoderPath.Count: 0, DecoderPath.Count: 0, StepSignal: StepSignal.None, EncoderFusion: EncoderFusion.None, SurfaceFusion: SurfaceFusion.None, Architecture: not Architecture.Cnn,
        AttentionWindows.Count: 0, OutputLinear: false, ConvHeads: 0, ConvNormalization: TapNormalization.Softmax or TapNormalization.None,
    });

    /// <summary>The arguments of fairseq that mean a configuration.</summary>
    public static List<(object? Key, object? Value)> Arguments(ModelConfig config)
    {
        if (config.Architecture == Architecture.ConvS2S)
            return OfConvS2S(config);
        bool convolutional = config.Architecture != Architecture.Transformer;
        var arguments = new List<(object?, object?)>
        {
            ("arch", convolutional ? "lightconv" : "transformer"),
            ("task", "translation"),
            ("source_lang", "de"),
            ("target_lang", "en"),
            ("dropout", (double)config.Dropout),
            ("attention_dropout", 0),
            ("relu_dropout", 0.0),
            ("encoder_embed_path", null),
            ("share_all_embeddings", config.ShareEmbeddings == EmbeddingSharing.All),
            ("share_decoder_input_output_embed", config.ShareEmbeddings != EmbeddingSharing.None),
            ("adaptive_softmax_cutoff", null),
            ("lr", Py.List(0.0005)),
        };
        foreach (string side in (string[])["encoder", "decoder"])
        {
            bool encoder = side == "encoder";
            arguments.AddRange(
            [
                ($"{side}_embed_dim", encoder ? config.WidthOfEncoder : config.ModelWidth), ($"{side}_ffn_embed_dim", config.FeedForwardWidth), ($"{side}_attention_heads", config.AttentionHeads),
                ($"{side}_layers", encoder ? config.EncoderLayers : config.DecoderLayers), ($"{side}_normalize_before", config.PreNorm), ($"{side}_learned_pos", false),
            ]);
            if (convolutional)
            {
                arguments.AddRange(
                [
                    ($"{side}_conv_type", config.Architecture == Architecture.LightConv ? "lightweight" : "dynamic"), ($"{side}_conv_dim", encoder ? config.WidthOfEncoder : config.ModelWidth),
                    ($"{side}_glu", encoder ? config.EncoderGlu : config.DecoderGlu),
                    ($"{side}_kernel_size_list", Py.List([.. (encoder ? config.EncoderKernelWidths : config.DecoderKernelWidths).Cast<object?>()])),
                ]);
            }
        }

        if (!convolutional)
            arguments.Add(("no_decoder_final_norm", !config.DecoderFinalNorm));
        if (convolutional)
            arguments.AddRange([("weight_softmax", config.ConvNormalization == TapNormalization.Softmax), ("weight_dropout", 0.0), ("input_dropout", 0.0)]);
        return arguments;
    }

    private static List<(object? Key, object? Value)> OfConvS2S(ModelConfig config) =>
    [
        ("arch", "fconv"), ("task", "translation"), ("source_lang", "de"), ("target_lang", "en"), ("dropout", (double)config.Dropout),
        ("encoder_embed_dim", config.ModelWidth), ("decoder_embed_dim", config.ModelWidth), ("decoder_out_embed_dim", config.WidthOfOutput), ("decoder_attention", "True"),
        ("encoder_layers", Sum(config.EncoderLayers, config.EncoderChannelsOf, config.EncoderKernelWidth)), ("decoder_layers", Sum(config.DecoderLayers, config.DecoderChannelsOf, config.DecoderKernelWidth)),
        ("max_source_positions", config.MaxPositions + 2), ("max_target_positions", config.MaxPositions + 2), ("share_input_output_embed", config.ShareEmbeddings == EmbeddingSharing.Decoder),
    ];

    private static string Sum(int layers, Func<int, int> channels, Func<int, int> taps)
        => string.Join(" + ", Enumerable.Range(0, layers).Select(i => $"[({channels(i)}, {taps(i)})]{(i % 2 == 0 ? "" : " * 1")}"));

    /// <summary>A model's state: names of 2019 or of the present, shared tables under every name, filters as [H, 1, K], what is no parameter.</summary>
    public static List<(string Name, string Key, int[] Sizes, float[] Values)> Of(Seq2SeqModel model, bool present)
    {
        var state = new List<(string Name, string Key, int[] Sizes, float[] Values)>();
        foreach (var (name, tensor) in model.NamedParameters())
        {
            int[] sizes = [.. tensor.Shape];
            string theirs = !present ? name : name.Replace("layer_norms.0", "layer_norm1", StringComparison.Ordinal).Replace("layer_norms.1", "layer_norm2", StringComparison.Ordinal);
            state.Add((theirs, $"{state.Count}", name.EndsWith(".conv.weight", StringComparison.Ordinal) ? [sizes[0], 1, sizes[1]] : sizes, tensor.ToArray()));
            if (present && name.EndsWith(".conv.weight_linear.weight", StringComparison.Ordinal))
                state.Add((name.Replace("weight_linear.weight", "conv_bias", StringComparison.Ordinal), $"{state.Count}", [1, 1, sizes[1]], new float[sizes[1]]));
        }

        if (model.Config.ShareEmbeddings == EmbeddingSharing.All)
            state.Add(state.Find(s => s.Name == "encoder.embed_tokens.weight") with { Name = "decoder.embed_tokens.weight" });
        if (model.Config.ShareEmbeddings != EmbeddingSharing.None)
            state.Add(state.Find(s => s.Name == "decoder.embed_tokens.weight") with { Name = model.Config.HasLayers ? "decoder.output_projection.weight" : "decoder.fc3.weight" });
        if (model.Config.Architecture == Architecture.ConvS2S)
        {
            state.Add(("decoder.version", $"{state.Count}", [1], [2]));
            return state;
        }

        foreach (string side in (string[])["encoder", "decoder"])
        {
            state.Add(($"{side}.version", $"{state.Count}", [1], [model.Config.Architecture == Architecture.Transformer ? 3 : 2]));
            if (!present)
                state.Add(($"{side}.embed_positions._float_tensor", $"{state.Count}", [1], [0]));
        }

        return state;
    }

    /// <summary>All that a checkpoint holds, and its storages.</summary>
    /// <param name="model">The model.</param>
    /// <param name="present">With <c>cfg</c> and the present names, or with <c>args</c> and those of 2019.</param>
    /// <param name="changed">Arguments that take the place of the model's.</param>
    public static (Py.Dict Root, Dictionary<string, byte[]> Storages) Checkpoint(Seq2SeqModel model, bool present, params (object? Key, object? Value)[] changed)
    {
        (object? Key, object? Value)[] arguments = [.. Arguments(model.Config).Where(a => !changed.Any(c => Equals(c.Key, a.Key))), .. changed];
        var state = Of(model, present);
        var parameters = Py.OrderedDictionary([.. state.Select(s => ((object?)s.Name, (object?)Tensor(s.Key, s.Sizes)))]);
        var history = Py.List(Py.Dictionary(("criterion_name", "x"), ("num_updates", 70_000), ("lr_scheduler_state", Py.Dictionary(("best", 3.25)))));
        var meter = new Py.Call(new Py.Global(present ? "fairseq.logging.meters" : "fairseq.meters", "AverageMeter"), [], State: Py.Dictionary(("avg", 3.5), ("count", 10)), New: true);
        var root = Py.Dictionary(
            ("args", present ? null : Py.Namespace(arguments)),
            ("cfg", present ? Py.Dictionary(("_name", null), ("model", Py.Namespace(arguments)), ("task", Py.Dictionary(("_name", "translation"), ("source_lang", "de"), ("target_lang", "en")))) : null),
            ("model", parameters),
            ("optimizer_history", history),
            ("extra_state", Py.Dictionary(("train_iterator", Py.Dictionary(("epoch", 12))), ("train_meters", Py.OrderedDictionary(("train_loss", meter))), (3, Py.Tuple(1, 2L << 40)))));
        return (root, state.DistinctBy(s => s.Key).ToDictionary(s => s.Key, s => TorchFiles.Floats(s.Values)));
    }

    /// <summary>A contiguous tensor of 32-bit floats.</summary>
    public static Py.Call Tensor(string key, params int[] sizes)
    {
        long count = 1;
        object?[] strides = new object?[sizes.Length];
        for (int axis = sizes.Length - 1; axis >= 0; axis--)
        {
            strides[axis] = count;
            count *= sizes[axis];
        }

        return TorchFiles.Tensor(key, "FloatStorage", count, 0, [.. sizes.Cast<object?>()], strides);
    }
}
