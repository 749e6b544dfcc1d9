using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

public static partial class Ops
{
    /// <summary>The axes in another order: axis i of the result is axis axes[i] of x. Saves nothing.</summary>
    /// <param name="x">Any shape, floats or integers.</param>
    /// <param name="axes">Each axis of <paramref name="x"/> once; negative numbers count from the last.</param>
    /// <returns>The permuted shape: new, or a view where no element changes its place (only axes of 1 moved).</returns>
    /// <exception cref="ArgumentException">The axes are not a permutation.</exception>
    public static Tensor Transpose(Tensor x, params ReadOnlySpan<int> axes)
    {
        int rank = x.Shape.Rank;
        Span<int> order = stackalloc int[Shape.MaxRank], inverse = stackalloc int[Shape.MaxRank], shape = stackalloc int[Shape.MaxRank];
        Span<int> output = stackalloc int[Shape.MaxRank];
        inverse.Fill(-1);
        bool permutes = axes.Length == rank;
        for (int i = 0; i < axes.Length && permutes; i++)
        {
            int axis = axes[i] < 0 ? axes[i] + rank : axes[i];
            permutes = (uint)axis < (uint)rank && inverse[axis] < 0;
            if (!permutes)
                break;
            (order[i], inverse[axis], output[i]) = (axis, i, x.Shape[axis]);
        }

        if (!permutes)
            throw new ArgumentException($"Transpose: axes must name each axis of x {x.Shape} once, got [{string.Join(", ", axes.ToArray())}].");
        x.Shape.CopyTo(shape);
        var permuted = new Shape(output[..rank]);
        var size = TransposeSize.Of(shape[..rank], order[..rank]);
        Tensor y;
        if (size.IsCopy)
        {
            y = x.View(permuted, 0, nameof(Transpose));
        }
        else
        {
            y = Tensor.Empty(x.Device, permuted, x.DType, nameof(Transpose));
            TransposeKernel.Forward(size, x.Data, y.Data);
        }

        var back = TransposeSize.Of(output[..rank], inverse[..rank]);
        return Tape.Record(nameof(Transpose), y, [x], (back, x.Shape), static (dy, s) =>
        {
            if (s.back.IsCopy)
                return new Gradients(dy.View(s.Shape, 0, nameof(Transpose)));
            var dx = dy.NewLike(s.Shape, nameof(Transpose));
            TransposeKernel.Forward(s.back, dy.Data, dx.Data);
            return new Gradients(dx);
        });
    }
}
