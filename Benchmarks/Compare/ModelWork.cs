using CudaSeq.Models;

namespace CudaSeq.Benchmarks;

/// <summary>
/// How many floating-point operations models need: those of products of matrices, of attention and of convolutions, where a multiply-add is two. Norms, softmaxes, activations, sums and the
/// optimiser are not counted, nor what an implementation computes twice to save memory.
/// </summary>
internal static class ModelWork
{
    /// <summary>One update: backward has two products for each of forward's, one for each factor's gradient.</summary>
    /// <param name="m">The model.</param>
    /// <param name="b">Pairs.</param>
    /// <param name="s">Tokens of a source.</param>
    /// <param name="t">Tokens of a target, which are the work's items.</param>
    public static Work OfUpdate(ModelConfig m, int b, int s, int t) => new(3 * (Encoder(m, b, s) + Decoder(m, b, b, s, t)), 0, (double)b * t);

    /// <summary>
    /// A decoding with caches, where each position is computed once. Bytes: the encoder's parameters once, the decoder's with the table in each step, and in each step what is remembered so far.
    /// </summary>
    /// <param name="m">The model.</param>
    /// <param name="b">Sources.</param>
    /// <param name="beam">Hypotheses of each.</param>
    /// <param name="s">Tokens of a source.</param>
    /// <param name="steps">Steps, end-of-sentence's included; b times as many tokens are the work's items.</param>
    public static Work OfDecoding(ModelConfig m, int b, int beam, int s, int steps)
    {
        double encoder = 0, decoder = 0;
        using (var model = SequenceModel.Declare(m))
        {
            foreach (var (name, shape) in model.ParameterShapes())
            {
                // Keys and values of the source are projected once.
                bool once = (name.StartsWith("encoder.", StringComparison.Ordinal) && !name.Contains("embed_tokens", StringComparison.Ordinal))
                    || name.Contains("encoder_attn.k_proj", StringComparison.Ordinal) || name.Contains("encoder_attn.v_proj", StringComparison.Ordinal);
                if (once)
                    encoder += shape.Count;
                else
                    decoder += shape.Count;
            }
        }

        double c = m.ModelWidth, rows = (double)b * beam, remembered = 0;
        for (int layer = 0; layer < m.DecoderLayers; layer++)
        {
            // Keys and values of each step so far, or the inputs under a filter; and keys and values of the source.
            remembered += m.Architecture == Architecture.Transformer ? rows * 2 * c * Pairs(steps, causal: true) : rows * c * Meetings(steps, m.DecoderKernelWidth(layer), m.DecoderKernelWidth(layer) - 1);
            remembered += b * 2 * c * s * (double)steps;
        }

        return new(Encoder(m, b, s) + Decoder(m, b, b * beam, s, steps), sizeof(float) * (encoder + (decoder * steps) + remembered), (double)b * steps);
    }

    // Each layer: mixer, and two products of the feed-forward block with 2 N C F operations each.
    private static double Encoder(ModelConfig m, double b, int s)
    {
        double all = 0;
        for (int layer = 0; layer < m.EncoderLayers; layer++)
        {
            int k = m.Architecture == Architecture.Transformer ? 0 : m.EncoderKernelWidth(layer);
            all += Mixer(m, b, s, k, m.EncoderGlu, causal: false) + (2 * Linear(b * s, m.ModelWidth, m.FeedForwardWidth));
        }

        return all;
    }

    // Each layer: mixer; attention to the source, whose keys and values are of b sources, queries and outputs of all rows, with two products of T S C; the feed-forward block. Then the
    // projection to V words.
    private static double Decoder(ModelConfig m, double b, double rows, int s, int t)
    {
        double c = m.ModelWidth, all = Linear(rows * t, c, m.TargetVocabulary);
        for (int layer = 0; layer < m.DecoderLayers; layer++)
        {
            int k = m.Architecture == Architecture.Transformer ? 0 : m.DecoderKernelWidth(layer);
            all += Mixer(m, rows, t, k, m.DecoderGlu, causal: true)
                + (2 * Linear(b * s, c, c)) + (2 * Linear(rows * t, c, c)) + (2 * 2 * rows * t * s * c)
                + (2 * Linear(rows * t, c, m.FeedForwardWidth));
        }

        return all;
    }

    // Attention: four projections, and two products of C operations for each pair of positions that see each other. Convolution: the projections around it, twice as wide before a gated linear
    // unit, one operation of C for each tap that meets a position, and the prediction of H K taps where filters are dynamic.
    private static double Mixer(ModelConfig m, double b, int t, int k, bool glu, bool causal)
    {
        double c = m.ModelWidth, n = b * t;
        if (m.Architecture == Architecture.Transformer)
            return (4 * Linear(n, c, c)) + (2 * 2 * b * c * Pairs(t, causal));
        return Linear(n, c, glu ? 2 * c : c) + Linear(n, c, c) + (2 * b * c * Meetings(t, k, causal ? k - 1 : k / 2))
            + (m.Architecture == Architecture.DynamicConv ? Linear(n, c, (double)m.ConvolutionHeads * k) : 0);
    }

    private static double Linear(double rows, double inputs, double outputs) => 2 * rows * inputs * outputs;

    private static double Pairs(int t, bool causal) => causal ? t * (t + 1.0) / 2 : (double)t * t;

    // Of T K taps those that do not lie over the padding.
    private static double Meetings(int t, int k, int left)
    {
        double meetings = 0;
        for (int tap = 0; tap < k; tap++)
            meetings += Math.Max(0, t - Math.Abs(tap - left));
        return meetings;
    }
}
