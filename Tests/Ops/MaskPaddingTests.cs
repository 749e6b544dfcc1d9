using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed record MaskPaddingCase(int B, int T, int[] Rest);

public sealed class MaskPaddingTests : OpTests<MaskPaddingCase>
{
    protected override IEnumerable<MaskPaddingCase> Cases =>
        [new(1, 1, []), new(3, 5, []), new(0, 4, [3]), new(2, 0, [3]), new(4, 7, [3]), new(3, 9, [16]), new(2, 5, [3, 17]), new(9, 40, [512])];

    protected override Input[] Inputs(MaskPaddingCase c, Random random) =>
    [
        Input.Random(random, new Shape([c.B, c.T, .. c.Rest])),
        Input.Ints([c.B], Enumerable.Range(0, c.B).Select(b => b == 0 ? c.T : random.Next(c.T + 1))),
    ];

    protected override Tensor Call(MaskPaddingCase c, Tensor[] inputs) => Ops.MaskPadding(inputs[0], inputs[1]);

    protected override T[] Reference<T>(MaskPaddingCase c, T[][] inputs)
    {
        int inner = Naive.Count(c.Rest);
        return [.. inputs[0].Select((x, i) => T.CreateChecked(i / inner % c.T) < inputs[1][i / inner / c.T] ? x : T.Zero)];
    }

    [Theory, Devices]
    public void Refusals(string name)
    {
        using var device = TestDevices.Open(name);
        Refuses<ArgumentException>(
            "MaskPadding: lengths must be in 0 .. 3, got 4 at [b = 1].",
            () => Ops.MaskPadding(Tensor.Zeros(device, [2, 3, 4]), Tensor.From(device, [3, 4])));
        Refuses<ArgumentException>(
            "MaskPadding: x must be [B, T, ...] and lengths [B], got x [2, 3, 4], lengths [3].",
            () => Ops.MaskPadding(Tensor.Zeros(device, [2, 3, 4]), Tensor.From(device, [3, 3, 3])));
        Refuses<ArgumentException>(
            $"MaskPadding: lengths must be integers, got Zeros [2] Float32 on {device}.",
            () => Ops.MaskPadding(Tensor.Zeros(device, [2, 3, 4]), Tensor.Zeros(device, [2])));
    }
}
