using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

public static partial class Ops
{
    /// <summary>y = max(0, x), element by element; NaN stays NaN. Saves y for backward.</summary>
    /// <param name="x">Any shape, float.</param>
    /// <returns>The shape of <paramref name="x"/>, new.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> holds integers.</exception>
    public static Tensor Relu(Tensor x) => ElementwiseOp.Apply(ElementwiseKernel.Relu, x);
}
