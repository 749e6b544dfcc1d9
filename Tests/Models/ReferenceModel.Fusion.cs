using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>What the reference's decoder sees of a source: the last layer, the embeddings and all layers, and the embeddings without positions.</summary>
internal sealed record ReferenceSource(double[][] States, IReadOnlyList<double[][]> Layers, double[][] Surface);

/// <content>Layer attention and surface fusion, by their equations.</content>
internal sealed partial class ReferenceModel
{
    private double[][] _query = [], _keys = [];

    /// <summary>Whose query and keys the surface attends with, for no gradient passes through them; null for this model's own.</summary>
    public ReferenceModel? Held { get; init; }

    private double[][][] Seen(ReferenceSource source)
    {
        int decoders = config.DecoderDepth, layers = source.Layers.Count;
        if (config.EncoderFusion == EncoderFusion.None)
            return [.. Enumerable.Repeat(source.States, decoders)];
        double[] logits = parameters["decoder.layer_attention.weight"];
        return [.. Enumerable.Range(0, decoders).Select(m =>
        {
            double[][] sum = [.. source.States.Select(_ => new double[source.States[0].Length])];
            for (int s = 0; s < sum.Length; s++)
            {
                for (int c = 0; c < sum[s].Length; c++)
                {
                    int row = config.EncoderFusion == EncoderFusion.Fine ? (m * sum[s].Length) + c : m;
                    double[] weights = [.. LogSoftmax(logits[(row * layers)..((row + 1) * layers)]).Select(Math.Exp)];
                    sum[s][c] = Enumerable.Range(0, layers).Sum(n => weights[n] * source.Layers[n][s][c]);
                }
            }

            return LayerNorm("decoder.layer_attention.layer_norm", sum);
        })];
    }

    private double[][] WithSurface(double[][] query, double[][] states, ReferenceSource source)
    {
        (_query, _keys) = (query, source.States);
        double[][] h = Of("state", Feed(states)), r = Of("surface", Feed(Attention("decoder.surface.attention.", Held?._query ?? query, Held?._keys ?? source.States, source.Surface, causal: false, config.SurfaceAttentionHeads)));
        return [.. h.Zip(r, (a, b) => config.SurfaceFusion == SurfaceFusion.Hard ? [.. a, .. b] : a.Zip(b, (u, v) => u + (config.SurfaceScale * v)).ToArray())];

        double[][] Of(string stream, double[][] z) => config.SurfaceLinear ? Multiply(z, parameters[$"decoder.surface.{stream}_linear.weight"], null) : z;

        double[][] Feed(double[][] z) => config.SurfaceFeedForward
            ? [.. z.Zip(FeedForward("decoder.surface.feed_forward.", z), (a, b) => a.Zip(b, (u, v) => u + v).ToArray())]
            : z;
    }

    private double[][] Projected(double[][] features, double[] table)
    {
        if (config.SurfaceFusion != SurfaceFusion.Hard)
            return Multiply(BeforeTable(features), table, null);
        return [.. features.Select(row =>
        {
            double[] own = LogSoftmax(Multiply(BeforeTable([row[.._width]]), table, null)[0]), surface = LogSoftmax(Multiply(BeforeTable([row[_width..]]), table, null)[0]);
            double gate = config.SurfaceGate > 0 ? config.SurfaceGate : 1 / (1 + Math.Exp(-row.Zip(parameters["decoder.head.gate.weight"], (a, b) => a * b).Sum()));
            return own.Zip(surface, (a, b) => (gate * a) + ((1 - gate) * b)).ToArray();
        })];
    }
}
