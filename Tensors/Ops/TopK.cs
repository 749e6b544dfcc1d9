using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

public static partial class Ops
{
    /// <summary>The k largest numbers of each row and where they stand, largest first. No gradient flows.</summary>
    /// <remarks>
    /// Of equal numbers the one with the lower index comes first; NaN counts as larger than any number, so that a broken model is seen and not hidden.
    /// One pass over x, and then only over the k groups of 64 neighbours with the largest maxima.
    /// </remarks>
    /// <param name="x">[N, V], float.</param>
    /// <param name="k">0 .. V.</param>
    /// <returns>Values [N, k], float, and Indices [N, k], integers in 0 .. V - 1; new.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> has another number of axes or holds integers.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="k"/> is not in 0 .. V.</exception>
    public static (Tensor Values, Tensor Indices) TopK(Tensor x, int k)
    {
        Check.Float(nameof(TopK), x);
        if (x.Shape.Rank != 2)
            throw new ArgumentException($"TopK: must be [N, V], got {x.Shape}.");
        if (k < 0 || k > x.Shape[1])
            throw new ArgumentOutOfRangeException(null, $"TopK: k must be in 0 .. V, got k = {k}, V = {x.Shape[1]} (input {x.Shape}).");
        var values = x.NewLike([x.Shape[0], k], nameof(TopK));
        var indices = Tensor.Empty(x.Device, [x.Shape[0], k], DType.Int32, nameof(TopK));
        TopKKernel.Forward(new TopKSize(x.Shape[0], x.Shape[1], k), x.Data, values.Data, indices.Data);
        indices.Data.Buffer.Bounds = new IndexBounds(0, x.Shape[1] - 1);
        return (values, indices);
    }
}
