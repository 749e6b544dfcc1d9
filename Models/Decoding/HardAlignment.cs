using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>
/// Aligns each token of finished hypotheses to the source token with the most attention, averaged over the heads of the decoder's last layer, when the token is predicted; of equal
/// ones the first. End-of-sentence of the source is left out, as in fairseq, unless there is nothing else.
/// </summary>
internal static class HardAlignment
{
    /// <param name="model">The model.</param>
    /// <param name="sources">M sources.</param>
    /// <param name="found">The hypotheses of each.</param>
    /// <returns>The hypotheses with their alignments.</returns>
    public static IReadOnlyList<Hypothesis>[] Of(Seq2SeqModel model, int[][] sources, IReadOnlyList<Hypothesis>[] found)
    {
        using var scope = TensorScope.Begin();
        using var pause = new NoGrad();
        int width = sources.Max(s => s.Length);
        var encoded = model.Encode(Padded(model, sources, width), Tensor.From(model.Device, [.. sources.Select(s => s.Length)]));
        var aligned = found.Select(_ => new List<Hypothesis>()).ToArray();

        // One hypothesis of each source at a time: the probabilities of all of them at once could be too many.
        for (int n = 0; n < found.Max(f => f.Count); n++)
        {
            int[][] previous = [.. found.Select(f => n < f.Count ? [Vocabulary.Eos, .. f[n].Tokens] : new[] { Vocabulary.Eos })];
            using var inner = TensorScope.Begin();
            int longest = previous.Max(p => p.Length);

            // [M, T, S]. Which sum is the highest is what the highest mean is, and halves of floats would make equal what is not.
            float[] values = Ops.Sum(model.SourceAttention(Padded(model, previous, longest), encoded).To(DType.Float32), axis: 1).ToArray();
            for (int m = 0; m < sources.Length; m++)
            {
                if (n >= found[m].Count)
                    continue;
                int[] alignment = new int[found[m][n].Tokens.Length];
                for (int t = 0; t < alignment.Length; t++)
                    alignment[t] = MostAttended(m, t, sources[m].Length - 1);
                aligned[m].Add(found[m][n] with { Alignment = alignment });
            }

            int MostAttended(int sentence, int position, int words)
            {
                int most = 0;
                float highest = -1;
                long row = (((long)sentence * longest) + position) * width;
                for (int s = 0; s < words; s++)
                {
                    if (values[row + s] > highest)
                        (most, highest) = (s, values[row + s]);
                }

                return most;
            }
        }

        return aligned;
    }

    private static Tensor Padded(Seq2SeqModel model, int[][] sentences, int width)
    {
        int[] padded = new int[sentences.Length * width];
        Array.Fill(padded, Vocabulary.Pad);
        for (int i = 0; i < sentences.Length; i++)
            sentences[i].CopyTo(padded, i * width);
        return Tensor.From(model.Device, padded, [sentences.Length, width]);
    }
}
