using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>What to export, and to where.</summary>
public sealed record FairseqExportOptions
{
    /// <summary>A run's folder, of which the best checkpoint is taken.</summary>
    public required string Model { get; init; }

    /// <summary>The safetensors file to write.</summary>
    public required string Output { get; init; }

    /// <summary>Where to write <c>dict.LANGUAGE.txt</c>; null for not at all.</summary>
    public string? Dictionaries { get; init; }

    /// <summary>A JSON file to write fairseq's arguments to; null for none. They are in the metadata as well, as "fairseq.args".</summary>
    public string? Config { get; init; }

    /// <summary>The source language.</summary>
    public string SourceLanguage { get; init; } = "source";

    /// <summary>The target language.</summary>
    public string TargetLanguage { get; init; } = "target";
}

/// <summary>
/// Writes a model with fairseq's names: what <c>load_state_dict</c> of its TransformerModel, LightConvModel or FConvModel takes, tables that are shared once for each use, filters as [H, 1, K],
/// version counters; and the arguments to build that model with.
/// </summary>
public static class FairseqExport
{
    private static readonly JsonSerializerOptions Format = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Exports a model.</summary>
    /// <param name="options">What and to where.</param>
    /// <param name="cancellation">Looked at before every tensor.</param>
    /// <returns>How many tensors were written.</returns>
    /// <exception cref="IOException">A file is missing or cannot be written.</exception>
    /// <exception cref="InvalidDataException">A file is damaged, or fairseq has no such model.</exception>
    public static int Write(FairseqExportOptions options, CancellationToken cancellation = default)
    {
        var run = new RunDirectory(options.Model);
        string path = run.BestOrLast;
        var config = Checkpoint.ReadHeader(path).Config;
        if (config.IsLanguageModel)
            throw new InvalidDataException($"{options.Model}: must hold a model that translates, it holds a language model.");
        if (config.Architecture is Architecture.Lstm or Architecture.RnnSearch)
            throw new InvalidDataException($"{options.Model}: must be a transformer, convs2s or of lightweight or dynamic convolutions to be exported, got {config.Architecture.ToString().ToLowerInvariant()}.");
        if (config.EncoderKernelWidths.Any(k => k % 2 == 0))
            throw new InvalidDataException($"{options.Model}: encoder_kernel_widths must be odd, fairseq centres no others, got [{string.Join(", ", config.EncoderKernelWidths)}].");
        CheckLanguages(options);
        string json = JsonSerializer.Serialize(Arguments(config, options.SourceLanguage, options.TargetLanguage), Format);
        CheckSaid(options.Model, config, json);
        var (source, target) = run.LoadCodecs();
        using var device = Device.Open("cpu");
        using var file = SafetensorsFile.Open(path);
        var tensors = new List<KeyValuePair<string, Tensor>>();
        try
        {
            foreach (string name in Checkpoint.ParameterNames(file))
            {
                cancellation.ThrowIfCancellationRequested();
                tensors.Add(new(FairseqNames.Present(name), Tensor.From(device, file.ReadFloats(name), PresentShape(name, file.ShapeOf(name)))));
            }

            tensors.AddRange(Copies(config, tensors.ToDictionary(t => t.Key, t => t.Value)));
            tensors.AddRange(Buffers(config, device));
            if (options.Dictionaries is { } folder)
            {
                Directory.CreateDirectory(folder);
                FairseqDictionary.Save(Path.Combine(folder, FairseqDictionary.NameOf(options.SourceLanguage)), source.Vocabulary);
                FairseqDictionary.Save(Path.Combine(folder, FairseqDictionary.NameOf(options.TargetLanguage)), target.Vocabulary);
            }

            if (options.Config is not null)
                TextFile.WriteWhole(options.Config, stream => stream.Write(Encoding.UTF8.GetBytes(json + "\n")));
            SafetensorsWriter.Write(options.Output, tensors, new Dictionary<string, string> { ["format"] = "pt", [FairseqFile.ArgumentsKey] = json });
            return tensors.Count;
        }
        finally
        {
            foreach (var tensor in tensors.Select(t => t.Value).Distinct())
                tensor.Dispose();
        }
    }

    /// <summary>fairseq's arguments of a model.</summary>
    internal static IReadOnlyDictionary<string, object?> Arguments(ModelConfig config, string sourceLanguage, string targetLanguage)
    {
        var shared = new Dictionary<string, object?>
        {
            ["task"] = "translation",
            ["source_lang"] = sourceLanguage,
            ["target_lang"] = targetLanguage,
            ["dropout"] = config.Dropout,
        };
        return new Dictionary<string, object?>([.. shared, .. config.Architecture == Architecture.ConvS2S ? FairseqConvS2S.Arguments(config) : OfLayers(config)]);
    }

    private static Dictionary<string, object?> OfLayers(ModelConfig config)
    {
        bool convolutional = config.Architecture != Architecture.Transformer;
        var arguments = new Dictionary<string, object?>
        {
            ["arch"] = convolutional ? "lightconv" : "transformer",
            ["attention_dropout"] = config.AttentionDropout,
            [convolutional ? "relu_dropout" : "activation_dropout"] = config.ActivationDropout,
            ["share_decoder_input_output_embed"] = config.ShareEmbeddings != EmbeddingSharing.None,
            ["share_all_embeddings"] = config.ShareEmbeddings == EmbeddingSharing.All,
            ["no_token_positional_embeddings"] = false,
            ["adaptive_softmax_cutoff"] = null,
        };
        Side("encoder", config.WidthOfEncoder, config.EncoderLayers, config.EncoderLayerDrop, config.EncoderKernelWidths, config.EncoderGlu);
        Side("decoder", config.ModelWidth, config.DecoderLayers, config.DecoderLayerDrop, config.DecoderKernelWidths, config.DecoderGlu);
        if (convolutional)
        {
            arguments["weight_softmax"] = config.ConvNormalization != TapNormalization.None;
            arguments["weight_dropout"] = config.WeightDropout;
            arguments["input_dropout"] = config.InputDropout;
        }
        else
        {
            arguments["activation_fn"] = "relu";
        }

        return arguments;

        void Side(string side, int width, int layers, float layerDrop, IReadOnlyList<int> widths, bool glu)
        {
            arguments[$"{side}_embed_dim"] = width;
            arguments[$"{side}_ffn_embed_dim"] = config.FeedForwardWidth;
            arguments[$"{side}_attention_heads"] = config.AttentionHeads;
            arguments[$"{side}_layers"] = layers;
            arguments[$"{side}_normalize_before"] = config.PreNorm;
            arguments[$"{side}_learned_pos"] = false;
            if (!convolutional)
            {
                arguments[$"{side}_layerdrop"] = layerDrop;
                if (side == "decoder" && !config.DecoderFinalNorm)
                    arguments["no_decoder_final_norm"] = true;
                return;
            }

            arguments[$"{side}_conv_dim"] = width;
            arguments[$"{side}_conv_type"] = config.Architecture == Architecture.LightConv ? "lightweight" : "dynamic";
            arguments[$"{side}_kernel_size_list"] = widths;
            arguments[$"{side}_glu"] = glu;
        }
    }

    // What the arguments do not say would be another model in silence.
    private static void CheckSaid(string model, ModelConfig config, string json)
    {
        var said = FairseqConfig.Read(new FairseqArguments().AddJson(json, model), model) with
        {
            SourceVocabulary = config.SourceVocabulary,
            TargetVocabulary = config.TargetVocabulary,
        };
        using var ours = JsonDocument.Parse((config.Architecture == Architecture.ConvS2S ? FairseqConvS2S.Spelled(config) : config).ToJson());
        using var theirs = JsonDocument.Parse(said.ToJson());
        string[] lost = [.. ours.RootElement.EnumerateObject().Where(p => p.Value.GetRawText() != theirs.RootElement.GetProperty(p.Name).GetRawText()).Select(p => p.Name)];
        if (lost.Length > 0)
            throw new InvalidDataException($"{model}: must be a model that fairseq has, whose arguments do not say {string.Join(", ", lost)}.");
    }

    private static void CheckLanguages(FairseqExportOptions options)
    {
        foreach (string language in (string[])[options.SourceLanguage, options.TargetLanguage])
        {
            if (!FairseqDictionary.IsLanguage(language))
                throw new InvalidDataException($"{FairseqDictionary.Languages}, got '{ForeignFile.Printable(language)}'.");
        }

        if (options.SourceLanguage == options.TargetLanguage)
            throw new InvalidDataException($"languages must differ, for the names of their dictionaries, got {options.SourceLanguage} for both.");
    }

    private static Shape PresentShape(string name, Shape shape)
        => name.EndsWith(".conv.weight", StringComparison.Ordinal) ? new Shape(shape[0], 1, shape[1]) : shape;

    // PyTorch stores a shared parameter under every name it has.
    private static IEnumerable<KeyValuePair<string, Tensor>> Copies(ModelConfig config, Dictionary<string, Tensor> tensors)
    {
        if (config.ShareEmbeddings == EmbeddingSharing.None)
            yield break;
        var table = tensors[config.ShareEmbeddings == EmbeddingSharing.All ? "encoder.embed_tokens.weight" : "decoder.embed_tokens.weight"];
        if (config.ShareEmbeddings == EmbeddingSharing.All)
            yield return new("decoder.embed_tokens.weight", table);
        yield return new(config.HasLayers ? "decoder.output_projection.weight" : "decoder.fc3.weight", table);
    }

    // The versions at which fairseq changes nothing of what it reads, what releases before 2023 want of sinusoids, and biases that are there and off.
    private static IEnumerable<KeyValuePair<string, Tensor>> Buffers(ModelConfig config, Device device)
    {
        if (config.Architecture == Architecture.ConvS2S)
        {
            yield return new("decoder.version", Tensor.From(device, [2f]));
            yield break;
        }

        foreach (string side in (string[])["encoder", "decoder"])
        {
            yield return new($"{side}.version", Tensor.From(device, [config.Architecture == Architecture.Transformer ? 3f : 2f]));
            yield return new($"{side}.embed_positions._float_tensor", Tensor.From(device, [0f]));
            int layers = config.Architecture != Architecture.DynamicConv ? 0 : side == "encoder" ? config.EncoderLayers : config.DecoderLayers, width = side == "encoder" ? config.WidthOfEncoder : config.ModelWidth;
            for (int layer = 0; layer < layers; layer++)
                yield return new($"{side}.layers.{layer}.conv.conv_bias", Tensor.From(device, new float[width], [1, 1, width]));
        }
    }
}
