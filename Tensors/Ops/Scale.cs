using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

public static partial class Ops
{
    /// <summary>y = factor * x, element by element. Saves nothing.</summary>
    /// <param name="x">Any shape, float.</param>
    /// <param name="factor">Any number.</param>
    /// <returns>The shape of <paramref name="x"/>, new.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> holds integers.</exception>
    public static Tensor Scale(Tensor x, float factor)
    {
        Check.Float(nameof(Scale), x);
        var y = x.NewLike(x.Shape, nameof(Scale));
        ScaleKernel.Forward(x.Data, factor, y.Data);
        return Tape.Record(nameof(Scale), y, [x], factor, static (dy, factor) =>
        {
            var dx = dy.NewLike(dy.Shape, nameof(Scale));
            ScaleKernel.Forward(dy.Data, factor, dx.Data);
            return new Gradients(dx);
        });
    }
}
