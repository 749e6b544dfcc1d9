using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed class DynamicConvStepTests
{
    [Theory, Devices]
    public void SteppingEqualsTheCausalConvolution(string name)
    {
        using var device = TestDevices.Open(name);
        foreach (var c in StepCases.All)
        {
            using var scope = TensorScope.Begin();
            var random = new Random(9);
            int width = c.H * c.K;
            float[] logits = Input.Random(random, [c.B, c.T, width]).Values;
            StepCases.Check(
                c,
                device,
                random,
                x => Ops.DynamicConv(x, Tensor.From(device, logits, [c.B, c.T, width]), c.H, c.K - 1, c.Softmax),
                (x, t, window, order) =>
                {
                    float[] rows = [.. order.SelectMany(n => logits[(((n * c.T) + t) * width)..(((n * c.T) + t + 1) * width)])];
                    return Ops.DynamicConvStep(x, Tensor.From(device, rows, [c.B, width]), c.H, window, StepCases.Positions(device, c.B, t), c.Softmax);
                });
        }
    }

    [Theory, Devices]
    public void Refusals(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var x = Tensor.Zeros(device, [4, 8]);
        var window = Tensor.Zeros(device, [4, 3, 8]);
        var positions = StepCases.Positions(device, 4, 0);
        Refuses(
            "DynamicConvStep: the window must be [N, K, C] = [4, 2, 8], got [4, 3, 8] (input [4, 8], logits [4, 4]).",
            () => Ops.DynamicConvStep(x, Tensor.Zeros(device, [4, 4]), 2, window, positions));
        Refuses(
            "DynamicConvStep: positions must be in 0 .. 2147483646, got -2 at [n = 0].",
            () => Ops.DynamicConvStep(x, Tensor.Zeros(device, [4, 6]), 2, window, StepCases.Positions(device, 4, -2)));
        Refuses(
            "DynamicConvStep: the input must be [N, C] and the logits [N, H K], got input [4, 8], logits [3, 6].",
            () => Ops.DynamicConvStep(x, Tensor.Zeros(device, [3, 6]), 2, window, positions));
        Refuses(
            "DynamicConvStep: H must divide C, got H = 3, C = 8 (input [4, 8], logits [4, 6]).",
            () => Ops.DynamicConvStep(x, Tensor.Zeros(device, [4, 6]), 3, window, positions));
    }

    private static void Refuses(string message, Action call) => Assert.Equal(message, Assert.Throws<ArgumentException>(call).Message);
}
