using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>A model written down once more in float64, one sentence at a time.</summary>
internal interface IReference
{
    double[][] States(int[] source);

    double[][] Logits(int[] source, int[] previous);

    double Loss(int[] source, int[] target, double smoothing);

    double NegativeLogLikelihood(int[] source, int[] target);
}

/// <summary>Finds the reference of a configuration.</summary>
internal static class References
{
    /// <param name="config">The model.</param>
    /// <param name="parameters">Its parameters.</param>
    /// <param name="held">Those through which no gradient passes where a model says so; its own when null.</param>
    public static IReference Of(ModelConfig config, IReadOnlyDictionary<string, double[]> parameters, IReadOnlyDictionary<string, double[]>? held = null) => config.Architecture switch
    {
        Architecture.Lstm => new LstmReference(config, parameters),
        Architecture.RnnSearch => new RnnSearchReference(config, parameters),
        Architecture.ConvS2S => new ConvS2SReference(config, parameters) { Held = held is null ? null : new ConvS2SReference(config, held) },
        _ => new ReferenceModel(config, parameters) { Held = held is null ? null : new ReferenceModel(config, held) },
    };
}

/// <summary>What the references of models without layers have in common: products and losses.</summary>
internal abstract class PlainReference(ModelConfig config, IReadOnlyDictionary<string, double[]> parameters) : IReference
{
    protected ModelConfig Config => config;

    /// <summary>What each position paid to the source in the last call of <see cref="Logits"/>, [T][S] for each place that attends to it.</summary>
    public List<double[][]> Attention { get; } = [];

    public abstract double[][] States(int[] source);

    public abstract double[][] Logits(int[] source, int[] previous);

    public double NegativeLogLikelihood(int[] source, int[] target) => Loss(source, target, 0);

    /// <summary>The smoothed cross-entropy, smoothing / (V - 1) to each other token.</summary>
    public double Loss(int[] source, int[] target, double smoothing)
    {
        var logits = Logits(source, TinyModels.Shifted(target));
        double loss = 0;
        for (int t = 0; t < target.Length; t++)
        {
            double all = Math.Log(logits[t].Sum(Math.Exp));
            for (int v = 0; v < logits[t].Length; v++)
                loss -= (v == target[t] ? 1 - smoothing : smoothing / (logits[t].Length - 1)) * (logits[t][v] - all);
        }

        return loss;
    }

    protected static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));

    protected static double[] Softmax(double[] x)
    {
        double largest = x.Max(), sum = x.Sum(v => Math.Exp(v - largest));
        return [.. x.Select(v => Math.Exp(v - largest) / sum)];
    }

    protected static double[] Sum(params double[][] terms) => [.. Enumerable.Range(0, terms[0].Length).Select(i => terms.Sum(t => t[i]))];

    protected double[] Parameter(string name) => parameters[name];

    /// <summary>W x + b, with <c>.weight</c> [O, I] and, where there is one, <c>.bias</c>.</summary>
    protected double[] Linear(string name, double[] x)
    {
        double[] y = Product(parameters[$"{name}.weight"], x);
        return parameters.TryGetValue($"{name}.bias", out var bias) ? Sum(y, bias) : y;
    }

    /// <summary>Of [O, I] and [I].</summary>
    protected static double[] Product(double[] weight, double[] x)
    {
        var y = new double[weight.Length / x.Length];
        for (int o = 0; o < y.Length; o++)
        {
            for (int i = 0; i < x.Length; i++)
                y[o] += weight[(o * x.Length) + i] * x[i];
        }

        return y;
    }

    /// <summary>A row of a table of vectors.</summary>
    protected double[] Row(string table, int row, int width) => [.. parameters[table].Skip(row * width).Take(width)];
}
