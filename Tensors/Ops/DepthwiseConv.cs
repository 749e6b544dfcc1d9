using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

public static partial class Ops
{
    /// <summary>
    /// Depthwise convolution over time: every channel has its own taps.
    /// y[b, t, c] = bias[c] + sum over k of weight[c, k] * x[b, t + k - leftPadding, c]; taps are not flipped, x is zero outside 0 .. T - 1.
    /// Cost: 2 B T C K operations, x and y cross memory once. Saves x and the weight for backward.
    /// Source: Wu, Fan, Baevski, Dauphin and Auli, "Pay Less Attention with Lightweight and Dynamic Convolutions", ICLR 2019, section 2.
    /// </summary>
    /// <param name="x">[B, T, C].</param>
    /// <param name="weight">[C, K], float32; K is 1 .. 255. Tap 0 is the earliest.</param>
    /// <param name="bias">[C], float32, or null for none.</param>
    /// <param name="leftPadding">Zeros before the first step, 0 .. K - 1: K - 1 makes the convolution causal, K / 2 centres it.</param>
    /// <returns>[B, T, C], new.</returns>
    /// <exception cref="ArgumentException">The shapes do not fit each other or a number is out of its range.</exception>
    public static Tensor DepthwiseConv(Tensor x, Tensor weight, Tensor? bias, int leftPadding)
    {
        const string Op = nameof(DepthwiseConv);
        Check.Float(Op, x);
        Check.Parameters(Op, x, weight, bias);
        string biasShape = bias is null ? "none" : bias.Shape.ToString();
        if (x.Shape.Rank != 3 || weight.Shape.Rank != 2 || weight.Shape[0] != x.Shape[2] || (bias is not null && bias.Shape != [x.Shape[2]]))
        {
            throw new ArgumentException(
                $"{Op}: the input must be [B, T, C], the weight [C, K] and the bias [C], got input {x.Shape}, weight {weight.Shape}, bias {biasShape}.");
        }

        var size = new ConvSize(x.Shape[0], x.Shape[1], x.Shape[2], x.Shape[2], weight.Shape[1], leftPadding);
        CheckTaps(Op, size, new("input", x, "weight", weight));
        var y = x.NewLike(x.Shape, Op);
        DepthwiseConvKernel.Forward(size, x.Data, weight.Data, bias?.Data, y.Data);
        return Tape.Record(
            Op,
            y,
            bias is null ? [x, weight] : [x, weight, bias],
            (Size: size, X: x, Weight: weight, Bias: bias),
            static (dy, s) =>
            {
                var dx = s.X.RequiresGrad ? dy.NewLike(s.X.Shape, Op) : null;
                var dweight = s.Weight.RequiresGrad ? s.Weight.NewLike(s.Weight.Shape, Op) : null;
                var dbias = s.Bias is { RequiresGrad: true } ? s.Bias.NewLike(s.Bias.Shape, Op) : null;
                DepthwiseConvKernel.Backward(s.Size, s.X.Data, s.Weight.Data, dy.Data, dx?.Data, dweight?.Data, dbias?.Data);
                return new Gradients(dx, dweight, dbias);
            });
    }
}
