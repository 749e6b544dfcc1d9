using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

public static partial class Ops
{
    /// <summary>
    /// The same numbers in another type: y is the number of that type nearest to x, of two the one with an even last bit; beyond the largest it is infinite, NaN stays NaN.
    /// The gradient goes back likewise, in the type of x. Saves nothing.
    /// </summary>
    /// <param name="x">Any shape, float.</param>
    /// <param name="dtype">A type of floats; on the processor there is Float32 alone.</param>
    /// <returns>The shape of <paramref name="x"/>, new; <paramref name="x"/> itself where it has the type.</returns>
    /// <exception cref="ArgumentException">One of the types is not of floats, the device does not have it, or Float16 is to be recorded.</exception>
    public static Tensor Convert(Tensor x, DType dtype)
    {
        const string Op = nameof(Convert);
        Check.Defined(Op, nameof(dtype), dtype);
        if (!x.DType.IsFloat() || !dtype.IsFloat())
            throw new ArgumentException($"Convert: types must be of floats, got {x} to {dtype}.");
        if (x.DType == dtype)
            return x;
        if (x.DType.IsNarrow() && dtype.IsNarrow())
            return Convert(Convert(x, DType.Float32), dtype);
        Check.Inference(Op, dtype, x);
        var y = Tensor.Empty(x.Device, x.Shape, dtype, Op);
        CopyKernel.Convert(x.Data, y.Data);
        return Tape.Record(Op, y, [x], x.DType, static (dy, dtype) =>
        {
            var dx = Tensor.Empty(dy.Device, dy.Shape, dtype, Op);
            CopyKernel.Convert(dy.Data, dx.Data);
            return new Gradients(dx);
        });
    }
}
