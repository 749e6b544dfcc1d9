using System.Numerics;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

/// <summary>A reduction along an axis; null sums everything.</summary>
public sealed record SumCase(int[] Shape, int? Axis, bool KeepAxis = false)
{
    public override string ToString() => $"[{string.Join(", ", Shape)}] along {Axis}{(KeepAxis ? ", kept" : "")}";
}

public sealed class SumTests : OpTests<SumCase>
{
    protected override IEnumerable<SumCase> Cases =>
    [
        .. new[] { 0, 1, 3, 7, 8, 9, 15, 16, 17, 31, 33, 63, 65, 127, 129, 16_384, 16_385, 70_001 }.Select(n => new SumCase([n], null)),
        .. from axis in (int[])[0, 1, 2] select new SumCase([3, 5, 17], axis),
        .. from axis in (int[])[-1, -2, -3] select new SumCase([3, 5, 17], axis, KeepAxis: true),
        .. from axis in (int[])[0, 1, 2] select new SumCase([2, 0, 3], axis),
        new([], null), new([4, 1, 3], 1), new([700, 1030], 0), new([700, 1030], 1), new([3, 300, 7], 1), new([5000, 3], 0), new([2, 40_000], 1), new([2, 3, 4, 5, 6, 7], 3),
    ];

    protected override Input[] Inputs(SumCase c, Random random) => [Input.Random(random, new Shape(c.Shape))];

    protected override Tensor Call(SumCase c, Tensor[] inputs) => c.Axis is { } axis ? Ops.Sum(inputs[0], axis, c.KeepAxis) : Ops.Sum(inputs[0]);

    protected override T[] Reference<T>(SumCase c, T[][] inputs) => Loops(c, inputs[0]).Sums;

    internal static (T[] Sums, int Length) Loops<T>(SumCase c, T[] x)
        where T : struct, IFloatingPointIeee754<T>
    {
        int axis = c.Axis is not { } a ? 0 : a < 0 ? a + c.Shape.Length : a;
        int outer = c.Axis is null ? 1 : Naive.Count(c.Shape[..axis]), length = c.Axis is null ? x.Length : c.Shape[axis];
        int inner = c.Axis is null ? 1 : Naive.Count(c.Shape[(axis + 1)..]);
        var y = new T[outer * inner];
        for (int o = 0; o < outer; o++)
        {
            for (int l = 0; l < length; l++)
            {
                for (int i = 0; i < inner; i++)
                    y[(o * inner) + i] += x[(((o * length) + l) * inner) + i];
            }
        }

        return (y, length);
    }

    [Theory, Devices]
    public void ShapesWithAndWithoutTheAxis(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var x = Tensor.Zeros(device, [2, 3, 4]);
        Assert.Equal([2, 4], Ops.Sum(x, 1).Shape);
        Assert.Equal([2, 1, 4], Ops.Sum(x, 1, keepAxis: true).Shape);
        Assert.Equal([], Ops.Sum(x).Shape);
    }

    [Theory, Devices]
    public void AMillionTenthsAreAHundredThousand(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        Assert.InRange(Ops.Sum(Tensor.Full(device, [1_000_000], 0.1f)).Item(), 99_999.9f, 100_000.1f);
        Assert.InRange(Ops.Sum(Tensor.Full(device, [1_000_000, 2], 0.1f), 0).ToArray()[1], 99_999.9f, 100_000.1f);
    }

    [Theory, Devices]
    public void Refusals(string name)
    {
        using var device = TestDevices.Open(name);
        Refuses<ArgumentException>($"Sum: inputs must be floats, got From [2] Int32 on {device}.", () => Ops.Sum(Tensor.From(device, [1, 2])));
        Refuses<ArgumentOutOfRangeException>(
            "Shape: axis must be in -1 .. 0 for [2], got 1. (Parameter 'axis')", () => Ops.Sum(Tensor.Zeros(device, [2]), 1));
    }
}

public sealed class MeanTests : OpTests<SumCase>
{
    protected override IEnumerable<SumCase> Cases =>
        [new([7], 0), new([3, 5, 17], 0), new([3, 5, 17], 1), new([3, 5, 17], -1, KeepAxis: true), new([700, 130], 0), new([4, 33_000], 1), new([2, 0, 3], 0)];

    protected override Input[] Inputs(SumCase c, Random random) => [Input.Random(random, new Shape(c.Shape))];

    protected override Tensor Call(SumCase c, Tensor[] inputs) => Ops.Mean(inputs[0], c.Axis!.Value, c.KeepAxis);

    protected override T[] Reference<T>(SumCase c, T[][] inputs)
    {
        var (sums, length) = SumTests.Loops(c, inputs[0]);
        return [.. sums.Select(sum => sum / T.CreateChecked(length))];
    }

    [Theory, Devices]
    public void TheMeanOfNothingIsNaN(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        Assert.Equal([float.NaN, float.NaN], Ops.Mean(Tensor.Zeros(device, [2, 0]), 1).ToArray());
    }

    [Theory, Devices]
    public void RefusesIntegers(string name)
    {
        using var device = TestDevices.Open(name);
        Refuses<ArgumentException>($"Mean: inputs must be floats, got From [2] Int32 on {device}.", () => Ops.Mean(Tensor.From(device, [1, 2]), 0));
    }
}
