using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed class MaskedFillTests : OpTests<BroadcastCase>
{
    private const float Value = -2.5f;

    protected override IEnumerable<BroadcastCase> Cases =>
    [
        .. new[] { 1, 3, 4, 7, 8, 9, 17, 33 }.Select(n => new BroadcastCase([n], [n])),
        new([], []), new([2, 0], [2, 1]), new([5, 7], [7]), new([5, 7], [5, 1]), new([5, 7], [1]), new([2, 3, 4, 9], [2, 1, 1, 9]), new([2, 3, 4, 9], [4, 1]),
        new([3, 40_001], [3, 1]), new([3, 40_001], [40_001]),
    ];

    protected override Input[] Inputs(BroadcastCase c, Random random) =>
    [
        Input.Random(random, new Shape(c.A)),
        Input.Ints(new Shape(c.B), Enumerable.Range(0, Naive.Count(c.B)).Select(_ => random.Next(3) - 1)),
    ];

    protected override Tensor Call(BroadcastCase c, Tensor[] inputs) => Ops.MaskedFill(inputs[0], inputs[1], Value);

    protected override T[] Reference<T>(BroadcastCase c, T[][] inputs)
        => Naive.Broadcast(c.A, c.B, inputs[0], inputs[1], (x, mask) => mask == T.Zero ? x : T.CreateChecked(Value));

    [Theory, Devices]
    public void EveryMaskThatIsNotZeroFills(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var y = Ops.MaskedFill(
            Tensor.From(device, [1f, float.NaN, 3f, 4f, 5f]), Tensor.From(device, [0, 1, -1, int.MinValue, int.MaxValue]), float.NegativeInfinity);
        Assert.Equal([1, float.NegativeInfinity, float.NegativeInfinity, float.NegativeInfinity, float.NegativeInfinity], y.ToArray());
    }

    [Theory, Devices]
    public void Refusals(string name)
    {
        using var device = TestDevices.Open(name);
        Refuses<ArgumentException>(
            "MaskedFill: the mask must broadcast to x, got x [1, 3], mask [2, 3].",
            () => Ops.MaskedFill(Tensor.Zeros(device, [1, 3]), Tensor.Zeros(device, [2, 3], DType.Int32), 0));
        Refuses<ArgumentException>(
            "MaskedFill: axes must be equal or 1, got 3 and 2 (inputs [3], [2]).",
            () => Ops.MaskedFill(Tensor.Zeros(device, [3]), Tensor.Zeros(device, [2], DType.Int32), 0));
        Refuses<ArgumentException>(
            $"MaskedFill: the mask must be integers, got Zeros [3] Float32 on {device}.",
            () => Ops.MaskedFill(Tensor.Zeros(device, [3]), Tensor.Zeros(device, [3]), 0));
    }
}
