using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

public static partial class Ops
{
    /// <summary>
    /// y = LayerNorm(residual + Dropout(x)), what surrounds every sub-layer of a post-norm model, in one pass over memory.
    /// </summary>
    /// <remarks>
    /// Draws what <see cref="Dropout"/> would draw, and is bit for bit <see cref="Dropout"/>, <see cref="Add"/> and <see cref="LayerNorm"/> one after the
    /// other in float32 on the processor; on a GPU the sum may be rounded once instead of twice. Saves the sum and two numbers a row for backward. NaN or
    /// infinity in a row of the sum makes that row NaN. A. Vaswani et al., "Attention Is All You Need", 2017, sections 3.1 and 5.4.
    /// </remarks>
    /// <param name="x">[..., C], float, C at least 1: the output of the sub-layer.</param>
    /// <param name="residual">The shape and type of <paramref name="x"/>: what entered the sub-layer.</param>
    /// <param name="gain">[C], float32.</param>
    /// <param name="bias">[C], float32.</param>
    /// <param name="p">Probability in 0 .. 1, below 1, of dropping an element of <paramref name="x"/>.</param>
    /// <param name="random">Draws one stream unless p is 0; null in evaluation.</param>
    /// <param name="epsilon">Added to the variance, at least 0.</param>
    /// <returns>The shape of <paramref name="x"/>, new.</returns>
    /// <exception cref="ArgumentException">The shapes or types do not fit together, p or epsilon is out of range, or the devices differ.</exception>
    public static Tensor DropoutAddLayerNorm(Tensor x, Tensor residual, Tensor gain, Tensor bias, float p, RandomSource? random, float epsilon = 1e-5f)
    {
        Check.Float(nameof(DropoutAddLayerNorm), x, residual);
        Check.Parameters(nameof(DropoutAddLayerNorm), x, gain, bias);
        Check.DropProbability(nameof(DropoutAddLayerNorm), p);
        if (residual.Shape != x.Shape)
            throw new ArgumentException($"DropoutAddLayerNorm: residual must have the shape of x, got x {x.Shape}, residual {residual.Shape}.");
        var size = NormSize(nameof(DropoutAddLayerNorm), x, gain, bias, epsilon);
        var mask = random is null || p == 0 ? default : new DropMask(random.NextKey(), p);
        var y = x.NewLike(x.Shape, nameof(DropoutAddLayerNorm));
        if (!Tape.Records(x, residual, gain, bias))
        {
            DropoutAddLayerNormKernel.Forward(size, mask, x.Data, residual.Data, gain.Data, bias.Data, y.Data, null, null, null);
            return y;
        }

        var sum = x.NewLike(x.Shape, nameof(DropoutAddLayerNorm));
        var mean = x.NewFloats([size.N], nameof(DropoutAddLayerNorm));
        var r = x.NewFloats([size.N], nameof(DropoutAddLayerNorm));
        DropoutAddLayerNormKernel.Forward(size, mask, x.Data, residual.Data, gain.Data, bias.Data, y.Data, sum.Data, mean.Data, r.Data);
        return Tape.Record(
            nameof(DropoutAddLayerNorm),
            y,
            [x, residual, gain, bias],
            (size, mask, x.RequiresGrad, residual.RequiresGrad, sum, gain, bias, mean, r),
            static (dy, saved) =>
            {
                var (size, mask, ofX, ofResidual, sum, gain, bias, mean, r) = saved;

                // Where nothing is dropped both are one gradient.
                bool one = !mask.Active && ofX && ofResidual;
                var dresidual = ofResidual ? dy.NewLike(dy.Shape, nameof(DropoutAddLayerNorm)) : null;
                var dx = ofX && !one ? dy.NewLike(dy.Shape, nameof(DropoutAddLayerNorm)) : null;
                var dgain = gain.RequiresGrad ? gain.NewLike(gain.Shape, nameof(DropoutAddLayerNorm)) : null;
                var dbias = bias.RequiresGrad ? bias.NewLike(bias.Shape, nameof(DropoutAddLayerNorm)) : null;
                DropoutAddLayerNormKernel.Backward(
                    size, mask, sum.Data, gain.Data, mean.Data, r.Data, dy.Data, dx?.Data, dresidual?.Data, dgain?.Data, dbias?.Data);
                return new Gradients(one ? dresidual : dx, dresidual, dgain, dbias);
            },
            sum,
            mean,
            r);
    }
}
