using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

public static partial class Ops
{
    /// <summary>y = e^x, element by element; 0 below -87.34 on a processor, infinity above 88.73; NaN stays NaN. Saves y for backward.</summary>
    /// <param name="x">Any shape, float.</param>
    /// <returns>The shape of <paramref name="x"/>, new, at least 0.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> holds integers.</exception>
    public static Tensor Exp(Tensor x) => ElementwiseOp.Apply(ElementwiseKernel.Exp, x);
}
