using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

public static partial class Ops
{
    /// <summary>Entries start .. start + length - 1 of one axis. Saves nothing; the gradient is 0 outside of the slice.</summary>
    /// <param name="x">Any shape with an axis, floats or integers.</param>
    /// <param name="axis">The axis; negative numbers count from the last.</param>
    /// <param name="start">First entry, 0 .. size of the axis.</param>
    /// <param name="length">Number of entries, 0 .. size of the axis - start.</param>
    /// <returns>The shape of <paramref name="x"/> with <paramref name="length"/> at the axis: a view where nothing but axes of 1 lies before the axis, else new.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such axis, or the entries do not exist.</exception>
    public static Tensor Slice(Tensor x, int axis, int start, int length)
    {
        axis = x.Shape.Axis(axis);
        if (start < 0 || length < 0 || start > x.Shape[axis] - length)
            throw new ArgumentOutOfRangeException(null, $"Slice: must lie in axis {axis}, got start = {start}, length = {length} of {x.Shape}.");
        var size = new SliceSize(x.Shape.CountOf(0, axis), x.Shape[axis], x.Shape.CountOf(axis + 1, x.Shape.Rank), start, length);
        var shape = x.Shape.With(axis, length);
        Tensor y;
        if (size.Outer == 1)
        {
            y = x.View(shape, start * size.Inner, nameof(Slice));
        }
        else
        {
            y = Tensor.Empty(x.Device, shape, x.DType, nameof(Slice));
            SliceKernel.Forward(size, x.Data, y.Data);
            y.TakeBounds(x.Data.Buffer.Bounds);
        }

        return Tape.Record(nameof(Slice), y, [x], (size, x.Shape), static (dy, s) =>
        {
            var dx = dy.NewLike(s.Shape, nameof(Slice));
            SliceKernel.Backward(s.size, dy.Data, dx.Data);
            return new Gradients(dx);
        });
    }
}
