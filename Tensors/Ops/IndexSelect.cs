using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

public static partial class Ops
{
    /// <summary>
    /// Entries of one axis in the order of a list, which may repeat and leave out: y[..., n, ...] = x[..., indices[n], ...].
    /// The gradient of an entry is the sum over its appearances, in their order. Keeps the indices for backward.
    /// </summary>
    /// <param name="x">Any shape with an axis, floats or integers.</param>
    /// <param name="axis">The axis; negative numbers count from the last.</param>
    /// <param name="indices">[N], integers in 0 .. size of the axis - 1.</param>
    /// <returns>The shape of <paramref name="x"/> with N at <paramref name="axis"/>, new.</returns>
    /// <exception cref="ArgumentException">The indices are no list of integers, or one is not in the axis.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such axis.</exception>
    public static Tensor IndexSelect(Tensor x, int axis, Tensor indices)
    {
        axis = x.Shape.Axis(axis);
        Check.Int(nameof(IndexSelect), "indices", x, indices);
        if (indices.Shape.Rank != 1)
            throw new ArgumentException($"IndexSelect: indices must be [N], got {indices.Shape} (x {x.Shape}).");
        Check.Range(nameof(IndexSelect), "indices", indices, x.Shape[axis]);
        var size = new IndexSelectSize(
            x.Shape.CountOf(0, axis), x.Shape[axis], x.Shape.CountOf(axis + 1, x.Shape.Rank), indices.Shape[0]);
        var y = Tensor.Empty(x.Device, x.Shape.With(axis, size.N), x.DType, nameof(IndexSelect));
        IndexSelectKernel.Forward(size, x.Data, indices.Data, y.Data);
        y.Data.Buffer.Bounds = x.Data.Buffer.Bounds;
        return Tape.Record(nameof(IndexSelect), y, [x], (size, x.Shape, indices), static (dy, s) =>
        {
            var dx = dy.NewLike(s.Shape, nameof(IndexSelect));
            IndexSelectKernel.Backward(s.size, s.indices.Data, dy.Data, dx.Data);
            return new Gradients(dx);
        });
    }
}
