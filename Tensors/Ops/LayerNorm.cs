using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

public static partial class Ops
{
    /// <summary>
    /// y[..., c] = (x[..., c] - mean) / sqrt(variance + epsilon) * gain[c] + bias[c], with the mean and the biased variance of the row's C channels.
    /// </summary>
    /// <remarks>
    /// NaN or infinity anywhere in a row makes that row NaN. Saves x and two numbers a row for backward. The gradients of gain and bias are summed in
    /// fixed blocks of rows, so they do not depend on the number of threads. J. L. Ba, J. R. Kiros, G. E. Hinton, "Layer Normalization", 2016.
    /// </remarks>
    /// <param name="x">[..., C], float, C at least 1.</param>
    /// <param name="gain">[C], float32.</param>
    /// <param name="bias">[C], float32.</param>
    /// <param name="epsilon">Added to the variance, at least 0.</param>
    /// <returns>The shape of <paramref name="x"/>, new.</returns>
    /// <exception cref="ArgumentException">The shapes do not fit together, epsilon is out of range, or an input holds integers.</exception>
    public static Tensor LayerNorm(Tensor x, Tensor gain, Tensor bias, float epsilon = 1e-5f)
    {
        Check.Float(nameof(LayerNorm), x);
        Check.Parameters(nameof(LayerNorm), x, gain, bias);
        var size = NormSize(nameof(LayerNorm), x, gain, bias, epsilon);
        var y = x.NewLike(x.Shape, nameof(LayerNorm));
        if (!Tape.Records(x, gain, bias))
        {
            LayerNormKernel.Forward(size, x.Data, gain.Data, bias.Data, y.Data, null, null);
            return y;
        }

        var mean = x.NewFloats([size.N], nameof(LayerNorm));
        var r = x.NewFloats([size.N], nameof(LayerNorm));
        LayerNormKernel.Forward(size, x.Data, gain.Data, bias.Data, y.Data, mean.Data, r.Data);
        return Tape.Record(
            nameof(LayerNorm),
            y,
            [x, gain, bias],
            (size, x, gain, bias, mean, r),
            static (dy, saved) =>
            {
                var (size, x, gain, bias, mean, r) = saved;
                var dx = x.RequiresGrad ? dy.NewLike(x.Shape, nameof(LayerNorm)) : null;
                var dgain = gain.RequiresGrad ? gain.NewLike(gain.Shape, nameof(LayerNorm)) : null;
                var dbias = bias.RequiresGrad ? bias.NewLike(bias.Shape, nameof(LayerNorm)) : null;
                LayerNormKernel.Backward(size, x.Data, gain.Data, mean.Data, r.Data, dy.Data, dx?.Data, dgain?.Data, dbias?.Data);
                return new Gradients(dx, dgain, dbias);
            },
            mean,
            r);
    }

    private static LayerNormSize NormSize(string op, Tensor x, Tensor gain, Tensor bias, float epsilon)
    {
        if (x.Shape.Rank == 0 || x.Shape[-1] == 0 || gain.Shape != [x.Shape[-1]] || bias.Shape != gain.Shape)
            throw new ArgumentException($"{op}: must be input [..., C], gain [C], bias [C] with C at least 1, got input {x.Shape}, gain {gain.Shape}, bias {bias.Shape}.");
        if (!(epsilon >= 0 && float.IsFinite(epsilon)))
            throw new ArgumentException(FormattableString.Invariant($"{op}: epsilon must be at least 0, got {epsilon}."));
        return new LayerNormSize(checked((int)x.Shape.CountOf(0, x.Shape.Rank - 1)), x.Shape[-1], epsilon);
    }
}
