using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>One feed-forward block of the reference's decoder at every position.</summary>
/// <param name="R">In front of the block.</param>
/// <param name="Z">The cells' activations before the ReLU.</param>
/// <param name="Y">What the block gives.</param>
/// <param name="O">What the layer gives.</param>
internal sealed record ReferenceBlock(double[][] R, double[][] Z, double[][] Y, double[][] O);

/// <content>Feed-forward blocks as memories, by their equations.</content>
internal sealed partial class ReferenceModel
{
    private bool HasNorm => parameters.ContainsKey("decoder.layer_norm.weight");

    private double[] Table => parameters[
        config.ShareEmbeddings == EmbeddingSharing.None ? "decoder.output_projection.weight"
        : config.ShareEmbeddings == EmbeddingSharing.All && !config.IsLanguageModel ? "encoder.embed_tokens.weight" : "decoder.embed_tokens.weight"];

    /// <summary>The blocks in the order of the path.</summary>
    public IReadOnlyList<ReferenceBlock> Blocks(int[] previous, ReferenceSource? encoded)
    {
        var x = Embed(encoded is not null && config.ShareEmbeddings == EmbeddingSharing.All ? "encoder.embed_tokens.weight" : "decoder.embed_tokens.weight", previous);
        var blocks = new List<ReferenceBlock>();
        foreach (int i in Path(config.DecoderPath, config.DecoderLayers))
        {
            string layer = $"decoder.layers.{i}.", norm = $"{layer}final_layer_norm";
            var r = Residual(layer + (_convolutional ? "conv_layer_norm" : "self_attn_layer_norm"), x, y => _convolutional
                ? ConvModule(layer, y, config.DecoderGlu, config.DecoderKernelWidths[i], causal: true)
                : Attention(layer + "self_attn.", y, y, causal: true));
            if (encoded is not null)
                r = Residual(layer + "encoder_attn_layer_norm", r, y => Attention(layer + "encoder_attn.", y, encoded.States, causal: false));
            var z = Linear($"{layer}fc1", config.PreNorm ? LayerNorm(norm, r) : r);
            var y = Linear($"{layer}fc2", [.. z.Select(row => row.Select(v => Math.Max(0, v)).ToArray())]);
            double[][] sum = [.. r.Zip(y, (a, b) => a.Zip(b, (u, v) => u + v).ToArray())];
            x = config.PreNorm ? sum : LayerNorm(norm, sum);
            blocks.Add(new ReferenceBlock(r, z, y, x));
        }

        return blocks;
    }

    /// <summary>Column <paramref name="cell"/> of fc2.</summary>
    public double[] Value(int place, int cell)
    {
        double[] weight = parameters[$"decoder.layers.{Path(config.DecoderPath, config.DecoderLayers).ElementAt(place)}.fc2.weight"];
        return [.. Enumerable.Range(0, _width).Select(c => weight[(c * config.FeedForwardWidth) + cell])];
    }

    /// <summary>Logits of a state of the stream: through the last layer norm where there is one. No text has tokens 0 and 1.</summary>
    public double[] StateLogits(double[] h) => OfText(Scores(HasNorm ? LayerNorm("decoder.layer_norm", [h])[0] : h));

    /// <summary>Logits of what is added to it: that norm with a deviation of 1 and without its shift.</summary>
    public double[] AddendLogits(double[] h)
    {
        double mean = h.Average();
        return OfText(Scores(HasNorm ? [.. h.Select((v, c) => (v - mean) * parameters["decoder.layer_norm.weight"][c])] : h));
    }

    // Of an adaptive softmax the log probabilities of all tokens, the classes' and their bands' together.
    private double[] Scores(double[] h) => config.AdaptiveSoftmaxCutoffs.Count > 0 ? AdaptiveLogProbabilities(h) : Multiply([h], Table, null)[0];

    private static double[] OfText(double[] logits) => [double.NegativeInfinity, double.NegativeInfinity, .. logits[2..]];
}
