using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

public static partial class Ops
{
    /// <summary>y = a - b, element by element, with the broadcasting of <see cref="Add"/>. Saves nothing.</summary>
    /// <inheritdoc cref="Add"/>
    public static Tensor Subtract(Tensor a, Tensor b)
    {
        Check.Float(nameof(Subtract), a, b);
        var y = a.NewLike(Broadcasting.Of(nameof(Subtract), a, b, out var size), nameof(Subtract));
        SubtractKernel.Forward(size, a.Data, b.Data, y.Data);
        return Tape.Record(
            nameof(Subtract),
            y,
            [a, b],
            (a, b),
            static (dy, s) => new Gradients(
                s.a.RequiresGrad ? Broadcasting.SumTo(nameof(Subtract), dy, s.a.Shape) : null,
                s.b.RequiresGrad ? Broadcasting.SumTo(nameof(Subtract), dy, s.b.Shape, factor: -1) : null));
    }
}
