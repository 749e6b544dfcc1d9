using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

public static partial class Ops
{
    /// <summary>Sets what lies behind the end of each sentence to 0, values and gradients: y[b, t] = x[b, t] where t is below lengths[b].</summary>
    /// <param name="x">[B, T, ...], float.</param>
    /// <param name="lengths">[B], integers in 0 .. T. Kept for backward.</param>
    /// <returns>The shape of <paramref name="x"/>, new.</returns>
    /// <exception cref="ArgumentException">The shapes do not fit, a length is not in 0 .. T, or the types are wrong.</exception>
    public static Tensor MaskPadding(Tensor x, Tensor lengths)
    {
        Check.Float(nameof(MaskPadding), x);
        Check.Int(nameof(MaskPadding), "lengths", x, lengths);
        if (x.Shape.Rank < 2 || lengths.Shape.Rank != 1 || lengths.Shape[0] != x.Shape[0])
            throw new ArgumentException($"MaskPadding: x must be [B, T, ...] and lengths [B], got x {x.Shape}, lengths {lengths.Shape}.");
        Check.Range(nameof(MaskPadding), "lengths", lengths, x.Shape[1] + 1, "b");
        var size = new MaskPaddingSize(x.Shape[0], x.Shape[1], x.Shape.CountOf(2, x.Shape.Rank));
        var y = x.NewLike(x.Shape, nameof(MaskPadding));
        MaskPaddingKernel.Forward(size, x.Data, lengths.Data, y.Data);
        return Tape.Record(nameof(MaskPadding), y, [x], (size, lengths), static (dy, s) =>
        {
            var dx = dy.NewLike(dy.Shape, nameof(MaskPadding));
            MaskPaddingKernel.Forward(s.size, dy.Data, s.lengths.Data, dx.Data);
            return new Gradients(dx);
        });
    }
}
