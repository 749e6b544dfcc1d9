using System.Text.Json;

namespace CudaSeq.Models;

/// <content>The JSON form.</content>
public sealed partial record ModelConfig
{
    private static readonly Key[] AllKeys =
    [
        new("architecture", "one of \"transformer\", \"lightconv\", \"dynamicconv\"", (c, v) => c with { Architecture = Choice<Architecture>(v) }),
        Whole("model_width", (c, v) => c with { ModelWidth = v }),
        Whole("feed_forward_width", (c, v) => c with { FeedForwardWidth = v }),
        Whole("attention_heads", (c, v) => c with { AttentionHeads = v }),
        Whole("encoder_layers", (c, v) => c with { EncoderLayers = v }),
        Whole("decoder_layers", (c, v) => c with { DecoderLayers = v }),
        new("encoder_path", "a list of whole numbers", (c, v) => c with { EncoderPath = Numbers(v) }),
        new("decoder_path", "a list of whole numbers", (c, v) => c with { DecoderPath = Numbers(v) }),
        Real("encoder_layer_drop", (c, v) => c with { EncoderLayerDrop = v }),
        Real("decoder_layer_drop", (c, v) => c with { DecoderLayerDrop = v }),
        new("encoder_kernel_widths", "a list of whole numbers", (c, v) => c with { EncoderKernelWidths = Numbers(v) }),
        new("decoder_kernel_widths", "a list of whole numbers", (c, v) => c with { DecoderKernelWidths = Numbers(v) }),
        new("encoder_glu", "true or false", (c, v) => c with { EncoderGlu = v.GetBoolean() }),
        new("decoder_glu", "true or false", (c, v) => c with { DecoderGlu = v.GetBoolean() }),
        Real("dropout", (c, v) => c with { Dropout = v }),
        Real("attention_dropout", (c, v) => c with { AttentionDropout = v }),
        Real("weight_dropout", (c, v) => c with { WeightDropout = v }),
        Real("input_dropout", (c, v) => c with { InputDropout = v }),
        Real("activation_dropout", (c, v) => c with { ActivationDropout = v }),
        new("pre_norm", "true or false", (c, v) => c with { PreNorm = v.GetBoolean() }),
        new("adaptive_depth", "one of \"none\", \"aligned\", \"mixed\"", (c, v) => c with { AdaptiveDepth = Choice<AdaptiveDepth>(v) }),
        new("exit_weights", "one of \"uniform\", \"proportional\", \"sqrt\", \"inverse_sqrt\", \"inverse\"", (c, v) => c with { ExitWeights = Choice<ExitWeights>(v) }),
        Whole("mixed_paths", (c, v) => c with { MixedPaths = v }),
        Real("exit_gradient_scale", (c, v) => c with { ExitGradientScale = v }),
        new("exit_predictor", "one of \"none\", \"sequence\", \"multinomial\", \"geometric\"", (c, v) => c with { ExitPredictor = Choice<ExitPredictor>(v) }),
        new("exit_oracle", "one of \"likelihood\", \"correctness\"", (c, v) => c with { ExitOracle = Choice<ExitOracle>(v) }),
        Real("oracle_sigma", (c, v) => c with { OracleSigma = v }),
        Real("oracle_lambda", (c, v) => c with { OracleLambda = v }),
        Real("exit_loss_weight", (c, v) => c with { ExitLossWeight = v }),
        new("encoder_fusion", "one of \"none\", \"coarse\", \"fine\"", (c, v) => c with { EncoderFusion = Choice<EncoderFusion>(v) }),
        Real("fusion_drop_connect", (c, v) => c with { FusionDropConnect = v }),
        Real("fusion_dropout", (c, v) => c with { FusionDropout = v }),
        new("surface_fusion", "one of \"none\", \"hard\", \"soft\"", (c, v) => c with { SurfaceFusion = Choice<SurfaceFusion>(v) }),
        Real("surface_gate", (c, v) => c with { SurfaceGate = v }),
        Real("surface_scale", (c, v) => c with { SurfaceScale = v }),
        Whole("surface_attention_heads", (c, v) => c with { SurfaceAttentionHeads = v }),
        new("surface_feed_forward", "true or false", (c, v) => c with { SurfaceFeedForward = v.GetBoolean() }),
        new("share_embeddings", "one of \"none\", \"decoder\", \"all\"", (c, v) => c with { ShareEmbeddings = Choice<EmbeddingSharing>(v) }),
        Whole("source_vocabulary", (c, v) => c with { SourceVocabulary = v }),
        Whole("target_vocabulary", (c, v) => c with { TargetVocabulary = v }),
    ];

    private static readonly JsonSerializerOptions Format = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true };

    /// <summary>The JSON keys, in order.</summary>
    public static IReadOnlyList<string> Keys { get; } = [.. AllKeys.Select(k => k.Name)];

    /// <summary>
    /// Reads a JSON object over a configuration: what it does not name stays as in <paramref name="defaults"/>. Unknown keys and values of the wrong kind are
    /// reported together; whether the whole makes sense is <see cref="Validate"/>'s matter.
    /// </summary>
    /// <param name="json">An object whose keys are among <see cref="Keys"/>.</param>
    /// <param name="defaults">What unnamed keys mean: a preset, or a new configuration.</param>
    /// <param name="problems">Receives a sentence for each problem, for example <c>model_width must be a whole number, got "wide".</c></param>
    /// <returns>The configuration as far as it could be read.</returns>
    public static ModelConfig Read(JsonElement json, ModelConfig defaults, ICollection<string> problems)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            problems.Add($"a model must be a JSON object, got {json.GetRawText()}.");
            return defaults;
        }

        var config = defaults;
        foreach (var property in json.EnumerateObject())
        {
            if (Array.Find(AllKeys, k => k.Name == property.Name) is not { } key)
            {
                problems.Add($"{property.Name} is no key of a model; the keys are {string.Join(", ", Keys)}.");
                continue;
            }

            try
            {
                config = key.Set(config, property.Value);
            }
            catch (Exception e) when (e is InvalidOperationException or FormatException or JsonException)
            {
                problems.Add($"{key.Name} must be {key.Kind}, got {property.Value.GetRawText()}.");
            }
        }

        return config;
    }

    /// <summary>Reads a configuration that <see cref="ToJson"/> wrote, or a hand-written one; what it does not name has the value of a new configuration.</summary>
    /// <param name="json">A JSON object.</param>
    /// <param name="source">The file's name, for error messages.</param>
    /// <exception cref="InvalidDataException">
    /// Not JSON, unknown keys, wrong values, or a configuration that <see cref="Validate"/> refuses: one line for each problem.
    /// </exception>
    public static ModelConfig FromJson(string json, string source = "model.json")
    {
        var problems = new List<string>();
        ModelConfig config;
        try
        {
            using var document = JsonDocument.Parse(json);
            config = Read(document.RootElement, new ModelConfig(), problems);
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{source}: is not JSON: {e.Message}", e);
        }

        if (problems.Count == 0)
            problems.AddRange(config.Validate());
        if (problems.Count > 0)
            throw new InvalidDataException(string.Join('\n', problems.Select(p => $"{source}: {p}")));
        return config;
    }

    /// <summary>The configuration as indented JSON, every key named.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Format);

    private static Key Whole(string name, Func<ModelConfig, int, ModelConfig> set) => new(name, "a whole number", (c, v) => set(c, v.GetInt32()));

    private static Key Real(string name, Func<ModelConfig, float, ModelConfig> set) => new(name, "a number", (c, v) => set(c, v.GetSingle()));

    private static T Choice<T>(JsonElement value)
        where T : struct, Enum
        => value.ValueKind == JsonValueKind.String ? value.Deserialize<T>() : throw new FormatException();

    private static int[] Numbers(JsonElement value) => [.. value.EnumerateArray().Select(v => v.GetInt32())];

    private sealed record Key(string Name, string Kind, Func<ModelConfig, JsonElement, ModelConfig> Set);
}
