using CudaSeq.Kernels;
using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed class ParameterLoadingTests
{
    [Theory, Devices]
    public void RoundTripsThroughItsOwnNames(string name)
    {
        using var device = TestDevices.Open(name);
        foreach (var config in TinyModels.All)
        {
            using var from = TinyModels.Create(config, device, seed: 1);
            using var to = TinyModels.Create(config, device, seed: 2);
            to.LoadParameters("model.safetensors", Own(from));
            Same(from, to);
        }
    }

    [Theory, Devices]
    public void ReadsFiles(string name)
    {
        using var device = TestDevices.Open(name);
        string path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():n}.safetensors");
        try
        {
            using var from = TinyModels.Create(TinyModels.Conv(Architecture.DynamicConv), device, seed: 1);
            using var to = TinyModels.Create(TinyModels.Conv(Architecture.DynamicConv), device, seed: 2);
            using var wider = TinyModels.Create(TinyModels.Conv(Architecture.DynamicConv) with { EncoderKernelWidths = [3, 7] }, device);
            using var moment = Tensor.Zeros(device, [3]);
            SafetensorsWriter.Write(path, [.. Own(from), KeyValuePair.Create("optimizer.first_moment.x", moment)], new Dictionary<string, string>());
            using var file = SafetensorsFile.Open(path);
            to.LoadParameters(file);
            Same(from, to);
            Assert.Equal(
                $"{Path.GetFileName(path)}: encoder.layers.1.conv.weight_linear.weight is [10, 8], the model wants [14, 8].",
                Assert.Throws<InvalidDataException>(() => wider.LoadParameters(file)).Message);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Theory, Devices]
    public void ReportsEveryProblemAtOnceAndChangesNothing(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        using var model = TinyModels.Create(TinyModels.Conv(Architecture.LightConv), device);
        float[] before = model.Parameters.First().ToArray();
        var tensors = Own(model);
        tensors["encoder.embed_tokens.weight"] = Tensor.Zeros(device, [11, 8]);
        tensors["decoder.layers.1.conv.weight"] = Tensor.Zeros(device, [2, 31]);
        tensors.Remove("encoder.layers.0.fc1.bias");
        tensors["decoder.layers.2.fc1.bias"] = Tensor.Zeros(device, [12]);
        var error = Assert.Throws<InvalidDataException>(() => model.LoadParameters("model.safetensors", tensors));
        Assert.Equal(
            """
            model.safetensors: encoder.layers.0.fc1.bias is missing, the model wants [12].
            model.safetensors: decoder.layers.1.conv.weight is [2, 31], the model wants [2, 4].
            model.safetensors: decoder.layers.2.fc1.bias [12] is no parameter of the model.
            """,
            error.Message);
        Assert.Equal(before, model.Parameters.First().ToArray());
    }

    [Fact]
    public void ReportsFiftyProblemsAndHowManyThereAreMore()
    {
        using var device = Device.Open("cpu");
        using var scope = TensorScope.Begin();
        using var model = TinyModels.Create(TinyModels.Transformer, device);
        string[] lines = Assert.Throws<InvalidDataException>(() => model.LoadParameters("model.safetensors", new Dictionary<string, Tensor>())).Message.Split('\n');
        int parameters = model.NamedParameters().Count();
        Assert.Equal(51, lines.Length);
        Assert.Equal("model.safetensors: encoder.embed_tokens.weight is missing, the model wants [11, 8].", lines[0]);
        Assert.Equal($"model.safetensors: {parameters - 50} more do not fit.", lines[50]);
    }

    /// <summary>
    /// What fairseq's checkpoints look like: filters [H, 1, K], the tables of a shared embedding stored once for each use, version counters, names that changed.
    /// </summary>
    [Theory, Devices]
    public void UnderstandsFairseqsLightConv(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        using var from = TinyModels.Create(TinyModels.Conv(Architecture.LightConv), device, seed: 1);
        using var to = TinyModels.Create(TinyModels.Conv(Architecture.LightConv), device, seed: 2);
        var tensors = Own(from);
        foreach (string key in tensors.Keys.ToArray())
        {
            var tensor = tensors[key];
            tensors.Remove(key);
            if (key.EndsWith(".conv.weight", StringComparison.Ordinal))
                tensor = tensor.Reshape([tensor.Shape[0], 1, tensor.Shape[1]]);
            tensors[key.Replace("layer_norms.0", "layer_norm1", StringComparison.Ordinal).Replace("layer_norms.1", "layer_norm2", StringComparison.Ordinal)] = tensor;
        }

        tensors["decoder.embed_tokens.weight"] = tensors["decoder.output_projection.weight"] = tensors["encoder.embed_tokens.weight"];
        tensors["encoder.version"] = tensors["decoder.version"] = Tensor.From(device, [2f]);
        tensors["encoder.embed_positions._float_tensor"] = Tensor.From(device, [0f]);
        to.LoadParameters("checkpoint.pt", tensors);
        Same(from, to);

        tensors["decoder.output_projection.weight"] = Tensor.Zeros(device, [11, 8]);
        var error = Assert.Throws<InvalidDataException>(() => to.LoadParameters("checkpoint.pt", tensors));
        Assert.Equal("checkpoint.pt: decoder.output_projection.weight differs from encoder.embed_tokens.weight, the model shares them.", error.Message);
    }

    /// <summary>Checkpoints of 2018: queries, keys and values in one matrix, numbered layer norms, <c>embed_out</c>.</summary>
    [Theory, Devices]
    public void UnderstandsFairseqsFirstTransformers(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var config = TinyModels.Transformer with { ShareEmbeddings = EmbeddingSharing.None };
        using var from = TinyModels.Create(config, device, seed: 1);
        using var to = TinyModels.Create(config, device, seed: 2);
        var tensors = new Dictionary<string, Tensor>();
        foreach (var (key, tensor) in from.NamedParameters())
        {
            if (key.Contains("k_proj", StringComparison.Ordinal) || key.Contains("v_proj", StringComparison.Ordinal))
                continue;
            if (key.Contains("q_proj.", StringComparison.Ordinal))
                tensors[key.Replace("q_proj.", "in_proj_", StringComparison.Ordinal)] = Fused(from, key, device);
            else
                tensors[Old(key)] = tensor;
        }

        to.LoadParameters("checkpoint.pt", tensors);
        Same(from, to);

        tensors["encoder.layers.0.self_attn.in_proj_bias"] = Tensor.Zeros(device, [8]);
        var error = Assert.Throws<InvalidDataException>(() => to.LoadParameters("checkpoint.pt", tensors));
        Assert.Equal("checkpoint.pt: encoder.layers.0.self_attn.in_proj_bias is [8], the model wants [24].", error.Message);

        static string Old(string key) => key.StartsWith("encoder", StringComparison.Ordinal)
            ? key.Replace("self_attn_layer_norm", "layer_norms.0", StringComparison.Ordinal).Replace("final_layer_norm", "layer_norms.1", StringComparison.Ordinal)
            : key.Replace("self_attn_layer_norm", "layer_norms.0", StringComparison.Ordinal)
                .Replace("encoder_attn_layer_norm", "layer_norms.1", StringComparison.Ordinal)
                .Replace("final_layer_norm", "layer_norms.2", StringComparison.Ordinal)
                .Replace("output_projection.weight", "embed_out", StringComparison.Ordinal);
    }

    private static Tensor Fused(Seq2SeqModel model, string query, Device device)
    {
        var parameters = Own(model);
        float[] values = [.. new[] { "q_proj", "k_proj", "v_proj" }.SelectMany(p => parameters[query.Replace("q_proj", p, StringComparison.Ordinal)].ToArray())];
        var shape = parameters[query].Shape;
        return Tensor.From(device, values, shape.With(0, 3 * shape[0]));
    }

    private static Dictionary<string, Tensor> Own(Seq2SeqModel model) => model.NamedParameters().ToDictionary(p => p.Name, p => p.Tensor);

    private static void Same(Seq2SeqModel a, Seq2SeqModel b)
        => Assert.All(a.NamedParameters().Zip(b.NamedParameters()), p => Assert.Equal(p.First.Tensor.ToArray(), p.Second.Tensor.ToArray()));
}
