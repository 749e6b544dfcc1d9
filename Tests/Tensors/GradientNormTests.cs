using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed class GradientNormTests
{
    [Theory, Devices]
    public void IsTheLengthOfAllGradientsTogether(string name)
    {
        using var device = TestDevices.Open(name);
        using var a = Parameter(device, [3f]);
        using var b = Parameter(device, [0f, 4f, 12f]);
        using var without = Tensor.From(device, [9f]).AsParameter();
        Assert.Equal(13f, GradientNorm.Compute([a, without, b]));
        Assert.Equal(0f, GradientNorm.Compute([]));
    }

    [Theory, Devices]
    public void IsExactToFloatAndTheSameForAnyNumberOfThreads(string name)
    {
        var random = new Random(4);
        float[][] values = [.. new[] { 1, 0, 17, 1024, 1025, 32_768, 32_769, 300_000 }.Select(n => Enumerable.Range(0, n).Select(_ => (float)Input.Normal(random)).ToArray())];
        double exact = Math.Sqrt(values.Sum(v => v.Sum(x => (double)x * x)));
        float first = 0;
        foreach (int threads in (int[])[1, 2, 3])
        {
            using var device = TestDevices.Open(name, threads);
            var parameters = values.Select(v => Parameter(device, v)).ToArray();
            float norm = GradientNorm.Compute(parameters);
            Assert.InRange(norm, exact * (1 - 3e-7), exact * (1 + 3e-7));
            Assert.Equal(threads == 1 ? norm : first, norm);
            first = norm;
        }
    }

    [Theory, Devices]
    public void ClipScalesLongGradientsOnly(string name)
    {
        using var device = TestDevices.Open(name);
        using var a = Parameter(device, [3f]);
        using var b = Parameter(device, [4f]);
        Assert.Equal(5f, GradientNorm.Clip([a, b], 6));
        Assert.Equal(5f, GradientNorm.Clip([a, b], 0));
        Assert.Equal(3f, a.Grad!.Item());
        Assert.Equal(5f, GradientNorm.Clip([a, b], 1));
        Assert.Equal(0.6f, a.Grad!.Item(), 6);
        Assert.Equal(0.8f, b.Grad!.Item(), 6);
    }

    [Theory, Devices]
    public void GradientsThatAreNotFiniteShowInTheNormAndStay(string name)
    {
        using var device = TestDevices.Open(name);
        foreach (float bad in (float[])[float.NaN, float.PositiveInfinity])
        {
            using var a = Parameter(device, [1f, bad]);
            Assert.Equal(bad, GradientNorm.Clip([a], 1));
            Assert.Equal([1f, bad], a.Grad!.ToArray());
        }
    }

    [Fact]
    public void RefusesANegativeLimit()
        => Assert.Equal(
            "GradientNorm: maxNorm must be at least 0, got -1.",
            Assert.Throws<ArgumentOutOfRangeException>(() => GradientNorm.Clip([], -1)).Message);

    private static Tensor Parameter(Device device, float[] gradient)
    {
        var p = Tensor.From(device, new float[gradient.Length]).AsParameter();
        using var scope = TensorScope.Begin();
        Ops.Scale(p, 1).Backward(Tensor.From(device, gradient));
        return p;
    }
}
