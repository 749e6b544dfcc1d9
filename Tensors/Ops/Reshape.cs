using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

/// <summary>
/// The operations on tensors. Each checks its inputs once, computes, and records its backward beside it; below this gate nothing is checked again.
/// </summary>
public static partial class Ops
{
    /// <summary>The same elements under another shape: a free view.</summary>
    /// <param name="x">Any shape.</param>
    /// <param name="shape">As many elements as <paramref name="x"/>.</param>
    /// <returns><paramref name="shape"/>, a view of <paramref name="x"/>.</returns>
    /// <exception cref="ArgumentException">The numbers of elements differ.</exception>
    public static Tensor Reshape(Tensor x, Shape shape)
    {
        if (shape.Count != x.Shape.Count)
            throw new ArgumentException($"Reshape: the number of elements must stay, got {x.Shape} -> {shape}.");
        return Tape.Record(
            nameof(Reshape),
            x.View(shape, 0, nameof(Reshape)),
            [x],
            x.Shape,
            static (dy, shape) => new Gradients(dy.View(shape, 0, nameof(Reshape))));
    }

    /// <summary>Some rows of the leading axis: a free view.</summary>
    /// <param name="x">[N, ...].</param>
    /// <param name="start">First row, 0 .. N.</param>
    /// <param name="length">Number of rows, 0 .. N - start.</param>
    /// <returns>[length, ...], a view of <paramref name="x"/>.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The rows do not exist.</exception>
    public static Tensor Rows(Tensor x, int start, int length)
    {
        if (x.Shape.Rank == 0 || start < 0 || length < 0 || start > x.Shape[0] - length)
            throw new ArgumentOutOfRangeException(null, $"Rows: must lie in the leading axis, got start = {start}, length = {length} of {x.Shape}.");
        long row = x.Shape.CountOf(1, x.Shape.Rank);
        return Tape.Record(
            nameof(Rows),
            x.View(x.Shape.With(0, length), start * row, nameof(Rows)),
            [x],
            (x.Shape, Offset: start * row),
            static (dy, saved) =>
            {
                var dx = dy.NewLike(saved.Shape, nameof(Rows));
                FillKernel.Zero(dx.Data);
                CopyKernel.Copy(dy.Data, dx.Data with { Offset = dx.Data.Offset + saved.Offset, Length = dy.Shape.Count });
                return new Gradients(dx);
            });
    }
}
