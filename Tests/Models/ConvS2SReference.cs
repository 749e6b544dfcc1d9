using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>Gehring et al. 2017 as fairseq's fconv has it, in loops.</summary>
internal sealed class ConvS2SReference(ModelConfig config, IReadOnlyDictionary<string, double[]> parameters) : PlainReference(config, parameters)
{
    private static readonly double Half = Math.Sqrt(0.5);

    // e with its mask: the blocks read it, and so do the values.
    private double[][] _embedded = [];

    /// <summary>Where a gradient is taken: z moves away from what it is there by 1 / (2 L) of its way, as the gradient that comes to it is scaled; null for a model as it is.</summary>
    public ConvS2SReference? Held { get; init; }

    /// <summary>What training multiplies by, so many numbers at a time, in the order of the equations; null for evaluation.</summary>
    public Func<int, double[]>? Masks { get; init; }

    public override double[][] States(int[] source)
    {
        _embedded = Dropped(Embed("encoder", source));
        double[][] x = [.. _embedded.Select(e => Normed("encoder.fc1", e))];
        for (int i = 0; i < Config.EncoderLayers; i++)
        {
            int taps = Config.EncoderKernelWidth(i);
            x = Joined("encoder", i, Convolved($"encoder.convolutions.{i}", Dropped(x), taps, (taps - 1) / 2), x);
        }

        return [.. x.Select(row => Normed("encoder.fc2", row))];
    }

    public override double[][] Logits(int[] source, int[] previous)
    {
        var z = States(source);
        if (Held?.States(source) is { } there)
            z = [.. z.Zip(there, (own, at) => Sum(at, Scaled(Sum(own, Scaled(at, -1)), 0.5 / Config.DecoderLayers)))];
        double[][] values = [.. z.Zip(_embedded, (a, e) => Scaled(Sum(a, e), Half))], embedded = Dropped(Embed("decoder", previous));
        double[][] x = [.. embedded.Select(e => Normed("decoder.fc1", e))];
        Attention.Clear();
        for (int i = 0; i < Config.DecoderLayers; i++)
        {
            int taps = Config.DecoderKernelWidth(i);
            string attention = $"decoder.attention.{i}.";
            double[][] h = Convolved($"decoder.convolutions.{i}", Dropped(x), taps, taps - 1), paid = new double[h.Length][];
            for (int t = 0; t < h.Length; t++)
            {
                double[] d = Scaled(Sum(Normed($"{attention}in_projection", h[t]), embedded[t]), Half);
                double[] a = paid[t] = Softmax([.. z.Select(row => row.Zip(d, (u, v) => u * v).Sum())]);
                double[] c = Scaled(Sum([.. values.Zip(a, Scaled)]), Math.Sqrt(z.Length));
                h[t] = Scaled(Sum(Normed($"{attention}out_projection", c), h[t]), Half);
            }

            Attention.Add(paid);
            x = Joined("decoder", i, h, x);
        }

        return [.. Dropped([.. x.Select(row => Normed("decoder.fc2", row))]).Select(features =>
        {
            return Config.ShareEmbeddings == EmbeddingSharing.None
                ? Normed("decoder.fc3", features)
                : Sum(Product(Parameter("decoder.embed_tokens.weight"), features), Parameter("decoder.fc3.bias"));
        })];
    }

    private static double[] Scaled(double[] x, double factor) => [.. x.Select(v => v * factor)];

    private double[][] Dropped(double[][] rows)
        => Masks is null ? rows : [.. rows.Zip(Masks(rows.Length * rows[0].Length).Chunk(rows[0].Length), (row, mask) => row.Zip(mask, (v, m) => v * m).ToArray())];

    private double[][] Embed(string side, int[] tokens)
        => [.. tokens.Select((w, t) => Sum(Row($"{side}.embed_tokens.weight", w, Config.ModelWidth), Row($"{side}.embed_positions.weight", t + 2, Config.ModelWidth)))];

    private double[][] Joined(string side, int layer, double[][] y, double[][] x)
        => [.. y.Zip(x, (a, b) => Scaled(Sum(a, a.Length == b.Length ? b : Normed($"{side}.projections.{layer}", b)), Half))];

    private double[] Normed(string name, double[] x)
    {
        double[] v = Parameter($"{name}.weight_v"), g = Parameter($"{name}.weight_g");
        return [.. Sum(Product([.. v.Chunk(x.Length).Zip(g, (row, length) => Scaled(row, length / Math.Sqrt(row.Sum(u => u * u)))).SelectMany(r => r)], x), Parameter($"{name}.bias"))];
    }

    // weight_v is [K, I, 2 O], and each of the 2 O has a length of its own.
    private double[][] Convolved(string name, double[][] x, int taps, int left)
    {
        double[] v = Parameter($"{name}.weight_v"), g = Parameter($"{name}.weight_g"), bias = Parameter($"{name}.bias");
        int outputs = g.Length, inputs = x[0].Length;
        double[] lengths = [.. Enumerable.Range(0, outputs).Select(o => Math.Sqrt(Enumerable.Range(0, taps * inputs).Sum(i => Math.Pow(v[(i * outputs) + o], 2))))];
        return [.. x.Select((_, t) =>
        {
            double[] y = [.. bias];
            for (int j = 0; j < taps; j++)
            {
                int from = t + j - left;
                if (from < 0 || from >= x.Length)
                    continue;
                for (int o = 0; o < outputs; o++)
                {
                    for (int i = 0; i < inputs; i++)
                        y[o] += v[(((j * inputs) + i) * outputs) + o] * g[o] / lengths[o] * x[from][i];
                }
            }

            return Enumerable.Range(0, outputs / 2).Select(o => y[o] * Sigmoid(y[(outputs / 2) + o])).ToArray();
        })];
    }
}
