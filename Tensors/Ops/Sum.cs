using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

public static partial class Ops
{
    /// <summary>The sum of all elements, in a fixed order of partial sums: the same for any number of threads. 0 for an empty tensor. Saves nothing.</summary>
    /// <param name="x">Any shape, float.</param>
    /// <returns>[], new.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> holds integers.</exception>
    public static Tensor Sum(Tensor x) => SumOver(nameof(Sum), x, new SumSize(1, x.Shape.Count, 1), [], 1);

    /// <summary>The sums along one axis, in a fixed order: the same for any number of threads. 0 along an empty axis. Saves nothing.</summary>
    /// <param name="x">Any shape with an axis, float.</param>
    /// <param name="axis">The axis; negative numbers count from the last.</param>
    /// <param name="keepAxis">Keep the axis, with size 1.</param>
    /// <returns>The shape of <paramref name="x"/> without the axis, or with 1 in its place; new.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> holds integers.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such axis.</exception>
    public static Tensor Sum(Tensor x, int axis, bool keepAxis = false) => SumAlong(nameof(Sum), x, axis, keepAxis, mean: false);

    private static Tensor SumAlong(string op, Tensor x, int axis, bool keepAxis, bool mean)
    {
        axis = x.Shape.Axis(axis);
        var size = new SumSize(x.Shape.CountOf(0, axis), x.Shape[axis], x.Shape.CountOf(axis + 1, x.Shape.Rank));
        return SumOver(op, x, size, keepAxis ? x.Shape.With(axis, 1) : x.Shape.Without(axis), mean ? 1f / size.Length : 1);
    }

    private static Tensor SumOver(string op, Tensor x, SumSize size, Shape shape, float factor)
    {
        Check.Float(op, x);
        var y = x.NewLike(shape, op);
        SumKernel.Forward(size, x.Data, factor, y.Data);
        return Tape.Record(op, y, [x], (op, size, factor, x.Shape), static (dy, s) =>
        {
            var dx = dy.NewLike(s.Shape, s.op);
            SumKernel.Backward(s.size, dy.Data, s.factor, dx.Data);
            return new Gradients(dx);
        });
    }
}
