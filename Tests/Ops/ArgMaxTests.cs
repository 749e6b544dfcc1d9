using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed class ArgMaxTests
{
    [Theory, Devices]
    public void FindsTheFirstOfTheLargest(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var random = new Random(12);
        foreach (int v in (int[])[1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 127, 128, 129, 1000, 50_000])
        {
            for (int different = 2; different <= 2000; different *= 10)
            {
                float[] x = [.. Enumerable.Range(0, 3 * v).Select(_ => (float)random.Next(-different, 0))];
                int[] expected = [.. Enumerable.Range(0, 3).Select(n => Array.IndexOf(x, x.Skip(n * v).Take(v).Max(), n * v) - (n * v))];
                Assert.Equal(expected, Ops.ArgMax(Tensor.From(device, x, [3, v])).ToIntArray());
            }
        }
    }

    [Theory, Devices]
    public void AgreesWithTopK(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var x = AttentionTests.Normal(device, new RandomSource(13), [50, 777]);
        Assert.Equal(Ops.TopK(x, 1).Indices.ToIntArray(), Ops.ArgMax(x).ToIntArray());
    }

    [Theory, Devices]
    public void SpecialNumbers(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        foreach (int width in (int[])[5, 300])
        {
            var x = new float[width];
            Array.Fill(x, float.NegativeInfinity);
            Assert.Equal([0], Ops.ArgMax(Tensor.From(device, x, [1, width])).ToIntArray());
            (x[2], x[3]) = (-0f, 0f);
            Assert.Equal([2], Ops.ArgMax(Tensor.From(device, x, [1, width])).ToIntArray());
            x[1] = float.PositiveInfinity;
            Assert.Equal([1], Ops.ArgMax(Tensor.From(device, x, [1, width])).ToIntArray());
            (x[3], x[width - 1]) = (float.NaN, -float.NaN);
            Assert.Equal([3], Ops.ArgMax(Tensor.From(device, x, [1, width])).ToIntArray());
        }
    }

    [Theory, Devices]
    public void Refusals(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        Refuse("ArgMax: must be [N, V] with V at least 1, got [3, 0].", [3, 0]);
        Refuse("ArgMax: must be [N, V] with V at least 1, got [3].", [3]);

        void Refuse(string message, Shape shape)
            => Assert.Equal(message, Assert.Throws<ArgumentException>(() => Ops.ArgMax(Tensor.Zeros(device, shape))).Message);
    }
}
