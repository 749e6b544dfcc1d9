using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>What recurrent layers do with batches of sequences of different lengths.</summary>
internal static class TimeSteps
{
    /// <summary>A batch step by step.</summary>
    /// <param name="x">[B, T, C].</param>
    /// <returns>T tensors [B, C]; none where T is 0.</returns>
    public static Tensor[] Of(Tensor x)
    {
        var steps = new Tensor[x.Shape[1]];
        Split(Ops.Transpose(x, 1, 0, 2), steps);
        return steps;
    }

    /// <summary>[B, 1] each, step by step: 1 where an input is read, and 1 where none is.</summary>
    public static (Tensor[] Reads, Tensor[] Rests) Masks(Tensor x, Tensor lengths)
    {
        var ones = Ops.Convert(Tensor.Full(x.Device, [x.Shape[0], x.Shape[1], 1], 1), x.DType);
        var reads = Ops.MaskPadding(ones, lengths);
        return (Of(reads), Of(Ops.Subtract(ones, reads)));
    }

    /// <summary>The next state of rows that read and the last one of the others: exact, as one factor is 1 and the other 0.</summary>
    public static Tensor Chosen(Tensor read, Tensor next, Tensor rest, Tensor last) => Ops.Add(Ops.Multiply(read, next), Ops.Multiply(rest, last));

    // By halves: a view's gradient is as large as what it views, so that T views of the whole would cost T^2.
    private static void Split(Tensor x, Span<Tensor> steps)
    {
        if (steps.IsEmpty)
            return;
        if (steps.Length == 1)
        {
            steps[0] = x.Reshape([x.Shape[1], x.Shape[2]]);
            return;
        }

        int half = steps.Length / 2;
        Split(x.Rows(0, half), steps[..half]);
        Split(x.Rows(half, steps.Length - half), steps[half..]);
    }
}
