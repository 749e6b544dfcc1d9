using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed record ReshapeCase(int[] From, int[] To, int? Start = null, int Length = 0);

/// <summary>Free views: other shapes, and rows of the leading axis.</summary>
public sealed class ReshapeTests : OpTests<ReshapeCase>
{
    protected override IEnumerable<ReshapeCase> Cases =>
    [
        new([6], [2, 3]), new([2, 3, 4], [24]), new([1], []), new([0, 3], [3, 0]), new([5, 7], [7, 5]),
        new([5, 3], [2, 3], Start: 1, Length: 2), new([5, 3], [5, 3], Start: 0, Length: 5), new([5, 3], [0, 3], Start: 5, Length: 0), new([4, 2, 9], [1, 2, 9], Start: 3, Length: 1),
    ];

    // Views; the gradient of rows is filled and copied by the driver.
    protected override bool LaunchesKernels => false;

    protected override Input[] Inputs(ReshapeCase c, Random random) => [Input.Random(random, new Shape(c.From))];

    protected override Tensor Call(ReshapeCase c, Tensor[] inputs)
        => c.Start is { } start ? inputs[0].Rows(start, c.Length) : inputs[0].Reshape(new Shape(c.To));

    protected override T[] Reference<T>(ReshapeCase c, T[][] inputs)
    {
        int row = c.From.Skip(1).Aggregate(1, (product, size) => product * size);
        return c.Start is { } start ? inputs[0][(start * row)..((start + c.Length) * row)] : [.. inputs[0]];
    }

    [Theory, Devices]
    public void AViewSharesTheElements(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var x = Tensor.From(device, [1f, 2, 3, 4, 5, 6], [3, 2]);
        var (reshaped, rows) = (x.Reshape([2, 3]), x.Rows(1, 1));
        x.CopyFrom([10f, 20, 30, 40, 50, 60]);
        Assert.Equal([10, 20, 30, 40, 50, 60], reshaped.ToArray());
        Assert.Equal([30, 40], rows.ToArray());
    }

    [Theory, Devices]
    public void Refusals(string name)
    {
        using var device = TestDevices.Open(name);
        var x = Tensor.From(device, [1f, 2, 3, 4, 5, 6], [3, 2]);
        Refuses<ArgumentException>("Reshape: the number of elements must stay, got [3, 2] -> [4].", () => x.Reshape([4]));
        Refuses<ArgumentOutOfRangeException>("Rows: must lie in the leading axis, got start = 2, length = 2 of [3, 2].", () => x.Rows(2, 2));
        Refuses<ArgumentOutOfRangeException>("Rows: must lie in the leading axis, got start = -1, length = 1 of [3, 2].", () => x.Rows(-1, 1));
        x.Dispose();
    }
}
