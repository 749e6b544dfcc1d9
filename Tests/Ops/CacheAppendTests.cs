using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed class CacheAppendTests
{
    [Theory, Devices]
    public void WritesOnePlaceOfEachSequenceAndNothingElse(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        foreach (var (n, s, c) in ((int, int, int)[])[(1, 1, 1), (3, 4, 5), (2, 3, 17), (200, 2, 64), (0, 2, 3)])
        {
            var expected = new float[n * s * c];
            var cache = Tensor.Zeros(device, [n, s, c]);
            for (int position = s - 1; position >= 0; position--)
            {
                var x = AttentionTests.Normal(device, new RandomSource((ulong)position), [n, c]);
                Ops.CacheAppend(cache, x, StepCases.Positions(device, n, position));
                var rows = x.ToArray();
                for (int i = 0; i < rows.Length; i++)
                    expected[(((i / c * s) + position) * c) + (i % c)] = rows[i];
                Assert.Equal(expected, cache.ToArray());
            }
        }
    }

    [Theory, Devices]
    public void EachSequenceHasAPositionOfItsOwn(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        foreach (int c in (int[])[3, 8])
        {
            var cache = Tensor.Zeros(device, [3, 4, c]);
            Ops.CacheAppend(cache, Tensor.Full(device, [3, c], 1), Tensor.From(device, [2, 0, 3]));
            Assert.Equal(Enumerable.Range(0, 3 * 4 * c).Select(i => (i / c) is 2 or 4 or 11 ? 1f : 0), cache.ToArray());
        }
    }

    [Theory, Devices]
    public void Refusals(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var cache = Tensor.Zeros(device, [2, 3, 4]);
        Assert.Equal(
            "CacheAppend: must be cache [N, S, C], x [N, C], got cache [2, 3, 4], x [2, 5].",
            Assert.Throws<ArgumentException>(() => Ops.CacheAppend(cache, Tensor.Zeros(device, [2, 5]), StepCases.Positions(device, 2, 0))).Message);
        Assert.Equal(
            "CacheAppend: positions must be [N], got [3] (cache [2, 3, 4], x [2, 4]).",
            Assert.Throws<ArgumentException>(() => Ops.CacheAppend(cache, Tensor.Zeros(device, [2, 4]), StepCases.Positions(device, 3, 0))).Message);
        Assert.Equal(
            "CacheAppend: positions must be in 0 .. 2, got 3 at [n = 1].",
            Assert.Throws<ArgumentException>(() => Ops.CacheAppend(cache, Tensor.Zeros(device, [2, 4]), Tensor.From(device, [0, 3]))).Message);
    }
}
