using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>Texts of different lengths as the tensors that small models read. They live in the scope that is open.</summary>
internal sealed class TokenBatch
{
    /// <summary>Uploads texts, padded to the longest.</summary>
    /// <param name="device">Where to.</param>
    /// <param name="texts">Tokens, none of them padding.</param>
    /// <param name="allowEmpty">Whether a text may have no tokens.</param>
    /// <exception cref="ArgumentException">There is no text, or one is empty that must not be.</exception>
    public TokenBatch(Device device, IReadOnlyList<IReadOnlyList<int>> texts, bool allowEmpty = false)
    {
        if (texts.Count == 0)
            throw new ArgumentException("TokenBatch: must have a text, got none.");
        (Count, Length) = (texts.Count, Math.Max(1, texts.Max(t => t.Count)));
        int[] tokens = new int[Count * Length], padding = new int[Count * Length];
        float[] shares = new float[Count];
        Array.Fill(tokens, Vocabulary.Pad);
        Array.Fill(padding, 1);
        for (int b = 0; b < Count; b++)
        {
            if (texts[b].Count == 0 && !allowEmpty)
                throw new ArgumentException($"TokenBatch: text {b} must have a token, got none.");
            for (int t = 0; t < texts[b].Count; t++)
                (tokens[(b * Length) + t], padding[(b * Length) + t]) = (texts[b][t], 0);
            shares[b] = 1f / Math.Max(1, texts[b].Count);
        }

        Tokens = Tensor.From(device, tokens, [Count, Length]);
        Padding = Tensor.From(device, padding, [Count, Length]);
        Lengths = Tensor.From(device, [.. texts.Select(t => t.Count)], [Count]);
        Shares = Tensor.From(device, shares, [Count, 1]);
    }

    /// <summary>B, texts.</summary>
    public int Count { get; }

    /// <summary>T, tokens of the longest, at least 1.</summary>
    public int Length { get; }

    /// <summary>[B, T] integers.</summary>
    public Tensor Tokens { get; }

    /// <summary>[B, T] integers, 1 at padding.</summary>
    public Tensor Padding { get; }

    /// <summary>[B] integers.</summary>
    public Tensor Lengths { get; }

    /// <summary>[B, 1], one over the number of tokens, 1 for an empty text.</summary>
    public Tensor Shares { get; }

    /// <summary>The mean over a text's tokens; zeros for an empty one.</summary>
    /// <param name="x">[B, T, C].</param>
    /// <returns>[B, C], new.</returns>
    public Tensor Mean(Tensor x) => Ops.Multiply(Ops.Sum(Ops.MaskPadding(x, Lengths), 1), Shares.To(x.DType));
}
