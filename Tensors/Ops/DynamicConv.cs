using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

public static partial class Ops
{
    /// <summary>
    /// Dynamic convolution: a depthwise convolution over time whose taps are predicted anew at every step and shared by all channels of a head.
    /// y[b, t, c] = sum over k of s[b, t, h, k] * x[b, t + k - leftPadding, c], with s[b, t, h, :] = softmax(logits[b, t, h K .. h K + K - 1]) and
    /// h = c / (C / H), so that heads are contiguous groups of channels. x is zero outside 0 .. T - 1; the softmax is over all K taps even where T is smaller,
    /// and nothing is renormalised at the edges. DropConnect sets taps to zero after the softmax and multiplies the others by 1 / (1 - dropConnect),
    /// with a mask of its own for every (b, t, h, k).
    /// Cost: 2 B T C K operations; x, logits and y cross memory once. Saves x, the logits and the mask's key for backward; taps and mask are made again.
    /// Source: Wu, Fan, Baevski, Dauphin and Auli, "Pay Less Attention with Lightweight and Dynamic Convolutions", ICLR 2019.
    /// </summary>
    /// <param name="x">[B, T, C].</param>
    /// <param name="logits">[B, T, H K], the logits of the taps, head by head; K is 1 .. 255. Tap 0 is the earliest.</param>
    /// <param name="heads">H, which divides C.</param>
    /// <param name="leftPadding">Zeros before the first step, 0 .. K - 1: K - 1 makes the convolution causal, K / 2 centres it.</param>
    /// <param name="softmax">False takes the logits themselves as taps.</param>
    /// <param name="dropConnect">The probability that a tap is dropped, 0 .. 1 (1 excluded).</param>
    /// <param name="random">Draws the mask; null is evaluation, which drops nothing.</param>
    /// <returns>[B, T, C], new.</returns>
    /// <exception cref="ArgumentException">The shapes do not fit each other or a number is out of its range.</exception>
    public static Tensor DynamicConv(
        Tensor x, Tensor logits, int heads, int leftPadding, bool softmax = true, float dropConnect = 0, RandomSource? random = null)
    {
        const string Op = nameof(DynamicConv);
        Check.Float(Op, x, logits);
        if (x.Shape.Rank != 3 || logits.Shape.Rank != 3 || x.Shape[0] != logits.Shape[0] || x.Shape[1] != logits.Shape[1])
            throw new ArgumentException($"{Op}: the input must be [B, T, C] and the logits [B, T, H K], got input {x.Shape}, logits {logits.Shape}.");
        var size = CheckHeads(Op, x.Shape[0], x.Shape[1], x, logits, heads, leftPadding);
        var rule = CheckRule(Op, softmax, dropConnect, random);
        var y = x.NewLike(x.Shape, Op);
        DynamicConvKernel.Forward(size, rule, x.Data, logits.Data, y.Data);
        return Tape.Record(
            Op,
            y,
            [x, logits],
            (Size: size, Rule: rule, X: x, Logits: logits),
            static (dy, s) =>
            {
                var dx = s.X.RequiresGrad ? dy.NewLike(s.X.Shape, Op) : null;
                var dlogits = s.Logits.RequiresGrad ? dy.NewLike(s.Logits.Shape, Op) : null;
                DynamicConvKernel.Backward(s.Size, s.Rule, s.X.Data, s.Logits.Data, dy.Data, dx?.Data, dlogits?.Data);
                return new Gradients(dx, dlogits);
            });
    }

    // The sizes of a convolution whose logits have H K in their last axis; leftPadding null is K - 1.
    private static ConvSize CheckHeads(string op, int sequences, int steps, Tensor x, Tensor logits, int heads, int? leftPadding)
    {
        int channels = x.Shape[-1], width = logits.Shape[-1];
        if (heads < 1 || channels % heads != 0)
            throw new ArgumentException($"{op}: H must divide C, got H = {heads}, C = {channels} (input {x.Shape}, logits {logits.Shape}).");
        if (width % heads != 0)
            throw new ArgumentException($"{op}: the logits' last axis must be H K, got H = {heads} (input {x.Shape}, logits {logits.Shape}).");
        int taps = width / heads;
        var size = new ConvSize(sequences, steps, channels, heads, taps, leftPadding ?? taps - 1);
        CheckTaps(op, size, new("input", x, "logits", logits));
        return size;
    }
}
