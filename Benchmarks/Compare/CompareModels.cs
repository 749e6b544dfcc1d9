using System.Text.Json.Nodes;
using CudaSeq.Kernels;
using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Benchmarks;

/// <summary>The models that are compared as wholes, as rivals are told of them.</summary>
internal static class CompareModels
{
    /// <summary>The models of the papers, in both sizes.</summary>
    public static IReadOnlyList<string> Presets { get; } = ["small", "base"];

    /// <summary>A model with 16 pairs of 64 + 64 tokens and one table of 8,000 vectors for all embeddings; in smoke size, of a few of each.</summary>
    /// <param name="architecture">Transformer, LightConv or DynamicConv.</param>
    /// <param name="sizes">How large.</param>
    /// <param name="preset">
    /// base: the paper's, with as many layers in the encoder as in the decoder, 6 and 6, d 512, FFN 2048, 8 heads. small: the same with 3 and 3, d 256, FFN 1024, 4 heads. Dropout is
    /// base's in both.
    /// </param>
    public static ModelCase Case(Architecture architecture, Sizes sizes, string preset)
    {
        bool small = preset == "small", smoke = sizes == Sizes.Smoke;
        int layers = smoke ? 1 : small ? 3 : 6, vocabulary = smoke ? 50 : 8000;
        var config = SequenceModel.Presets(architecture)["base"] with
        {
            EncoderLayers = layers,
            DecoderLayers = layers,
            SourceVocabulary = vocabulary,
            TargetVocabulary = vocabulary,
            ShareEmbeddings = EmbeddingSharing.All,
        };
        if (small)
            config = config with { ModelWidth = 256, FeedForwardWidth = 1024, AttentionHeads = 4 };
        if (smoke)
            config = config with { ModelWidth = small ? 16 : 32, FeedForwardWidth = 48, AttentionHeads = 2 };
        if (architecture != Architecture.Transformer)
            config = config with { EncoderKernelWidths = [.. config.EncoderKernelWidths.Take(layers)], DecoderKernelWidths = [.. config.DecoderKernelWidths.Take(layers)] };
        return smoke ? new(preset, config, 2, 6) : new(preset, config, 16, 64);
    }

    /// <summary>The same model with so many layers a side; filters beyond the last keep its width.</summary>
    public static ModelConfig WithLayers(ModelConfig m, int layers)
    {
        return m with { EncoderLayers = layers, DecoderLayers = layers, EncoderKernelWidths = Widths(m.EncoderKernelWidths), DecoderKernelWidths = Widths(m.DecoderKernelWidths) };

        IReadOnlyList<int> Widths(IReadOnlyList<int> widths) => widths.Count == 0 ? [] : [.. Enumerable.Range(0, layers).Select(i => widths[Math.Min(i, widths.Count - 1)])];
    }

    /// <summary>What torch_models.py needs to know of a configuration. Its parameters are in a file.</summary>
    /// <exception cref="NotSupportedException">The configuration has what no rival was given.</exception>
    public static JsonObject Describe(ModelConfig m) => m is { PreNorm: false, ShareEmbeddings: EmbeddingSharing.All, ConvHeads: 0, ConvNormalization: TapNormalization.Softmax }
        ? new JsonObject
        {
            ["architecture"] = m.Architecture.ToString().ToLowerInvariant(),
            ["heads"] = m.AttentionHeads,
            ["encoder_layers"] = m.EncoderLayers,
            ["decoder_layers"] = m.DecoderLayers,
            ["encoder_kernels"] = new JsonArray([.. m.EncoderKernelWidths.Select(k => JsonValue.Create(k))]),
            ["decoder_kernels"] = new JsonArray([.. m.DecoderKernelWidths.Select(k => JsonValue.Create(k))]),
            ["encoder_glu"] = m.EncoderGlu,
            ["decoder_glu"] = m.DecoderGlu,
            ["dropout"] = m.Dropout,
            ["attention_dropout"] = m.AttentionDropout,
            ["activation_dropout"] = m.ActivationDropout,
            ["input_dropout"] = m.InputDropout,
            ["weight_dropout"] = m.WeightDropout,
        }
        : throw new NotSupportedException($"compare: rivals have post-norm models of shared embeddings and filters that a softmax normalises, got {m}.");

    /// <summary>Token ids for an order.</summary>
    public static JsonArray Ids(IEnumerable<int> ids) => new([.. ids.Select(i => JsonValue.Create(i))]);

    /// <summary>Writes the parameters where rivals read them, to a file that the caller deletes.</summary>
    public static string WriteWeights(Module model)
    {
        string path = Path.GetTempFileName();
        SafetensorsWriter.Write(path, model.NamedParameters().Select(p => KeyValuePair.Create(p.Name, p.Tensor)));
        return path;
    }
}
