using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

public static partial class Ops
{
    /// <summary>y = a * b, element by element, with the broadcasting of <see cref="Add"/>. Keeps a and b for backward.</summary>
    /// <inheritdoc cref="Add"/>
    public static Tensor Multiply(Tensor a, Tensor b)
    {
        Check.Float(nameof(Multiply), a, b);
        var y = a.NewLike(Broadcasting.Of(nameof(Multiply), a, b, out var size), nameof(Multiply));
        MultiplyKernel.Forward(size, a.Data, b.Data, y.Data);
        return Tape.Record(nameof(Multiply), y, [a, b], (a, b), static (dy, s) =>
        {
            var (a, b) = s;
            if (a.RequiresGrad && b.RequiresGrad && a.Shape == b.Shape)
            {
                Tensor da = dy.NewLike(a.Shape, nameof(Multiply)), db = dy.NewLike(b.Shape, nameof(Multiply));
                MultiplyKernel.Backward(a.Data, b.Data, dy.Data, da.Data, db.Data);
                return new Gradients(da, db);
            }

            return new Gradients(
                a.RequiresGrad ? Broadcasting.SumProductTo(nameof(Multiply), dy, b, a.Shape) : null,
                b.RequiresGrad ? Broadcasting.SumProductTo(nameof(Multiply), dy, a, b.Shape) : null);
        });
    }
}
