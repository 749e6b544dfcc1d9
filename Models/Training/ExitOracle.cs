using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>What says while decoding at which depth a position leaves.</summary>
public enum ExitPredictor
{
    /// <summary>Nothing that was learned.</summary>
    None,

    /// <summary>One depth for a whole output, from the mean of the source's states: q = softmax(W s + b).</summary>
    Sequence,

    /// <summary>A depth for each position, from what the first layer gave: q_t = softmax(W h_t^1 + b).</summary>
    Multinomial,

    /// <summary>Whether to leave, after each layer: chi_t^n = sigmoid(w h_t^n + b), q_t(n) = chi_t^n prod_{m &lt; n} (1 - chi_t^m), the rest for the last layer.</summary>
    Geometric,
}

/// <summary>By what the depth is chosen that a predictor learns.</summary>
public enum ExitOracle
{
    /// <summary>The log probability of the true token.</summary>
    Likelihood,

    /// <summary>Whether the true token is the likeliest.</summary>
    Correctness,
}

/// <summary>
/// The depths that a predictor learns (Elbayad et al. 2020, section 3.2): argmax over n of value_n - lambda n, the lowest of equals, where the value is the log probability of the true token
/// or 1 where it is the likeliest, summed over the sequence, or for each token smoothed over its neighbours by exp(-|t - t'|^2 / sigma), a division by sigma and not by 2 sigma^2.
/// </summary>
internal static class ExitOracles
{
    // Logits of at most so many elements are there at a time.
    private const int BlockElements = 1 << 24;

    /// <summary>The value of each row at one depth; no gradient.</summary>
    /// <param name="head">Gives the probabilities.</param>
    /// <param name="features">[N, F].</param>
    /// <param name="targets">[N], on the host.</param>
    /// <param name="oracle">Which value.</param>
    /// <param name="classes">How many the head tells apart.</param>
    /// <param name="blockElements">The most elements of logits that are there at a time, but for a row.</param>
    public static float[] Values(OutputHead head, Tensor features, int[] targets, ExitOracle oracle, int classes, int blockElements = BlockElements)
    {
        using var pause = new NoGrad();
        var values = new float[targets.Length];
        int most = Math.Max(1, blockElements / classes), blocks = (targets.Length + most - 1) / most;
        for (int block = 0; block < blocks; block++)
        {
            using var scope = TensorScope.Begin();

            // Alike, so that none of many rows is of a few.
            int first = (int)((long)targets.Length * block / blocks), count = (int)((long)targets.Length * (block + 1) / blocks) - first;
            var logits = head.Logits(Ops.Rows(features, first, count));
            if (oracle == ExitOracle.Correctness)
            {
                int[] likeliest = Ops.TopK(logits, 1).Indices.ToIntArray();
                for (int i = 0; i < count; i++)
                    values[first + i] = likeliest[i] == targets[first + i] ? 1 : 0;
                continue;
            }

            var logs = head.GivesLogProbabilities ? logits : Ops.LogSoftmax(logits);
            int[] places = new int[count];
            for (int i = 0; i < count; i++)
                places[i] = (i * classes) + targets[first + i];
            Ops.IndexSelect(Ops.Reshape(logs, [count * classes, 1]), 0, Tensor.From(logs.Device, places)).ToArray().CopyTo(values, first);
        }

        return values;
    }

    /// <summary>The best depth of each token.</summary>
    /// <param name="values">For each depth [B T].</param>
    /// <param name="targets">[B T]; padding has no depth, and no say in its neighbours'.</param>
    /// <param name="length">T.</param>
    /// <param name="sigma">The width of the smoothing; 0 for none.</param>
    /// <param name="lambda">What a layer costs.</param>
    /// <returns>[B T], from 1; 0 for padding.</returns>
    public static int[] OfTokens(IReadOnlyList<float[]> values, int[] targets, int length, float sigma, float lambda)
    {
        var best = new int[targets.Length];
        for (int i = 0; i < targets.Length; i++)
        {
            if (targets[i] == Vocabulary.Pad)
                continue;
            int begin = i / length * length;
            best[i] = Best(values.Count, lambda, n =>
            {
                if (sigma == 0)
                    return values[n][i];
                double sum = 0;
                for (int j = begin; j < begin + length; j++)
                {
                    if (targets[j] != Vocabulary.Pad)
                        sum += Math.Exp(-(double)(i - j) * (i - j) / sigma) * values[n][j];
                }

                return sum;
            });
        }

        return best;
    }

    /// <summary>The best depth of each sequence.</summary>
    /// <inheritdoc cref="OfTokens"/>
    /// <returns>[B], from 1.</returns>
    public static int[] OfSequences(IReadOnlyList<float[]> values, int[] targets, int length, float lambda)
        => [.. Enumerable.Range(0, targets.Length / length).Select(b => Best(
            values.Count, lambda, n => Enumerable.Range(b * length, length).Where(i => targets[i] != Vocabulary.Pad).Sum(i => (double)values[n][i])))];

    private static int Best(int depths, float lambda, Func<int, double> value)
    {
        int best = 0;
        double most = double.NegativeInfinity;
        for (int n = 0; n < depths; n++)
        {
            double worth = value(n) - (lambda * (double)(n + 1));
            if (worth > most)
                (best, most) = (n, worth);
        }

        return best + 1;
    }
}
