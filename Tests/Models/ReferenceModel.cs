using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>
/// The models written down once more: one sentence at a time, no padding, nested loops over float64, from the papers' equations and fairseq's parameter names.
/// Shares nothing with the layers but the configuration.
/// </summary>
internal sealed partial class ReferenceModel(ModelConfig config, IReadOnlyDictionary<string, double[]> parameters) : IReference
{
    // C of the side that is computed.
    private int _width = config.ModelWidth;
    private readonly bool _convolutional = config.Architecture != Architecture.Transformer;

    /// <summary>Is told what each position weighs others with: attention or convolution by name, head, position, weights.</summary>
    public Action<string, int, int, double[]>? Weighs { get; set; }

    /// <summary>After which of the decoder's layers, from 1, each position's state stays what it is; null where all pass through all.</summary>
    public int[]? Depths { get; set; }

    /// <summary>The sum over the target of the smoothed cross-entropy, smoothing / (V - 1) to each other token.</summary>
    public double Loss(int[] source, int[] target, double smoothing)
    {
        Held?.Loss(source, target, smoothing);
        double loss = Loss(Logits(TinyModels.Shifted(target), Encode(source)), target, smoothing);
        return loss + (config.HaltingLossWeight * (_sourcePonder.Sum() + _ponder.Sum()));
    }

    /// <summary>The sum over the target of what its tokens are predicted with, and no more.</summary>
    public double NegativeLogLikelihood(int[] source, int[] target) => Loss(Logits(TinyModels.Shifted(target), Encode(source)), target, 0);

    /// <summary>The same of a language model, for tokens after those before them; a target of padding does not count.</summary>
    public double LanguageLoss(int[] previous, int[] target, double smoothing)
        => Loss(Logits(previous, encoded: null), target, smoothing) + (config.HaltingLossWeight * _ponder.Where((_, t) => target[t] != Vocabulary.Pad).Sum());

    /// <summary>The sum over its targets of what they are predicted with, and no more.</summary>
    public double LanguageNegativeLogLikelihood(int[] previous, int[] target) => Loss(Logits(previous, encoded: null), target, 0);

    private double Loss(double[][] logits, int[] target, double smoothing)
    {
        double loss = 0;
        for (int t = 0; t < target.Length; t++)
        {
            if (target[t] == Vocabulary.Pad)
                continue;
            double[] logProbabilities = config.SurfaceFusion == SurfaceFusion.Hard ? logits[t] : LogSoftmax(logits[t]);
            for (int v = 0; v < logProbabilities.Length; v++)
                loss -= (v == target[t] ? 1 - smoothing : smoothing / (logProbabilities.Length - 1)) * logProbabilities[v];
        }

        return loss;
    }

    public double[][] States(int[] source) => Encode(source).States;

    public double[][] Logits(int[] source, int[] previous) => Logits(previous, Encode(source));

    public ReferenceSource Encode(int[] source)
    {
        _width = config.EncoderWidth > 0 ? config.EncoderWidth : config.ModelWidth;
        var encoded = Encoded(source);
        _width = config.ModelWidth;
        return encoded;
    }

    private ReferenceSource Encoded(int[] source)
    {
        var x = Embed("encoder.embed_tokens.weight", source);
        var surface = Embed("encoder.embed_tokens.weight", source, positions: false);
        var layers = new List<double[][]> { config is { EncoderFusion: not EncoderFusion.None, PreNorm: false } ? LayerNorm("encoder.embedding_layer_norm", surface) : surface };
        var pondering = new Pondering(source.Length, _width);
        foreach (var (place, i) in Path(config.EncoderPath, config.EncoderLayers).Index())
        {
            string layer = $"encoder.layers.{i}.";
            var before = x;
            x = Residual(layer + (_convolutional ? "layer_norms.0" : "self_attn_layer_norm"), Signalled("encoder", x, place), y => _convolutional
                ? Convolved(layer, y, config.EncoderGlu, config.EncoderKernelWidths[i], causal: false)
                : Attention(layer + "self_attn.", y, y, y, causal: false, config.AttentionHeads, Window(i)));
            x = Residual(layer + (_convolutional ? "layer_norms.1" : "final_layer_norm"), x, y => FeedForward(layer, y));
            x = Advance(pondering, "encoder", before, x, last: place == config.EncoderDepth - 1);
            layers.Add(x);
        }

        (x, _sourcePonder) = config.Halting == Halting.Act ? (pondering.Mean, pondering.Cost) : (x, []);

        return new ReferenceSource(config.PreNorm && config.EncoderFusion == EncoderFusion.None ? LayerNorm("encoder.layer_norm", x) : x, layers, surface);
    }

    public double[][] Logits(int[] previous, ReferenceSource? encoded)
    {
        if (config.AdaptiveSoftmaxCutoffs.Count > 0)
            return [.. BeforeTable(Features(previous, encoded)).Select(AdaptiveLogProbabilities)];
        string output = config.ShareEmbeddings switch
        {
            EmbeddingSharing.All when encoded is not null => "encoder.embed_tokens.weight",
            EmbeddingSharing.None => "decoder.output_projection.weight",
            _ => "decoder.embed_tokens.weight",
        };
        return Projected(Features(previous, encoded), parameters[output]);
    }

    // What stands before a table, or before an adaptive softmax: a linear layer, if there is one.
    private double[][] BeforeTable(double[][] features) => config.OutputLinear ? Multiply(features, parameters["decoder.output_linear.weight"], null) : features;

    /// <param name="previous">What stands before each position.</param>
    /// <param name="encoded">The source; null for a language model, which looks at none. A convolutional one has no norm after its last layer.</param>
    public double[][] Features(int[] previous, ReferenceSource? encoded)
    {
        var x = Embed(encoded is not null && config.ShareEmbeddings == EmbeddingSharing.All ? "encoder.embed_tokens.weight" : "decoder.embed_tokens.weight", previous);
        var seen = encoded is null ? [] : Seen(encoded);
        var pondering = new Pondering(previous.Length, _width);
        double[][]? query = null;
        foreach (var (place, i) in Path(config.DecoderPath, config.DecoderLayers).Index())
        {
            string layer = $"decoder.layers.{i}.";
            var before = x;
            x = Residual(layer + (_convolutional ? "conv_layer_norm" : "self_attn_layer_norm"), Signalled("decoder", x, place), y => _convolutional
                ? Convolved(layer, y, config.DecoderGlu, config.DecoderKernelWidths[i], causal: true)
                : Attention(layer + "self_attn.", y, y, y, causal: true, config.AttentionHeads, Window(i)));
            if (encoded is not null)
            {
                var source = seen[place];
                x = Residual(layer + "encoder_attn_layer_norm", x, y => Attention(layer + "encoder_attn.", y, source, causal: false));
            }

            x = Residual(layer + "final_layer_norm", x, y => FeedForward(layer, y));
            x = Advance(pondering, "decoder", before, x, last: place == config.DecoderDepth - 1);
            if (Depths is not null)
                x = [.. x.Select((row, t) => Depths[t] > place ? row : before[t])];
            if (place + 1 == config.SurfaceLayer)
                query = x;
        }

        (x, _ponder) = config.Halting == Halting.Act ? (pondering.Mean, pondering.Cost) : (x, []);
        var states = config.PreNorm && config.DecoderFinalNorm && (encoded is not null || !_convolutional) ? LayerNorm("decoder.layer_norm", x) : x;
        return config.SurfaceFusion == SurfaceFusion.None ? states : WithSurface(query ?? x, states, encoded!);
    }

    private static IEnumerable<int> Path(IReadOnlyList<int> path, int layers) => path.Count > 0 ? path.Select(l => l - 1) : Enumerable.Range(0, layers);

    private static double[] LogSoftmax(double[] x)
    {
        double largest = x.Max(), sum = x.Sum(v => Math.Exp(v - largest));
        return [.. x.Select(v => v - largest - Math.Log(sum))];
    }

    private static double[][] Multiply(double[][] x, double[] weight, double[]? bias) => [.. x.Select(row =>
    {
        var y = new double[weight.Length / row.Length];
        for (int o = 0; o < y.Length; o++)
        {
            y[o] = bias?[o] ?? 0;
            for (int i = 0; i < row.Length; i++)
                y[o] += weight[(o * row.Length) + i] * row[i];
        }

        return y;
    })];

    private double[][] Embed(string table, int[] tokens, bool positions = true)
    {
        var x = new double[tokens.Length][];
        for (int t = 0; t < tokens.Length; t++)
        {
            x[t] = new double[_width];
            for (int c = 0; c < _width; c++)
                x[t][c] = (Math.Sqrt(_width) * Component(table, tokens[t], c)) + (positions && config.StepSignal == StepSignal.None ? Sinusoid(t + 2, c) : 0);
        }

        return x;
    }

    private double Component(string table, int token, int c)
        => table == "decoder.embed_tokens.weight" && config.AdaptiveInputCutoffs.Count > 0 ? AdaptiveVector(token)[c] : parameters[table][(token * _width) + c];

    private double[][] Residual(string norm, double[][] x, Func<double[][], double[][]> function)
    {
        var y = function(config.PreNorm ? LayerNorm(norm, x) : x);
        double[][] sum = [.. x.Zip(y, (a, b) => a.Zip(b, (u, v) => u + v).ToArray())];
        return config.PreNorm ? sum : LayerNorm(norm, sum);
    }

    private double[][] LayerNorm(string name, double[][] x) => [.. x.Select(row =>
    {
        double mean = row.Average(), variance = row.Average(v => (v - mean) * (v - mean));
        return row.Select((v, c) => (parameters[$"{name}.weight"][c] * (v - mean) / Math.Sqrt(variance + 1e-5)) + parameters[$"{name}.bias"][c]).ToArray();
    })];

    private double[][] Linear(string name, double[][] x) => Multiply(x, parameters[$"{name}.weight"], parameters.GetValueOrDefault($"{name}.bias"));

    private double[][] FeedForward(string layer, double[][] x)
        => Linear($"{layer}fc2", [.. Linear($"{layer}fc1", x).Select(row => row.Select(v => Math.Max(0, v)).ToArray())]);

    private double[][] Attention(string name, double[][] x, double[][] source, bool causal) => Attention(name, x, source, source, causal, config.AttentionHeads);

    private int Window(int layer) => config.AttentionWindows.Count == 0 ? 0 : config.AttentionWindows[Math.Min(layer, config.AttentionWindows.Count - 1)];

    // With a window, position t sees the last positions up to its own, or as many to the left as to the right, of an even number one more there.
    private double[][] Attention(string name, double[][] x, double[][] source, double[][] values, bool causal, int heads, int window = 0)
    {
        double[][] q = Linear($"{name}q_proj", x), k = Linear($"{name}k_proj", source), v = Linear($"{name}v_proj", values);
        int channels = _width / heads;
        double[][] y = [.. x.Select(_ => new double[_width])];
        for (int t = 0; t < x.Length; t++)
        {
            for (int first = 0; first < _width; first += channels)
            {
                int end = causal ? t + 1 : window == 0 ? source.Length : Math.Min(source.Length, t + (window / 2) + 1);
                int start = window == 0 ? 0 : Math.Max(0, t - (causal ? window - 1 : (window - 1) / 2));
                var scores = new double[end - start];
                for (int s = start; s < end; s++)
                    scores[s - start] = Enumerable.Range(first, channels).Sum(c => q[t][c] * k[s][c]) / Math.Sqrt(channels);
                double[] probabilities = [.. LogSoftmax(scores).Select(Math.Exp)];
                Weighs?.Invoke(name, first / channels, t, [.. new double[start], .. probabilities]);
                for (int c = first; c < first + channels; c++)
                    y[t][c] = Enumerable.Range(start, end - start).Sum(s => probabilities[s - start] * v[s][c]);
            }
        }

        return Linear($"{name}out_proj", y);
    }

    private double[][] Convolved(string layer, double[][] x, bool glu, int taps, bool causal)
        => config.Architecture == Architecture.Cnn ? FullConvolution(layer, x, taps, causal) : ConvModule(layer, x, glu, taps, causal);

    // Every output channel sees all input channels: the weight is [C, K, C].
    private double[][] FullConvolution(string layer, double[][] x, int taps, bool causal)
    {
        double[] weight = parameters[$"{layer}conv.weight"];
        int padding = causal ? taps - 1 : (taps - 1) / 2;
        double[][] y = [.. x.Select(_ => (double[])parameters[$"{layer}conv.bias"].Clone())];
        for (int t = 0; t < x.Length; t++)
        {
            for (int j = 0; j < taps; j++)
            {
                int from = t + j - padding;
                for (int o = 0; o < _width && from >= 0 && from < x.Length; o++)
                {
                    for (int c = 0; c < _width; c++)
                        y[t][o] += weight[(((o * taps) + j) * _width) + c] * x[from][c];
                }
            }
        }

        return y;
    }

    private double[][] ConvModule(string layer, double[][] x, bool glu, int taps, bool causal)
    {
        x = Linear($"{layer}linear1", x);
        if (glu)
            x = [.. x.Select(row => Enumerable.Range(0, _width).Select(c => row[c] / (1 + Math.Exp(-row[_width + c]))).ToArray())];
        double[][]? predicted = config.Architecture == Architecture.DynamicConv ? Linear($"{layer}conv.weight_linear", x) : null;
        int padding = causal ? taps - 1 : (taps - 1) / 2;
        double[][] y = [.. x.Select(_ => new double[_width])];
        for (int t = 0; t < x.Length; t++)
        {
            for (int c = 0; c < _width; c++)
            {
                int head = c / (_width / (config.ConvHeads == 0 ? config.AttentionHeads : config.ConvHeads));
                double[] logits = predicted is null ? parameters[$"{layer}conv.weight"] : predicted[t];
                double[] filter = [.. NormalizeTapsTests.Normalized(logits[(head * taps)..((head + 1) * taps)], config.ConvNormalization)];
                if (c % (_width / (config.ConvHeads == 0 ? config.AttentionHeads : config.ConvHeads)) == 0)
                    Weighs?.Invoke(layer, head, t, filter);
                for (int j = 0; j < taps; j++)
                {
                    int from = t + j - padding;
                    if (from >= 0 && from < x.Length)
                        y[t][c] += filter[j] * x[from][c];
                }
            }
        }

        return Linear($"{layer}linear2", y);
    }
}
