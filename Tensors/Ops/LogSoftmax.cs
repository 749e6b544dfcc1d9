using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

public static partial class Ops
{
    /// <summary>y[..., c] = x[..., c] - log sum_c' exp x[..., c']: log probabilities over the last axis, in nats.</summary>
    /// <remarks>
    /// Computed beside the row's maximum, so that no exponential overflows. An entry of -infinity stays -infinity. A row of nothing but -infinity,
    /// or with NaN or +infinity, is NaN. Saves y for backward.
    /// </remarks>
    /// <param name="x">[..., C], float, at least one axis.</param>
    /// <returns>The shape of <paramref name="x"/>, new.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> holds integers or has no axis.</exception>
    public static Tensor LogSoftmax(Tensor x)
    {
        var size = RowsOfLastAxis(nameof(LogSoftmax), x);
        var y = x.NewLike(x.Shape, nameof(LogSoftmax));
        LogSoftmaxKernel.Forward(size, x.Data, y.Data);
        return Tape.Record(
            nameof(LogSoftmax),
            y,
            [x],
            (size, y),
            static (dy, saved) =>
            {
                var dx = dy.NewLike(dy.Shape, nameof(LogSoftmax));
                LogSoftmaxKernel.Backward(saved.size, saved.y.Data, dy.Data, dx.Data);
                return new Gradients(dx);
            });
    }
}
