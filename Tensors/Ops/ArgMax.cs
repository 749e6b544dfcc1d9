using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

public static partial class Ops
{
    /// <summary>Where the largest number of each row stands. No gradient flows.</summary>
    /// <remarks>Of equal numbers the lowest index; NaN counts as larger than any number. Reads x once.</remarks>
    /// <param name="x">[N, V], float, V at least 1.</param>
    /// <returns>[N] integers in 0 .. V - 1, new.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> has another number of axes, empty rows or integers.</exception>
    public static Tensor ArgMax(Tensor x)
    {
        Check.Float(nameof(ArgMax), x);
        if (x.Shape.Rank != 2 || x.Shape[1] == 0)
            throw new ArgumentException($"ArgMax: must be [N, V] with V at least 1, got {x.Shape}.");
        var indices = Tensor.Empty(x.Device, [x.Shape[0]], DType.Int32, nameof(ArgMax));
        ArgMaxKernel.Forward(new ArgMaxSize(x.Shape[0], x.Shape[1]), x.Data, indices.Data);
        indices.Data.Buffer.Bounds = new IndexBounds(0, x.Shape[1] - 1);
        return indices;
    }
}
