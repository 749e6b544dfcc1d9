using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed record IndexSelectCase(int[] Shape, int Axis, int N)
{
    public override string ToString() => $"[{string.Join(", ", Shape)}], axis {Axis}, {N} indices";
}

public sealed class IndexSelectTests : OpTests<IndexSelectCase>
{
    protected override IEnumerable<IndexSelectCase> Cases =>
    [
        new([1], 0, 1), new([7], 0, 12), new([5, 3], 0, 9), new([5, 3], 1, 2), new([5, 3], -1, 7), new([4, 6, 17], 1, 5), new([4, 6, 17], 0, 8),
        new([4, 0, 17], 0, 8), new([4, 6, 17], 0, 0), new([2, 3, 4, 5, 33], 2, 3), new([40, 500], 0, 90),
    ];

    protected override Input[] Inputs(IndexSelectCase c, Random random)
    {
        int size = c.Shape[c.Axis < 0 ? c.Axis + c.Shape.Length : c.Axis];
        return [Input.Random(random, new Shape(c.Shape)), Input.Ints([c.N], Enumerable.Range(0, c.N).Select(_ => random.Next(size)))];
    }

    protected override Tensor Call(IndexSelectCase c, Tensor[] inputs) => Ops.IndexSelect(inputs[0], c.Axis, inputs[1]);

    protected override T[] Reference<T>(IndexSelectCase c, T[][] inputs)
    {
        int axis = c.Axis < 0 ? c.Axis + c.Shape.Length : c.Axis;
        int outer = Naive.Count(c.Shape[..axis]), length = c.Shape[axis], inner = Naive.Count(c.Shape[(axis + 1)..]);
        var y = new T[outer * c.N * inner];
        for (int o = 0; o < outer; o++)
        {
            for (int n = 0; n < c.N; n++)
            {
                for (int i = 0; i < inner; i++)
                    y[(((o * c.N) + n) * inner) + i] = inputs[0][(((o * length) + int.CreateChecked(inputs[1][n])) * inner) + i];
            }
        }

        return y;
    }

    [Theory, Devices]
    public void SelectsIntegers(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var y = Ops.IndexSelect(Tensor.From(device, [1, 2, 3, 4], [2, 2]), 0, Tensor.From(device, [1, 1, 0]));
        Assert.Equal([3, 4, 3, 4, 1, 2], y.ToIntArray());
    }

    [Theory, Devices]
    public void Refusals(string name)
    {
        using var device = TestDevices.Open(name);
        Refuses<ArgumentException>(
            "IndexSelect: indices must be in 0 .. 1, got 2 at [n = 1].",
            () => Ops.IndexSelect(Tensor.Zeros(device, [2, 3]), 0, Tensor.From(device, [0, 2])));
        Refuses<ArgumentException>(
            "IndexSelect: indices must be [N], got [1, 2] (x [2, 3]).",
            () => Ops.IndexSelect(Tensor.Zeros(device, [2, 3]), 0, Tensor.From(device, [0, 1], [1, 2])));
        Refuses<ArgumentOutOfRangeException>(
            "Shape: axis must be in -2 .. 1 for [2, 3], got 2. (Parameter 'axis')",
            () => Ops.IndexSelect(Tensor.Zeros(device, [2, 3]), 2, Tensor.From(device, [0])));
    }
}
