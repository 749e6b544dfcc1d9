using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

public static partial class Ops
{
    /// <summary>
    /// Lightweight convolution: a depthwise convolution over time whose taps are normalised and shared by all channels of a head.
    /// y[b, t, c] = sum over k of s[h, k] * x[b, t + k - leftPadding, c], with s[h, :] = softmax(weight[h, :]) and h = c / (C / H), so that heads are contiguous
    /// groups of channels. x is zero outside 0 .. T - 1; the softmax is over all K taps even where T is smaller, and nothing is renormalised at the edges.
    /// DropConnect sets taps to zero after the softmax and multiplies the others by 1 / (1 - dropConnect), with one mask over [H, K] a call, the same
    /// for all sequences and steps, as fairseq's CUDA layer does (its band-matrix path draws one a sequence, head, step and tap instead).
    /// Cost: 2 B T C K operations, x and y cross memory once. Saves x, the weight and the mask's key for backward; taps and mask are made again.
    /// Source: Wu, Fan, Baevski, Dauphin and Auli, "Pay Less Attention with Lightweight and Dynamic Convolutions", ICLR 2019.
    /// </summary>
    /// <param name="x">[B, T, C].</param>
    /// <param name="weight">[H, K], float32, the logits of the taps; H divides C, K is 1 .. 255. Tap 0 is the earliest.</param>
    /// <param name="leftPadding">Zeros before the first step, 0 .. K - 1: K - 1 makes the convolution causal, K / 2 centres it.</param>
    /// <param name="softmax">False takes the weight itself as taps.</param>
    /// <param name="dropConnect">The probability that a tap is dropped, 0 .. 1 (1 excluded).</param>
    /// <param name="random">Draws the mask; null is evaluation, which drops nothing.</param>
    /// <returns>[B, T, C], new.</returns>
    /// <exception cref="ArgumentException">The shapes do not fit each other or a number is out of its range.</exception>
    public static Tensor LightConv(
        Tensor x, Tensor weight, int leftPadding, bool softmax = true, float dropConnect = 0, RandomSource? random = null)
    {
        var size = CheckConv(nameof(LightConv), x, weight, "[H, K]", leftPadding);
        var rule = CheckRule(nameof(LightConv), softmax, dropConnect, random);
        var y = x.NewLike(x.Shape, nameof(LightConv));
        LightConvKernel.Forward(size, rule, x.Data, weight.Data, y.Data);
        return Tape.Record(
            nameof(LightConv),
            y,
            [x, weight],
            (Size: size, Rule: rule, X: x, Weight: weight),
            static (dy, s) =>
            {
                var dx = s.X.RequiresGrad ? dy.NewLike(s.X.Shape, nameof(LightConv)) : null;
                var dweight = s.Weight.RequiresGrad ? s.Weight.NewLike(s.Weight.Shape, nameof(LightConv)) : null;
                LightConvKernel.Backward(s.Size, s.Rule, s.X.Data, s.Weight.Data, dy.Data, dx?.Data, dweight?.Data);
                return new Gradients(dx, dweight);
            });
    }

    // The gate of the convolutions whose weight is [rows, K].
    private static ConvSize CheckConv(string op, Tensor x, Tensor weight, string weightShape, int leftPadding)
    {
        Check.Float(op, x);
        Check.Parameters(op, x, weight);
        if (x.Shape.Rank != 3 || weight.Shape.Rank != 2)
            throw new ArgumentException($"{op}: the input must be [B, T, C] and the weight {weightShape}, got input {x.Shape}, weight {weight.Shape}.");
        var size = new ConvSize(x.Shape[0], x.Shape[1], x.Shape[2], weight.Shape[0], weight.Shape[1], leftPadding);
        if (size.H == 0 || size.C % size.H != 0)
            throw new ArgumentException($"{op}: H must divide C, got H = {size.H}, C = {size.C} (input {x.Shape}, weight {weight.Shape}).");
        CheckTaps(op, size, new("input", x, "weight", weight));
        return size;
    }

    private static void CheckTaps(string op, ConvSize size, OperandShapes shapes)
    {
        if (size.K is < 1 or > ConvSize.MaxK)
            throw new ArgumentException($"{op}: K must be in 1 .. {ConvSize.MaxK}, got K = {size.K} ({shapes}).");
        if (size.LeftPadding < 0 || size.LeftPadding >= size.K)
            throw new ArgumentException($"{op}: leftPadding must be in 0 .. K - 1, got leftPadding = {size.LeftPadding}, K = {size.K} ({shapes}).");
    }

    private static TapRule CheckRule(string op, bool softmax, float dropConnect, RandomSource? random)
    {
        if (!(dropConnect >= 0 && dropConnect < 1))
            throw new ArgumentException(FormattableString.Invariant($"{op}: dropConnect must be in 0 .. 1 (1 excluded), got {dropConnect}."));
        return new TapRule(softmax, dropConnect > 0 && random is not null ? new DropMask(random.NextKey(), dropConnect) : default);
    }
}
