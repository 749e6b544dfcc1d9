using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

public static partial class Ops
{
    /// <summary>y = max(0, x), element by element; NaN stays NaN. Saves y for backward.</summary>
    /// <param name="x">Any shape, float.</param>
    /// <returns>The shape of <paramref name="x"/>, new.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> holds integers.</exception>
    public static Tensor Relu(Tensor x)
    {
        Check.Float(nameof(Relu), x);
        var y = x.NewLike(x.Shape, nameof(Relu));
        ReluKernel.Forward(x.Data, y.Data);
        return Tape.Record(
            nameof(Relu),
            y,
            [x],
            y,
            static (dy, y) =>
            {
                var dx = dy.NewLike(dy.Shape, nameof(Relu));
                ReluKernel.Backward(y.Data, dy.Data, dx.Data);
                return new Gradients(dx);
            });
    }
}
