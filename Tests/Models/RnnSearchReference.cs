using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>Bahdanau, Cho and Bengio 2015, appendix A, word by word.</summary>
internal sealed class RnnSearchReference(ModelConfig config, IReadOnlyDictionary<string, double[]> parameters) : PlainReference(config, parameters)
{
    private int Width => Config.ModelWidth;

    public override double[][] States(int[] source)
    {
        double[][] x = [.. source.Select(w => Row("encoder.embed_tokens.weight", w, Config.EmbeddingWidth))], onward = new double[x.Length][], back = new double[x.Length][];
        for (int j = 0; j < x.Length; j++)
        {
            int last = x.Length - 1 - j;
            onward[j] = Gru("encoder.forward", x[j], j == 0 ? new double[Width] : onward[j - 1], null);
            back[last] = Gru("encoder.backward", x[last], j == 0 ? new double[Width] : back[last + 1], null);
        }

        return [.. onward.Zip(back, (f, b) => (double[])[.. f, .. b])];
    }

    public override double[][] Logits(int[] source, int[] previous)
    {
        var annotations = States(source);
        double[] s = [.. Linear("decoder.initial", annotations[0][Width..]).Select(Math.Tanh)];
        double[][] logits = new double[previous.Length][], paid = new double[previous.Length][];
        for (int i = 0; i < previous.Length; i++)
        {
            double[] y = Row("decoder.embed_tokens.weight", previous[i], Config.EmbeddingWidth), query = Linear("decoder.attention.query", s);
            double[] a = paid[i] = Softmax([.. annotations.Select(h => Linear("decoder.attention.value", [.. Sum(query, Linear("decoder.attention.key", h)).Select(Math.Tanh)])[0])]);
            double[] c = Sum([.. annotations.Zip(a, (h, p) => h.Select(v => p * v).ToArray())]);
            double[] t = Sum(Linear("decoder.maxout_state", s), Linear("decoder.maxout_embedding", y), Linear("decoder.maxout_context", c));
            logits[i] = Linear("decoder.output_projection", [.. t.Chunk(2).Select(p => Math.Max(p[0], p[1]))]);
            s = Gru("decoder.cell", y, s, c);
        }

        Attention.Clear();
        Attention.Add(paid);
        return logits;
    }

    private double[] Gru(string cell, double[] x, double[] h, double[]? context)
    {
        double[] input = Linear($"{cell}.input", x), gates = Linear($"{cell}.gates", h), next = new double[Width];
        if (context is not null)
            input = Sum(input, Linear($"{cell}.context", context));
        double[] z = [.. Enumerable.Range(0, Width).Select(k => Sigmoid(input[k] + gates[k]))], r = [.. Enumerable.Range(0, Width).Select(k => Sigmoid(input[Width + k] + gates[Width + k]))];
        double[] u = Linear($"{cell}.candidate", [.. r.Zip(h, (a, b) => a * b)]);
        for (int k = 0; k < Width; k++)
            next[k] = ((1 - z[k]) * h[k]) + (z[k] * Math.Tanh(input[(2 * Width) + k] + u[k]));
        return next;
    }
}
