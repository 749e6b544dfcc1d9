using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

/// <summary>Dropout and DropConnect differ in what they are called on, not in what they do.</summary>
public abstract class DropTests : OpTests<(int N, float P)>
{
    private const ulong Seed = 77;

    protected override IEnumerable<(int N, float P)> Cases =>
        [(0, 0.5f), (1, 0.5f), (3, 0.9f), (7, 0.1f), (63, 0.5f), (64, 0.5f), (65, 0.25f), (127, 0.5f), (129, 0.3f), (1023, 0.1f), (1025, 0.1f), (40_003, 0.3f)];

    protected abstract Tensor Drop(Tensor x, float p, RandomSource? random);

    protected override Input[] Inputs((int N, float P) c, Random random) => [Input.Random(random, [c.N])];

    protected override Tensor Call((int N, float P) c, Tensor[] inputs) => Drop(inputs[0], c.P, new RandomSource(Seed, (ulong)c.N));

    protected override T[] Reference<T>((int N, float P) c, T[][] inputs)
    {
        var key = new RandomSource(Seed, (ulong)c.N).NextKey();
        return [.. inputs[0].Select((x, i) => Philox.Word(key, (ulong)i) < Philox.DropThreshold(c.P) ? T.Zero : x / (T.One - T.CreateChecked(c.P)))];
    }

    [Theory, Devices]
    public void DropsTheAskedShareAndKeepsTheMean(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        const int N = 200_000;
        foreach (float p in (float[])[0.01f, 0.3f, 0.9f])
        {
            var y = Drop(Tensor.Full(device, [N], 1), p, new RandomSource(5)).ToArray();
            double dropped = y.Count(v => v == 0) / (double)N, deviation = Math.Sqrt(p * (1 - p) / N);
            Assert.InRange(dropped, p - (5 * deviation), p + (5 * deviation));
            Assert.InRange(y.Average(), 1 - (5 * deviation / (1 - p)), 1 + (5 * deviation / (1 - p)));
        }
    }

    [Theory, Devices]
    public void EvaluationIsTheIdentityAndDrawsNothing(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var x = Tensor.From(device, [1f, 2f]);
        var random = new RandomSource(1);
        Assert.Same(x, Drop(x, 0.5f, null));
        Assert.Same(x, Drop(x, 0, random));
        Assert.Equal(0UL, random.Position);
    }

    [Theory, Devices]
    public void WhatIsDroppedIsZeroEvenWhereItWasInfinite(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var y = Drop(Tensor.Full(device, [100], float.PositiveInfinity), 0.5f, new RandomSource(2)).ToArray();
        Assert.Contains(0, y);
        Assert.All(y, v => Assert.True(v == 0 || float.IsPositiveInfinity(v)));
    }

    [Theory, Devices]
    public void TwoCallsDrawTwoMasks(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var random = new RandomSource(3);
        var x = Tensor.Full(device, [100], 1);
        Assert.NotEqual(Drop(x, 0.5f, random).ToArray(), Drop(x, 0.5f, random).ToArray());
        Assert.Equal(2UL, random.Position);
    }
}

public sealed class DropoutTests : DropTests
{
    protected override Tensor Drop(Tensor x, float p, RandomSource? random) => Ops.Dropout(x, p, random);

    [Theory, Devices]
    public void Refusals(string name)
    {
        using var device = TestDevices.Open(name);
        Refuses<ArgumentException>("Dropout: p must be at least 0 and below 1, got 1.", () => Ops.Dropout(Tensor.Zeros(device, [1]), 1, null));
        Refuses<ArgumentException>("Dropout: p must be at least 0 and below 1, got -0.5.", () => Ops.Dropout(Tensor.Zeros(device, [1]), -0.5f, null));
        Refuses<ArgumentException>("Dropout: p must be at least 0 and below 1, got NaN.", () => Ops.Dropout(Tensor.Zeros(device, [1]), float.NaN, null));
        Refuses<ArgumentException>($"Dropout: inputs must be floats, got From [1] Int32 on {device}.", () => Ops.Dropout(Tensor.From(device, [1]), 0.5f, null));
    }
}

public sealed class DropConnectTests : DropTests
{
    protected override Tensor Drop(Tensor x, float p, RandomSource? random) => Ops.DropConnect(x, p, random);

    [Theory, Devices]
    public void Refusals(string name)
    {
        using var device = TestDevices.Open(name);
        Refuses<ArgumentException>("DropConnect: p must be at least 0 and below 1, got 1.5.", () => Ops.DropConnect(Tensor.Zeros(device, [1]), 1.5f, null));
    }
}
