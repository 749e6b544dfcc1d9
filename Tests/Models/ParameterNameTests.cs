using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>
/// Names and shapes as in fairseq's checkpoints (state dictionaries of its TransformerModel, and of its LightConvModel as released in 2019),
/// shared tables once, filters as [H, K]. Layers beyond the first differ only in their number.
/// </summary>
public sealed class ParameterNameTests
{
    private const string Attention = "k_proj.weight [8, 8]|k_proj.bias [8]|v_proj.weight [8, 8]|v_proj.bias [8]|q_proj.weight [8, 8]|q_proj.bias [8]|out_proj.weight [8, 8]|out_proj.bias [8]";
    private const string FeedForward = "fc1.weight [12, 8]|fc1.bias [12]|fc2.weight [8, 12]|fc2.bias [8]";
    private const string Norm = "weight [8]|bias [8]";

    [Fact]
    public void OfATransformer()
    {
        Same(
            TinyModels.Transformer with { ShareEmbeddings = EmbeddingSharing.None, TargetVocabulary = 13, PreNorm = true },
            [
                "encoder.embed_tokens.weight [11, 8]",
                .. Under("encoder.layers.0.self_attn", Attention),
                .. Under("encoder.layers.0.self_attn_layer_norm", Norm),
                .. Under("encoder.layers.0", FeedForward),
                .. Under("encoder.layers.0.final_layer_norm", Norm),
                .. Under("encoder.layer_norm", Norm),
                "decoder.embed_tokens.weight [13, 8]",
                .. Under("decoder.layers.0.self_attn", Attention),
                .. Under("decoder.layers.0.self_attn_layer_norm", Norm),
                .. Under("decoder.layers.0.encoder_attn", Attention),
                .. Under("decoder.layers.0.encoder_attn_layer_norm", Norm),
                .. Under("decoder.layers.0", FeedForward),
                .. Under("decoder.layers.0.final_layer_norm", Norm),
                .. Under("decoder.layer_norm", Norm),
                "decoder.output_projection.weight [13, 8]",
            ]);
    }

    [Fact]
    public void OfLightConv()
    {
        Same(
            TinyModels.Conv(Architecture.LightConv) with { EncoderGlu = true },
            [
                "encoder.embed_tokens.weight [11, 8]",
                .. Under("encoder.layers.0", "linear1.weight [16, 8]|linear1.bias [16]|conv.weight [2, 3]|linear2.weight [8, 8]|linear2.bias [8]"),
                .. Under("encoder.layers.0.layer_norms.0", Norm),
                .. Under("encoder.layers.0", FeedForward),
                .. Under("encoder.layers.0.layer_norms.1", Norm),
                .. Under("decoder.layers.0", "linear1.weight [8, 8]|linear1.bias [8]|conv.weight [2, 3]|linear2.weight [8, 8]|linear2.bias [8]"),
                .. Under("decoder.layers.0.conv_layer_norm", Norm),
                .. Under("decoder.layers.0.encoder_attn", Attention),
                .. Under("decoder.layers.0.encoder_attn_layer_norm", Norm),
                .. Under("decoder.layers.0", FeedForward),
                .. Under("decoder.layers.0.final_layer_norm", Norm),
            ]);
    }

    [Fact]
    public void OfDynamicConv()
    {
        Same(
            TinyModels.Conv(Architecture.DynamicConv) with { ShareEmbeddings = EmbeddingSharing.Decoder, DecoderGlu = true },
            [
                "encoder.embed_tokens.weight [11, 8]",
                .. Under("encoder.layers.0", "linear1.weight [8, 8]|linear1.bias [8]|conv.weight_linear.weight [6, 8]|linear2.weight [8, 8]|linear2.bias [8]"),
                .. Under("encoder.layers.0.layer_norms.0", Norm),
                .. Under("encoder.layers.0", FeedForward),
                .. Under("encoder.layers.0.layer_norms.1", Norm),
                "decoder.embed_tokens.weight [11, 8]",
                .. Under("decoder.layers.0", "linear1.weight [16, 8]|linear1.bias [16]|conv.weight_linear.weight [6, 8]|linear2.weight [8, 8]|linear2.bias [8]"),
                .. Under("decoder.layers.0.conv_layer_norm", Norm),
                .. Under("decoder.layers.0.encoder_attn", Attention),
                .. Under("decoder.layers.0.encoder_attn_layer_norm", Norm),
                .. Under("decoder.layers.0", FeedForward),
                .. Under("decoder.layers.0.final_layer_norm", Norm),
            ]);
    }

    private static IEnumerable<string> Under(string prefix, string members) => members.Split('|').Select(m => $"{prefix}.{m}");

    private static void Same(ModelConfig config, string[] expected)
    {
        using var one = SequenceModel.Declare(config with { EncoderLayers = 1, DecoderLayers = 1, EncoderKernelWidths = First(config.EncoderKernelWidths), DecoderKernelWidths = First(config.DecoderKernelWidths) });
        Assert.Equal(expected, one.ParameterShapes().Select(p => $"{p.Name} {p.Shape}"));
        using var two = SequenceModel.Declare(config);
        var second = two.ParameterShapes().Select(p => p.Name).Where(n => n.Contains(".layers.1.", StringComparison.Ordinal));
        Assert.Equal(expected.Where(n => n.Contains(".layers.0.", StringComparison.Ordinal)).Select(n => n[..n.IndexOf(' ', StringComparison.Ordinal)].Replace(".layers.0.", ".layers.1.", StringComparison.Ordinal)), second);

        static int[] First(IReadOnlyList<int> widths) => [.. widths.Take(1)];
    }
}
