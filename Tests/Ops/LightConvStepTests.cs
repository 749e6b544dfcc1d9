using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed class LightConvStepTests
{
    [Theory, Devices]
    public void SteppingEqualsTheCausalConvolution(string name)
    {
        using var device = TestDevices.Open(name);
        foreach (var c in StepCases.All)
        {
            using var scope = TensorScope.Begin();
            var random = new Random(8);
            var weight = Tensor.From(device, Input.Random(random, [c.H, c.K]).Values, [c.H, c.K]);
            StepCases.Check(
                c, device, random, x => Ops.LightConv(x, weight, c.K - 1, c.Softmax), (x, t, window, rows) => Ops.LightConvStep(x, weight, window, StepCases.Positions(device, c.B, t), c.Softmax));
        }
    }

    [Theory, Devices]
    public void Refusals(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var x = Tensor.Zeros(device, [4, 8]);
        var weight = Tensor.Zeros(device, [2, 3]);
        var positions = StepCases.Positions(device, 4, 0);
        Refuses(
            "LightConvStep: the window must be [N, K, C] = [4, 3, 8], got [4, 2, 8] (input [4, 8], weight [2, 3]).",
            () => Ops.LightConvStep(x, weight, Tensor.Zeros(device, [4, 2, 8]), positions));
        Refuses(
            "LightConvStep: positions must be in 0 .. 2147483646, got -1 at [n = 0].",
            () => Ops.LightConvStep(x, weight, Tensor.Zeros(device, [4, 3, 8]), StepCases.Positions(device, 4, -1)));
        Refuses(
            "LightConvStep: positions must be [N], got [3] (input [4, 8], weight [2, 3]).",
            () => Ops.LightConvStep(x, weight, Tensor.Zeros(device, [4, 3, 8]), StepCases.Positions(device, 3, 0)));
        Refuses(
            "LightConvStep: H must divide C, got H = 3, C = 8 (input [4, 8], weight [3, 3]).",
            () => Ops.LightConvStep(x, Tensor.Zeros(device, [3, 3]), Tensor.Zeros(device, [4, 3, 8]), positions));
        Refuses(
            "LightConvStep: the input must be [N, C] and the weight [H, K], got input [4, 1, 8], weight [2, 3].",
            () => Ops.LightConvStep(x.Reshape([4, 1, 8]), weight, Tensor.Zeros(device, [4, 3, 8]), positions));
    }

    private static void Refuses(string message, Action call) => Assert.Equal(message, Assert.Throws<ArgumentException>(call).Message);
}

/// <summary>What both incremental convolutions are held to.</summary>
internal static class StepCases
{
    public static IEnumerable<ConvCase> All =>
    [
        new(1, 1, 1, 1, 1, 0), new(3, 9, 8, 2, 1, 0), new(2, 7, 12, 3, 3, 0), new(4, 20, 64, 1, 7, 0), new(2, 70, 128, 2, 31, 0),
        new(3, 12, 96, 4, 15, 0, Softmax: false), new(1, 5, 33, 1, 255, 0), new(5, 40, 130, 2, 8, 0),
    ];

    /// <summary>The same position for each of n sequences.</summary>
    public static Tensor Positions(Device device, int n, int position) => Tensor.From(device, [.. Enumerable.Repeat(position, n)]);

    /// <summary>
    /// Steps through T positions, swapping the rows of all that lives (as a beam search does) on the way, and compares with the whole convolution.
    /// </summary>
    public static void Check(
        ConvCase c, Device device, Random random, Func<Tensor, Tensor> whole, Func<Tensor, int, Tensor, int[], Tensor> step)
    {
        var input = Input.Random(random, [c.B, c.T, c.C]);
        float[] expected = whole(Tensor.From(device, input.Values, input.Shape)).ToArray();

        // Rows of steps before 0 must not be read: they are NaN.
        var window = Tensor.Full(device, [c.B, c.K, c.C], float.NaN);
        int[] order = [.. Enumerable.Range(0, c.B)];
        for (int t = 0; t < c.T; t++)
        {
            var rows = new float[c.B * c.C];
            for (int n = 0; n < c.B; n++)
                input.Values.AsSpan(((order[n] * c.T) + t) * c.C, c.C).CopyTo(rows.AsSpan(n * c.C));
            float[] got = step(Tensor.From(device, rows, [c.B, c.C]), t, window, order).ToArray();
            for (int n = 0; n < c.B; n++)
            {
                for (int channel = 0; channel < c.C; channel++)
                {
                    float wanted = expected[(((order[n] * c.T) + t) * c.C) + channel], y = got[(n * c.C) + channel];
                    Assert.True(Math.Abs(wanted - y) <= 1e-5f * (1 + Math.Abs(wanted)), $"{c}: step {t} row {n} channel {channel} is {y}, expected {wanted}");
                }
            }

            if (t % 3 == 2)
                window = Rotate(window, order);
        }
    }

    private static Tensor Rotate(Tensor window, int[] order)
    {
        int row = window.Shape[1] * window.Shape[2];
        float[] values = window.ToArray();
        float[] rotated = [.. values[row..], .. values[..row]];
        int first = order[0];
        order.AsSpan(1).CopyTo(order);
        order[^1] = first;
        return Tensor.From(window.Device, rotated, window.Shape);
    }
}
