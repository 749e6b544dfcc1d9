using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

/// <summary>What the ops of one tensor, element by element, have in common.</summary>
internal static class ElementwiseOp
{
    /// <summary>y = f(x); keeps x or y for backward, whichever the slope is made of.</summary>
    /// <param name="kernel">f.</param>
    /// <param name="x">Any shape, float.</param>
    /// <returns>The shape of <paramref name="x"/>, new.</returns>
    public static Tensor Apply(ElementwiseKernel kernel, Tensor x)
    {
        Check.Float(kernel.Name, x);
        var y = x.NewLike(x.Shape, kernel.Name);
        kernel.Forward(x.Data, y.Data);
        return Tape.Record(kernel.Name, y, [x], (kernel, kept: kernel.KeepsInput ? x : y), static (dy, s) =>
        {
            var dx = dy.NewLike(dy.Shape, s.kernel.Name);
            s.kernel.Backward(s.kept.Data, dy.Data, dx.Data);
            return new Gradients(dx);
        });
    }
}
