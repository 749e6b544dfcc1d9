using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed record SliceCase(int[] Shape, int Axis, int Start, int Length)
{
    public override string ToString() => $"[{string.Join(", ", Shape)}], axis {Axis}, {Start} + {Length}";
}

public sealed class SliceTests : OpTests<SliceCase>
{
    protected override IEnumerable<SliceCase> Cases =>
    [
        new([5], 0, 0, 5), new([5], 0, 2, 0), new([5], 0, 5, 0), new([5], 0, 1, 3), new([1, 6, 3], 1, 2, 3), new([4, 6, 3], 1, 0, 6), new([4, 6, 3], 1, 2, 3),
        new([4, 6, 3], -1, 1, 1), new([4, 6, 3], 0, 3, 1), new([2, 3, 4, 5, 6, 7], 3, 1, 2), new([3, 0, 4], 2, 1, 2), new([3, 40_000], 1, 100, 39_000), new([900, 70], 1, 33, 37),
    ];

    protected override Input[] Inputs(SliceCase c, Random random) => [Input.Random(random, new Shape(c.Shape))];

    protected override Tensor Call(SliceCase c, Tensor[] inputs) => Ops.Slice(inputs[0], c.Axis, c.Start, c.Length);

    protected override T[] Reference<T>(SliceCase c, T[][] inputs)
    {
        int axis = c.Axis < 0 ? c.Axis + c.Shape.Length : c.Axis;
        int inner = Naive.Count(c.Shape[(axis + 1)..]), length = c.Shape[axis];
        return [.. inputs[0].Where((_, i) => i / inner % length >= c.Start && i / inner % length < c.Start + c.Length)];
    }

    [Theory, Devices]
    public void TakesIntegers(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        Assert.Equal([2, 3, 5, 6], Ops.Slice(Tensor.From(device, [1, 2, 3, 4, 5, 6], [2, 3]), 1, 1, 2).ToIntArray());
    }

    [Theory, Devices]
    public void Refusals(string name)
    {
        using var device = TestDevices.Open(name);
        foreach (var (start, length) in ((int, int)[])[(-1, 1), (0, 4), (3, 1), (4, 0), (1, -1), (int.MaxValue, int.MaxValue), (0, int.MinValue)])
        {
            Refuses<ArgumentOutOfRangeException>(
                $"Slice: must lie in axis 1, got start = {start}, length = {length} of [2, 3].",
                () => Ops.Slice(Tensor.Zeros(device, [2, 3]), 1, start, length));
        }
    }
}
