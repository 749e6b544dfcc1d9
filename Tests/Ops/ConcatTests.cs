using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed record ConcatCase(int[] Before, int[] Lengths, int[] Behind, bool FromTheEnd = false)
{
    public override string ToString() => $"[{string.Join(", ", Before)}] x [{string.Join(" + ", Lengths)}] x [{string.Join(", ", Behind)}]";
}

public sealed class ConcatTests : OpTests<ConcatCase>
{
    protected override IEnumerable<ConcatCase> Cases =>
    [
        new([], [3], []), new([], [3, 4], []), new([], [1, 0, 5, 2], [3]), new([4], [2, 3], []), new([4], [2, 3, 1], [5], FromTheEnd: true), new([2, 3], [4, 4], [2, 2]),
        new([0], [2, 3], [5]), new([900], [33, 64, 31], []), new([2], [30_001, 40_000], []),
    ];

    protected override Input[] Inputs(ConcatCase c, Random random)
        => [.. c.Lengths.Select(n => Input.Random(random, new Shape([.. c.Before, n, .. c.Behind])))];

    protected override Tensor Call(ConcatCase c, Tensor[] inputs) => Ops.Concat(c.FromTheEnd ? -1 - c.Behind.Length : c.Before.Length, inputs);

    protected override T[] Reference<T>(ConcatCase c, T[][] inputs)
    {
        int outer = Naive.Count(c.Before), inner = Naive.Count(c.Behind);
        return [.. Enumerable.Range(0, outer).SelectMany(o => inputs.SelectMany((x, i) => x.Skip(o * c.Lengths[i] * inner).Take(c.Lengths[i] * inner)))];
    }

    [Theory, Devices]
    public void JoinsIntegers(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        Assert.Equal([1, 3, 2, 4], Ops.Concat(1, Tensor.From(device, [1, 2], [2, 1]), Tensor.From(device, [3, 4], [2, 1])).ToIntArray());
    }

    [Theory, Devices]
    public void OneTensorTwiceGetsBothGradients(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var x = Tensor.From(device, [1f, 2f]).AsParameter();
        var constant = Tensor.From(device, [9f]);
        Ops.Concat(0, x, constant, x).Backward(Tensor.From(device, [1f, 2f, 3f, 40f, 50f]));
        Assert.Equal([41, 52], x.Grad!.ToArray());
    }

    [Theory, Devices]
    public void Refusals(string name)
    {
        using var device = TestDevices.Open(name);
        Refuses<ArgumentException>("Concat: must have at least one input, got none.", () => Ops.Concat(0));
        Refuses<ArgumentException>(
            $"Concat: inputs must be alike in all but axis 1, got Zeros [2, 3] Float32 on {device} and Zeros [3, 3] Float32 on {device}.",
            () => Ops.Concat(1, Tensor.Zeros(device, [2, 3]), Tensor.Zeros(device, [3, 3])));
        Refuses<ArgumentException>(
            $"Concat: inputs must be alike in all but axis 0, got Zeros [2] Float32 on {device} and From [1] Int32 on {device}.",
            () => Ops.Concat(0, Tensor.Zeros(device, [2]), Tensor.From(device, [1])));
        Refuses<ArgumentException>(
            $"Concat: inputs must be alike in all but axis 0, got Zeros [2] Float32 on {device} and Zeros [2, 1] Float32 on {device}.",
            () => Ops.Concat(0, Tensor.Zeros(device, [2]), Tensor.Zeros(device, [2, 1])));
        Refuses<ArgumentOutOfRangeException>(
            "Shape: axis must be in -1 .. 0 for [2], got 1. (Parameter 'axis')", () => Ops.Concat(1, Tensor.Zeros(device, [2])));
    }
}
