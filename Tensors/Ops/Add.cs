using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

public static partial class Ops
{
    /// <summary>
    /// y = a + b, element by element, with NumPy's broadcasting: shapes are aligned at their last axes, and an axis of 1 or a missing one is repeated,
    /// so that [B, T, C] + [C], [B, T, C] + [B, T, 1] and [B, T, C] + [] all work. Gradients are summed over repeated axes. Saves nothing.
    /// </summary>
    /// <param name="a">Any shape, float.</param>
    /// <param name="b">A shape that broadcasts with the other, float.</param>
    /// <returns>The common shape, new.</returns>
    /// <exception cref="ArgumentException">The shapes do not broadcast, an input holds integers, or the devices differ.</exception>
    public static Tensor Add(Tensor a, Tensor b)
    {
        Check.Float(nameof(Add), a, b);
        var y = a.NewLike(Broadcasting.Of(nameof(Add), a, b, out var size), nameof(Add));
        AddKernel.Forward(size, a.Data, b.Data, y.Data);
        return Tape.Record(
            nameof(Add),
            y,
            [a, b],
            (a, b),
            static (dy, s) => new Gradients(
                s.a.RequiresGrad ? Broadcasting.SumTo(nameof(Add), dy, s.a.Shape) : null,
                s.b.RequiresGrad ? Broadcasting.SumTo(nameof(Add), dy, s.b.Shape) : null));
    }
}
