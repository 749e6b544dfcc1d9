using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

public static partial class Ops
{
    /// <summary>
    /// A linear layer, y[..., o] = activation(sum over i of x[..., i] weight[o, i] + bias[o]), bias and activation in the last store of the product.
    /// Costs 2 I O operations a row. Saves x and weight for backward, and y (Relu) or the argument of the activation (Gelu).
    /// </summary>
    /// <param name="x">[..., I].</param>
    /// <param name="weight">
    /// [O, I], float32; a narrower x is multiplied with a copy of its type, which is kept until the weight changes. One that <see cref="Tensor.IsQuantized"/> is multiplied
    /// as <see cref="QuantizedLinear"/> does.
    /// </param>
    /// <param name="bias">[O], float32; no bias when omitted. Without an activation it is added as the type of y has it.</param>
    /// <param name="activation">Applied to every element.</param>
    /// <param name="result">The type of y: that of <paramref name="x"/> when omitted, or Float32, for logits that nothing should round.</param>
    /// <returns>[..., O], new.</returns>
    /// <exception cref="ArgumentException">The shapes do not fit, an input holds integers, the devices differ, or <paramref name="activation"/> is undefined.</exception>
    public static Tensor Linear(Tensor x, Tensor weight, Tensor? bias = null, Activation activation = Activation.None, DType? result = null)
    {
        if (weight.IsQuantized)
            return QuantizedLinear(x, weight, bias, activation, result);
        var (rows, outputs) = CheckLinear(nameof(Linear), x, weight, bias, activation, result);
        var size = new LinearSize(rows, weight.Shape[1], outputs, activation);
        var y = Tensor.Empty(x.Device, x.Shape.With(-1, outputs), result ?? x.DType, nameof(Linear));
        bool records = Tape.Records(x, weight, bias);
        var z = records && activation == Activation.Gelu ? y.NewLike(y.Shape, nameof(Linear)) : null;
        var narrowBias = activation == Activation.None ? bias?.As(y.DType) : bias?.Data;
        LinearKernel.Forward(size, x.Data, weight.As(x.DType), narrowBias, z?.Data, y.Data, records || Tape.Rehearses ? null : weight.Panels(rows));
        if (!records)
            return y;
        ReadOnlySpan<Tensor> inputs = bias is null ? [x, weight] : [x, weight, bias];
        ReadOnlySpan<Tensor> scratch = z is null ? [] : [z];
        return Tape.Record(
            nameof(Linear),
            y,
            inputs,
            (x, weight, bias, z, y, size),
            static (dy, saved) =>
            {
                var (x, weight, bias, z, y, s) = saved;
                var dz = dy;
                var db = bias is { RequiresGrad: true } ? bias.NewLike(bias.Shape, nameof(Linear)) : null;
                if (s.Activation != Activation.None)
                {
                    dz = dy.NewLike(dy.Shape, nameof(Linear));
                    LinearKernel.Backward(s, (z ?? y).Data, dy.Data, dz.Data, db?.Data);
                }
                else if (db is not null)
                {
                    LinearKernel.Backward(s, null, dy.Data, null, db.Data);
                }

                dz = dz.To(x.DType);
                Tensor? dx = null, dw = null;
                if (x.RequiresGrad)
                {
                    dx = x.NewLike(x.Shape, nameof(Linear));
                    MatMulKernel.Forward(new MatMulSize(1, s.N, s.I, s.O), dz.Data, weight.As(dz.DType), dx.Data);
                }

                if (weight.RequiresGrad)
                {
                    dw = weight.NewLike(weight.Shape, nameof(Linear));
                    MatMulKernel.Forward(new MatMulSize(1, s.O, s.I, s.N, TransposeA: true), dz.Data, x.Data, dw.Data);
                }

                return new Gradients(dx, dw, db);
            },
            scratch);
    }

    // The rows of x and the outputs.
    private static (int Rows, int Outputs) CheckLinear(string op, Tensor x, Tensor weight, Tensor? bias, Activation activation, DType? result)
    {
        Check.Float(op, x);
        Check.Parameters(op, x, weight, bias);
        Check.Defined(op, nameof(activation), activation);
        if (weight.Shape.Rank != 2)
            throw new ArgumentException($"{op}: weight must be [O, I], got {weight.Shape}.");
        if (x.Shape.Rank == 0 || x.Shape[-1] != weight.Shape[1])
            throw new ArgumentException($"{op}: the last axis of x must be I, got x {x.Shape}, weight {weight.Shape}.");
        if (bias is not null && bias.Shape != [weight.Shape[0]])
            throw new ArgumentException($"{op}: bias must be [O], got bias {bias.Shape}, weight {weight.Shape}.");
        if (result is { } wanted && wanted != x.DType && wanted != DType.Float32)
            throw new ArgumentException($"{op}: the result must be of the type of x or Float32, got {wanted} for {x}.");
        return (checked((int)x.Shape.CountOf(0, x.Shape.Rank - 1)), weight.Shape[0]);
    }
}
