using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed class IsFiniteTests
{
    [Theory, Devices]
    public void FindsEverySingleValueThatIsNotFinite(string name)
    {
        using var device = TestDevices.Open(name);
        foreach (int n in (int[])[0, 1, 7, 8, 31, 33, 70, 33_000])
        {
            using var scope = TensorScope.Begin();
            var values = Enumerable.Range(0, n).Select(i => i % 2 == 0 ? float.MaxValue : -float.Epsilon).ToArray();
            var x = Tensor.From(device, values);
            Assert.True(Ops.IsFinite(x));
            for (int i = 0; i < n; i += n > 100 ? 4099 : 1)
            {
                foreach (float bad in (float[])[float.NaN, float.PositiveInfinity, float.NegativeInfinity])
                {
                    float good = values[i];
                    values[i] = bad;
                    x.CopyFrom(values);
                    Assert.False(Ops.IsFinite(x), $"{bad} at {i} of {n} was not seen");
                    values[i] = good;
                }
            }
        }
    }

    [Theory, Devices]
    public void RefusesIntegers(string name)
    {
        using var device = TestDevices.Open(name);
        using var x = Tensor.From(device, [1, 2]);
        Assert.Equal($"IsFinite: inputs must be floats, got From [2] Int32 on {device}.", Assert.Throws<ArgumentException>(() => Ops.IsFinite(x)).Message);
    }
}
