using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

public static partial class Ops
{
    /// <summary>y = 1 / (1 + e^-x), element by element; NaN stays NaN. Saves y for backward.</summary>
    /// <param name="x">Any shape, float.</param>
    /// <returns>The shape of <paramref name="x"/>, new, in 0 .. 1.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> holds integers.</exception>
    public static Tensor Sigmoid(Tensor x) => ElementwiseOp.Apply(ElementwiseKernel.Sigmoid, x);
}
