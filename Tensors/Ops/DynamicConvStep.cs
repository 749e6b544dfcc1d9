using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

public static partial class Ops
{
    /// <summary>
    /// One step of <see cref="DynamicConv"/> in incremental decoding: stores x[n] as the input of step t = positions[n] in row t mod K of the window and computes
    /// y[n, c] = sum over k of s[n, h, k] * input(n, t - (K - 1) + k)[c], what the causal convolution (leftPadding = K - 1) gives at this position.
    /// The softmax is over all K taps from the first step on, as in the full convolution.
    /// The window is a ring, nothing in it moves; its state is K C numbers a row whatever the position, and beams are reordered by its leading axis.
    /// Rows of the window that belong to steps before 0 are not read. No gradient.
    /// </summary>
    /// <param name="x">[N, C], the inputs of this step.</param>
    /// <param name="logits">[N, H K], the logits of this step's taps, head by head; K is 1 .. 255.</param>
    /// <param name="heads">H, which divides C.</param>
    /// <param name="window">[N, K, C], the last K inputs; written in place.</param>
    /// <param name="positions">[N] integers, the number of each row's step; 0 is the first. In memory, so that a captured step may be launched for any.</param>
    /// <param name="softmax">False takes the logits themselves as taps.</param>
    /// <returns>[N, C], new.</returns>
    /// <exception cref="ArgumentException">The shapes do not fit each other or a number is out of its range.</exception>
    public static Tensor DynamicConvStep(Tensor x, Tensor logits, int heads, Tensor window, Tensor positions, bool softmax = true)
    {
        const string Op = nameof(DynamicConvStep);
        Check.Float(Op, x, logits, window);
        if (x.Shape.Rank != 2 || logits.Shape.Rank != 2 || x.Shape[0] != logits.Shape[0])
            throw new ArgumentException($"{Op}: the input must be [N, C] and the logits [N, H K], got input {x.Shape}, logits {logits.Shape}.");
        var size = CheckHeads(Op, x.Shape[0], 1, x, logits, heads, leftPadding: null);
        CheckWindow(Op, size, x, window, positions, new("input", x, "logits", logits));
        var y = x.NewLike(x.Shape, Op);
        window.Data.Buffer.Touch();
        DynamicConvKernel.Step(size, new TapRule(softmax, default), x.Data, logits.Data, window.Data, positions.Data, y.Data);
        return y;
    }
}
