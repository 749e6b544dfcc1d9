using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

public static partial class Ops
{
    /// <summary>
    /// y[..., c] = exp(x[..., c] - m) / sum_c' exp(x[..., c'] - m), where m is the largest of the row: probabilities over the last axis.
    /// </summary>
    /// <remarks>
    /// An entry of -infinity (a masked one) gets an exact 0 and no gradient. A row of nothing but -infinity, or with NaN or +infinity, is NaN.
    /// Reads x once and saves y for backward.
    /// </remarks>
    /// <param name="x">[..., C], float, at least one axis.</param>
    /// <returns>The shape of <paramref name="x"/>, new.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> holds integers or has no axis.</exception>
    public static Tensor Softmax(Tensor x)
    {
        var size = RowsOfLastAxis(nameof(Softmax), x);
        var y = x.NewLike(x.Shape, nameof(Softmax));
        SoftmaxKernel.Forward(size, x.Data, y.Data);
        return Tape.Record(
            nameof(Softmax),
            y,
            [x],
            (size, y),
            static (dy, saved) =>
            {
                var dx = dy.NewLike(dy.Shape, nameof(Softmax));
                SoftmaxKernel.Backward(saved.size, saved.y.Data, dy.Data, dx.Data);
                return new Gradients(dx);
            });
    }

    private static SoftmaxSize RowsOfLastAxis(string op, Tensor x)
    {
        Check.Float(op, x);
        if (x.Shape.Rank == 0)
            throw new ArgumentException($"{op}: needs at least one axis, got {x}.");
        return new SoftmaxSize(checked((int)x.Shape.CountOf(0, x.Shape.Rank - 1)), x.Shape[-1]);
    }
}
