using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed record TransposeCase(int[] Shape, int[] Axes)
{
    public override string ToString() => $"[{string.Join(", ", Shape)}] by [{string.Join(", ", Axes)}]";
}

public sealed class TransposeTests : OpTests<TransposeCase>
{
    protected override IEnumerable<TransposeCase> Cases =>
    [
        new([], []), new([5], [0]), new([3, 4], [0, 1]), new([0, 4], [1, 0]), new([1, 4], [1, 0]),
        .. from m in (int[])[1, 3, 4, 7, 8, 9, 31, 32, 33, 65] from n in (int[])[3, 8, 17, 33] select new TransposeCase([m, n], [1, 0]),
        new([257, 513], [1, 0]), new([2, 5, 3, 8], [0, 2, 1, 3]), new([3, 40, 33], [0, 2, 1]), new([3, 40, 33], [2, 1, 0]), new([3, 40, 33], [1, 0, 2]),
        new([3, 40, 33], [1, 2, 0]), new([3, 40, 33], [-1, 0, 1]), new([2, 3, 4, 5, 6, 7], [5, 3, 1, 4, 2, 0]), new([2, 3, 4, 5, 6, 7], [4, 5, 2, 3, 0, 1]),
        new([2, 1, 9, 1, 10], [3, 4, 1, 0, 2]), new([4, 30, 8, 64], [0, 2, 1, 3]), new([4, 8, 30, 64], [0, 1, 3, 2]),
    ];

    protected override Input[] Inputs(TransposeCase c, Random random) => [Input.Random(random, new Shape(c.Shape))];

    protected override Tensor Call(TransposeCase c, Tensor[] inputs) => Ops.Transpose(inputs[0], c.Axes);

    protected override T[] Reference<T>(TransposeCase c, T[][] inputs)
    {
        int rank = c.Shape.Length;
        int[] axes = [.. c.Axes.Select(a => a < 0 ? a + rank : a)];
        var y = new T[inputs[0].Length];
        for (int i = 0; i < y.Length; i++)
        {
            // The index of each input axis, read off the place in the output.
            var index = new int[rank];
            for (int rest = i, axis = rank - 1; axis >= 0; axis--)
            {
                index[axes[axis]] = rest % c.Shape[axes[axis]];
                rest /= c.Shape[axes[axis]];
            }

            int at = 0;
            for (int axis = 0; axis < rank; axis++)
                at = (at * c.Shape[axis]) + index[axis];
            y[i] = inputs[0][at];
        }

        return y;
    }

    [Theory, Devices]
    public void MovesIntegers(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        Assert.Equal([1, 4, 2, 5, 3, 6], Ops.Transpose(Tensor.From(device, [1, 2, 3, 4, 5, 6], [2, 3]), 1, 0).ToIntArray());
    }

    [Theory, Devices]
    public void Refusals(string name)
    {
        using var device = TestDevices.Open(name);
        foreach (int[] axes in (int[][])[[0, 0], [0], [0, 2], [0, 1, 2], [0, -2]])
        {
            Refuses<ArgumentException>(
                $"Transpose: axes must name each axis of x [2, 3] once, got [{string.Join(", ", axes)}].",
                () => Ops.Transpose(Tensor.Zeros(device, [2, 3]), axes));
        }
    }
}
