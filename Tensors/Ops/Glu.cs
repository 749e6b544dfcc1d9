using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

public static partial class Ops
{
    /// <summary>
    /// Gated linear unit: y = a * sigmoid(b), where a and b are the first and second half of x along the last axis. Keeps x for backward.
    /// Source: Dauphin, Fan, Auli and Grangier, "Language modeling with gated convolutional networks", ICML 2017, section 2.
    /// </summary>
    /// <param name="x">[..., 2C], float.</param>
    /// <returns>[..., C], new.</returns>
    /// <exception cref="ArgumentException">The last axis is odd or missing, or <paramref name="x"/> holds integers.</exception>
    public static Tensor Glu(Tensor x)
    {
        Check.Float(nameof(Glu), x);
        if (x.Shape.Rank == 0 || x.Shape[-1] % 2 != 0)
            throw new ArgumentException($"Glu: the last axis must be even, got x {x.Shape}.");
        var size = new GluSize(x.Shape.CountOf(0, x.Shape.Rank - 1), x.Shape[-1] / 2);
        var y = x.NewLike(x.Shape.With(-1, size.C), nameof(Glu));
        GluKernel.Forward(size, x.Data, y.Data);
        return Tape.Record(nameof(Glu), y, [x], (size, x), static (dy, s) =>
        {
            var dx = dy.NewLike(s.x.Shape, nameof(Glu));
            GluKernel.Backward(s.size, s.x.Data, dy.Data, dx.Data);
            return new Gradients(dx);
        });
    }
}
