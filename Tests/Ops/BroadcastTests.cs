using CudaSeq.Tensors;

namespace CudaSeq.Tests;

/// <summary>Two shapes that meet under broadcasting.</summary>
public sealed record BroadcastCase(int[] A, int[] B)
{
    public override string ToString() => $"[{string.Join(", ", A)}] with [{string.Join(", ", B)}]";
}

/// <summary>The cases of every op that broadcasts.</summary>
public abstract class BroadcastTests : OpTests<BroadcastCase>
{
    protected override IEnumerable<BroadcastCase> Cases =>
    [
        .. new[] { 1, 3, 7, 8, 9, 15, 16, 17, 31, 33, 65 }.Select(n => new BroadcastCase([n], [n])),
        new([], []), new([], [3]), new([5], []), new([2, 0, 3], [3]), new([2, 0, 3], [2, 1, 1]),
        new([3, 5, 17], [17]), new([17], [3, 5, 17]), new([3, 5, 17], [3, 5, 1]), new([3, 5, 1], [3, 5, 17]),
        new([3, 5, 17], [5, 1]), new([3, 1, 17], [5, 1]), new([2, 1, 3, 1], [1, 4, 1, 5]), new([1, 1, 7], [4, 2, 1]),
        new([2, 3, 4, 5, 6, 7], [3, 1, 5, 1, 7]), new([2, 1, 4, 1, 6, 1], [1, 3, 1, 5, 1, 7]), new([1, 1], [1]),
        new([2, 70_001], [2, 1]), new([70_001], [2, 1]), new([3000, 3], [3]), new([700, 1030], [1030]), new([700, 1030], [700, 1]),
        new([130, 1, 9], [1, 130, 9]), new([40_003], [40_003]),
    ];

    protected override Input[] Inputs(BroadcastCase c, Random random)
        => [Input.Random(random, new Shape(c.A)), Input.Random(random, new Shape(c.B))];
}

public sealed class AddTests : BroadcastTests
{
    protected override Tensor Call(BroadcastCase c, Tensor[] inputs) => Ops.Add(inputs[0], inputs[1]);

    protected override T[] Reference<T>(BroadcastCase c, T[][] inputs) => Naive.Broadcast(c.A, c.B, inputs[0], inputs[1], (a, b) => a + b);

    [Theory, Devices]
    public void ATensorAddedToItselfGetsBothGradients(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var x = Tensor.From(device, [1f, 2f]).AsParameter();
        var y = Ops.Add(x, x);
        y.Backward(Tensor.From(device, [1f, 10f]));
        Assert.Equal([2f, 20f], x.Grad!.ToArray());
    }

    [Theory, Devices]
    public void Refusals(string name)
    {
        using var device = TestDevices.Open(name);
        using var other = TestDevices.Open(name);
        Refuses<ArgumentException>(
            "Add: axes must be equal or 1, got 3 and 2 (inputs [2, 3], [2, 1, 2]).",
            () => Ops.Add(Tensor.Zeros(device, [2, 3]), Tensor.Zeros(device, [2, 1, 2])));
        Refuses<ArgumentException>(
            $"Add: inputs must be floats, got From [2] Int32 on {device}.", () => Ops.Add(Tensor.Zeros(device, [2]), Tensor.From(device, [1, 2])));
        Refuses<ArgumentException>(
            $"Add: inputs must be on one device, got Zeros [2] Float32 on {device} and Zeros [2] Float32 on {device}.",
            () => Ops.Add(Tensor.Zeros(device, [2]), Tensor.Zeros(other, [2])));
    }
}

public sealed class SubtractTests : BroadcastTests
{
    protected override Tensor Call(BroadcastCase c, Tensor[] inputs) => Ops.Subtract(inputs[0], inputs[1]);

    protected override T[] Reference<T>(BroadcastCase c, T[][] inputs) => Naive.Broadcast(c.A, c.B, inputs[0], inputs[1], (a, b) => a - b);

    [Theory, Devices]
    public void RefusesShapesThatDoNotMeet(string name)
    {
        using var device = TestDevices.Open(name);
        Refuses<ArgumentException>(
            "Subtract: axes must be equal or 1, got 3 and 4 (inputs [3], [4]).",
            () => Ops.Subtract(Tensor.Zeros(device, [3]), Tensor.Zeros(device, [4])));
    }
}

public sealed class MultiplyTests : BroadcastTests
{
    protected override Tensor Call(BroadcastCase c, Tensor[] inputs) => Ops.Multiply(inputs[0], inputs[1]);

    protected override T[] Reference<T>(BroadcastCase c, T[][] inputs) => Naive.Broadcast(c.A, c.B, inputs[0], inputs[1], (a, b) => a * b);

    [Theory, Devices]
    public void ASquareGetsTwiceItsRoot(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var x = Tensor.From(device, [3f, -2f]).AsParameter();
        var y = Ops.Multiply(x, x);
        y.Backward(Tensor.From(device, [1f, 10f]));
        Assert.Equal([6f, -40f], x.Grad!.ToArray());
    }

    [Theory, Devices]
    public void AConstantFactorGetsNoGradient(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var x = Tensor.From(device, [1f, 2f, 3f, 4f], [2, 2]).AsParameter();
        var mask = Tensor.From(device, [1f, 0f], [2, 1]);
        Ops.Multiply(mask, x).Backward(Tensor.Full(device, [2, 2], 1));
        Assert.Equal([1f, 1f, 0f, 0f], x.Grad!.ToArray());
        Assert.Null(mask.Grad);
    }

    [Theory, Devices]
    public void RefusesShapesThatDoNotMeet(string name)
    {
        using var device = TestDevices.Open(name);
        Refuses<ArgumentException>(
            "Multiply: axes must be equal or 1, got 3 and 4 (inputs [1, 3], [2, 4]).",
            () => Ops.Multiply(Tensor.Zeros(device, [1, 3]), Tensor.Zeros(device, [2, 4])));
    }
}
