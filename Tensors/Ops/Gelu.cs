using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

public static partial class Ops
{
    /// <summary>
    /// Gaussian error linear unit, the exact form: y = x (1 + erf(x / sqrt 2)) / 2, element by element; NaN stays NaN. Keeps x for backward.
    /// Source: Hendrycks and Gimpel, "Gaussian Error Linear Units (GELUs)", 2016.
    /// </summary>
    /// <param name="x">Any shape, float.</param>
    /// <returns>The shape of <paramref name="x"/>, new.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> holds integers.</exception>
    public static Tensor Gelu(Tensor x) => ElementwiseOp.Apply(ElementwiseKernel.Gelu, x);
}
