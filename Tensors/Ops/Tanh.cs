using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

public static partial class Ops
{
    /// <summary>y = tanh x, element by element; NaN stays NaN. Saves x for backward: of a y rounded to bfloat16, 1 - y^2 would have no digit right near the ends.</summary>
    /// <param name="x">Any shape, float.</param>
    /// <returns>The shape of <paramref name="x"/>, new, in -1 .. 1.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> holds integers.</exception>
    public static Tensor Tanh(Tensor x) => ElementwiseOp.Apply(ElementwiseKernel.Tanh, x);
}
