using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

public static partial class Ops
{
    /// <summary>
    /// One step of <see cref="LightConv"/> in incremental decoding: stores x[n] as the input of step t = positions[n] in row t mod K of the window and computes
    /// y[n, c] = sum over k of s[h, k] * input(n, t - (K - 1) + k)[c], what the causal convolution (leftPadding = K - 1) gives at this position.
    /// The window is a ring, nothing in it moves; its state is K C numbers a row whatever the position, and beams are reordered by its leading axis.
    /// Rows of the window that belong to steps before 0 are not read. No gradient.
    /// </summary>
    /// <param name="x">[N, C], the inputs of this step.</param>
    /// <param name="weight">[H, K], float32, the logits of the taps; H divides C, K is 1 .. 255.</param>
    /// <param name="window">[N, K, C], the last K inputs; written in place.</param>
    /// <param name="positions">[N] integers, the number of each row's step; 0 is the first. In memory, so that a captured step may be launched for any.</param>
    /// <param name="softmax">False takes the weight itself as taps.</param>
    /// <returns>[N, C], new.</returns>
    /// <exception cref="ArgumentException">The shapes do not fit each other or a number is out of its range.</exception>
    public static Tensor LightConvStep(Tensor x, Tensor weight, Tensor window, Tensor positions, bool softmax = true)
    {
        const string Op = nameof(LightConvStep);
        Check.Float(Op, x, window);
        Check.Parameters(Op, x, weight);
        if (x.Shape.Rank != 2 || weight.Shape.Rank != 2)
            throw new ArgumentException($"{Op}: the input must be [N, C] and the weight [H, K], got input {x.Shape}, weight {weight.Shape}.");
        var size = new ConvSize(x.Shape[0], 1, x.Shape[1], weight.Shape[0], weight.Shape[1], weight.Shape[1] - 1);
        var shapes = new OperandShapes("input", x, "weight", weight);
        if (size.H == 0 || size.C % size.H != 0)
            throw new ArgumentException($"{Op}: H must divide C, got H = {size.H}, C = {size.C} ({shapes}).");
        CheckTaps(Op, size, shapes);
        CheckWindow(Op, size, x, window, positions, shapes);
        var y = x.NewLike(x.Shape, Op);
        window.Data.Buffer.Touch();
        LightConvKernel.Step(size, new TapRule(softmax, default), x.Data, weight.Data, window.Data, positions.Data, y.Data);
        return y;
    }

    // One for each row of x, 0 .. limit - 1.
    private static void CheckPositions(string op, Tensor x, Tensor positions, int limit, OperandShapes shapes)
    {
        Check.Int(op, "positions", x, positions);
        if (positions.Shape != [x.Shape[0]])
            throw new ArgumentException($"{op}: positions must be [N], got {positions.Shape} ({shapes}).");
        Check.Range(op, "positions", positions, limit, "n");
    }

    private static void CheckWindow(string op, ConvSize size, Tensor x, Tensor window, Tensor positions, OperandShapes shapes)
    {
        if (window.Shape != [size.B, size.K, size.C])
            throw new ArgumentException($"{op}: the window must be [N, K, C] = [{size.B}, {size.K}, {size.C}], got {window.Shape} ({shapes}).");
        CheckPositions(op, x, positions, int.MaxValue, shapes);
    }
}
