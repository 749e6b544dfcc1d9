using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed class PendingUpdatesTests
{
    [Theory, Devices]
    public void ClipsAsTheHostWouldBitForBit(string name)
    {
        using var device = TestDevices.Open(name);
        foreach (float maxNorm in (float[])[0, 0.5f, 100])
        {
            using var x = Parameter(device);
            using var y = Parameter(device);
            using var first = new Adam([x], new AdamOptions());
            using var second = new Adam([y], new AdamOptions());
            using var pending = new PendingUpdates(device, maxNorm);
            using var loss = Tensor.From(device, [2.5f], []);
            const float Scale = 1f / 7;
            for (int update = 0; update < 3; update++)
            {
                SetGradient(x, 3);
                SetGradient(y, 3);
                double norm = GradientNorm.Compute([x]) * (double)Scale;
                first.Step(0.1f, maxNorm > 0 && norm > maxNorm ? Scale * (float)(maxNorm / (norm + 1e-6)) : Scale);
                pending.Add(loss, loss);
                pending.Add(loss, loss);
                pending.End([y], Scale);
                second.Step(0.1f, pending.Factor);
                Assert.Equal([new UpdateMeasures(5, 5, (float)norm)], pending.Take());
                Assert.Equal(x.ToArray(), y.ToArray());
            }

            Assert.Empty(pending.Take());
        }
    }

    [Theory, Devices]
    public void AnUpdateThatIsNotFiniteIsLeftOutAndSoAreTheNextUntilTheHostHasSeenIt(string name)
    {
        using var device = TestDevices.Open(name);
        foreach (var (loss, gradient) in ((float, float)[])[(float.NaN, 1), (float.PositiveInfinity, 1), (1, float.NaN), (1, float.NegativeInfinity)])
        {
            using var x = Parameter(device);
            using var adam = new Adam([x], new AdamOptions());
            using var pending = new PendingUpdates(device, 1);
            using var good = Tensor.From(device, [1f], []);
            using var bad = Tensor.From(device, [loss], []);
            float[] before = x.ToArray();
            Update(bad, gradient);
            if (!pending.IsFull)
                Update(good, 1);
            Assert.Equal(before, x.ToArray());
            Assert.Equal(new float[before.Length], adam.FirstMoments[0].ToArray());
            Assert.False(pending.Take()[0].IsFinite);
            Update(good, 1);
            Assert.True(pending.Take()[0].IsFinite);
            Assert.NotEqual(before, x.ToArray());

            void Update(Tensor of, float value)
            {
                SetGradient(x, value);
                pending.Add(of, good);
                pending.End([x], 1);
                adam.Step(0.1f, pending.Factor);
            }
        }
    }

    [Theory, Devices]
    public void HoldsAsManyAsItSays(string name)
    {
        using var device = TestDevices.Open(name);
        using var x = Parameter(device);
        using var pending = new PendingUpdates(device, 0);
        using var loss = Tensor.From(device, [1f], []);
        for (int i = 0; i < pending.Capacity; i++)
        {
            pending.Add(loss, loss);
            pending.End([x], 1);
        }

        Assert.True(pending.IsFull);
        Assert.Equal(
            $"PendingUpdates: Take must come first, {pending.Capacity} updates are pending.", Assert.Throws<InvalidOperationException>(() => pending.Add(loss, loss)).Message);
        Assert.Equal(Enumerable.Repeat(new UpdateMeasures(1, 1, 0), pending.Capacity), pending.Take());
        Assert.Equal(0, pending.Count);
    }

    [Theory, Devices]
    public void Refusals(string name)
    {
        using var device = TestDevices.Open(name);
        using var x = Parameter(device);
        using var adam = new Adam([x], new AdamOptions());
        using var two = Tensor.From(device, [1f, 2f]);
        Assert.Equal("PendingUpdates: maxNorm must be at least 0, got -1.", Assert.Throws<ArgumentOutOfRangeException>(() => new PendingUpdates(device, -1)).Message);
        Assert.Equal($"Adam: the gradients' scale must be a single number, got From [2] Float32 on {device}.", Assert.Throws<ArgumentException>(() => adam.Step(1, two)).Message);
    }

    private static Tensor Parameter(Device device) => Tensor.From(device, [.. Enumerable.Range(0, 37).Select(i => MathF.Sin(i))]).AsParameter();

    private static void SetGradient(Tensor x, float value)
    {
        using var scope = TensorScope.Begin();
        x.ZeroGrad();
        Ops.Scale(x, value).Backward(Tensor.Full(x.Device, x.Shape, 1));
    }
}
