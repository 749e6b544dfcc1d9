using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

public static partial class Ops
{
    /// <summary>y = value where the mask is not 0, x elsewhere; no gradient flows to what was filled. Keeps the mask for backward.</summary>
    /// <param name="x">Any shape, float.</param>
    /// <param name="mask">Integers; a shape that broadcasts to that of <paramref name="x"/>.</param>
    /// <param name="value">What fills, for example negative infinity before a softmax.</param>
    /// <returns>The shape of <paramref name="x"/>, new.</returns>
    /// <exception cref="ArgumentException">The mask does not broadcast to x, or the types are wrong.</exception>
    public static Tensor MaskedFill(Tensor x, Tensor mask, float value)
    {
        Check.Float(nameof(MaskedFill), x);
        Check.Int(nameof(MaskedFill), "the mask", x, mask);
        if (Broadcasting.Of(nameof(MaskedFill), x, mask, out var size) != x.Shape)
            throw new ArgumentException($"MaskedFill: the mask must broadcast to x, got x {x.Shape}, mask {mask.Shape}.");
        var y = x.NewLike(x.Shape, nameof(MaskedFill));
        MaskedFillKernel.Forward(size, x.Data, mask.Data, value, y.Data);
        return Tape.Record(nameof(MaskedFill), y, [x], (size, mask), static (dy, s) =>
        {
            var dx = dy.NewLike(dy.Shape, nameof(MaskedFill));
            MaskedFillKernel.Forward(s.size, dy.Data, s.mask.Data, 0, dx.Data);
            return new Gradients(dx);
        });
    }
}
