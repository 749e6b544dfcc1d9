using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

public static partial class Ops
{
    /// <summary>Whether no element is NaN or infinite. Waits for the device; no gradient.</summary>
    /// <param name="x">Any shape, float.</param>
    /// <returns>True for an empty tensor.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> holds integers.</exception>
    public static bool IsFinite(Tensor x)
    {
        Check.Float(nameof(IsFinite), x);
        return IsFiniteKernel.All(x.Data);
    }
}
