using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed class ConvertTests
{
    // Ties, the edges of normal numbers and of the range, and what is no number.
    private static readonly float[] Delicate =
    [
        0, -0f, 1, -1, 1 + (1f / 256), 1 + (3f / 256), 1 + (1f / 256) + 1e-6f, 1 + (1f / 2048), 1 + (3f / 2048), 65503.9f, 65504, 65519.99f, 65520, -65520, 1e30f, 3.39e38f, float.MaxValue,
        6.1035156e-5f, 6.1e-5f, 5.9604645e-8f, 2.9802322e-8f, 2.9802326e-8f, 8.940697e-8f, 1e-9f, -1e-9f, 1e-40f, float.Epsilon, float.PositiveInfinity, float.NegativeInfinity, float.NaN,
    ];

    [Fact]
    public void NumbersAreRoundedToTheNearest()
    {
        using var device = TestDevices.OpenCuda();
        using var scope = TensorScope.Begin();
        var random = new Random(5);
        foreach (int n in (int[])[0, 1, 7, 8, 9, 65, 2000])
        {
            float[] x = [.. Enumerable.Range(0, n).Select(i => i < Delicate.Length ? Delicate[i] : (float)(Input.Normal(random) * Math.Pow(10, random.Next(-9, 6))))];
            var tensor = Tensor.From(device, x);
            Assert.Equal(Array.ConvertAll(x, Narrow.Round), tensor.To(DType.BFloat16).ToArray());
            Assert.Equal(Array.ConvertAll(x, v => (float)(Half)v), tensor.To(DType.Float16).ToArray());
            Assert.Equal(Array.ConvertAll(x, v => (float)(Half)Narrow.Round(v)), tensor.To(DType.BFloat16).To(DType.Float16).ToArray());
            Assert.Equal(Array.ConvertAll(x, Narrow.Round), tensor.To(DType.BFloat16).To(DType.Float32).ToArray());
        }
    }

    [Fact]
    public void PartsThatStartAnywhereAreConverted()
    {
        using var device = TestDevices.OpenCuda();
        using var scope = TensorScope.Begin();
        float[] x = [.. Enumerable.Range(0, 90).Select(i => i * 0.37f)];
        var narrow = Tensor.From(device, x, [90, 1]).To(DType.BFloat16);
        for (int start = 0; start < 20; start++)
        {
            Assert.Equal(Array.ConvertAll(x[start..(start + 33)], Narrow.Round), narrow.Rows(start, 33).To(DType.Float32).ToArray());
            Assert.Equal(Array.ConvertAll(x[start..(start + 33)], Narrow.Round), Tensor.From(device, x, [90, 1]).Rows(start, 33).To(DType.BFloat16).ToArray());
        }
    }

    [Fact]
    public void TheGradientGoesBackInTheTypeOfTheInput()
    {
        using var device = TestDevices.OpenCuda();
        using var x = Tensor.From(device, [1f, 2f, 3f]).AsParameter();
        using var scope = TensorScope.Begin();
        var narrow = x.To(DType.BFloat16);
        Assert.Equal(DType.BFloat16, narrow.DType);
        var y = Ops.Multiply(narrow, narrow).To(DType.Float32);
        y.Backward(Tensor.From(device, [1f, 10f, 1.001f]));
        Assert.Equal(DType.Float32, x.Grad!.DType);
        Assert.Equal([2f, 40f, 6f], x.Grad!.ToArray());
    }

    [Fact]
    public void ALossMayBeNarrow()
    {
        using var device = TestDevices.OpenCuda();
        using var x = Tensor.From(device, [1f, 2f, 3f]).AsParameter();
        using var scope = TensorScope.Begin();
        Ops.Sum(x.To(DType.BFloat16)).Backward();
        Assert.Equal([1f, 1f, 1f], x.Grad!.ToArray());
    }

    [Theory, Devices]
    public void TheSameTypeIsTheSameTensor(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var x = Tensor.From(device, [1f]);
        Assert.Same(x, x.To(DType.Float32));
    }

    [Fact]
    public void TheProcessorComputesInFloat32Everywhere()
    {
        using var device = new CpuDevice(1);
        using var scope = TensorScope.Begin();
        OpRefuses("Convert: the processor computes in Float32 everywhere, got BFloat16 for [2] on cpu.", () => Tensor.From(device, [1f, 2f]).To(DType.BFloat16));
        OpRefuses("Zeros: the processor computes in Float32 everywhere, got Float16 for [3] on cpu.", () => Tensor.Zeros(device, [3], DType.Float16));
    }

    [Theory, Devices]
    public void Refusals(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var x = Tensor.From(device, [1f, 2f]);
        OpRefuses($"Convert: types must be of floats, got {x} to Int32.", () => x.To(DType.Int32));
        var ids = Tensor.From(device, [1, 2]);
        OpRefuses($"Convert: types must be of floats, got {ids} to BFloat16.", () => ids.To(DType.BFloat16));
        OpRefuses("Convert: dtype must be one of Float32, Int32, BFloat16, Float16, got 9.", () => x.To((DType)9));
    }

    [Fact]
    public void TypesAreNotMixed()
    {
        using var device = TestDevices.OpenCuda();
        using var scope = TensorScope.Begin();
        var wide = Tensor.From(device, [1f, 2f]);
        var narrow = wide.To(DType.BFloat16);
        OpRefuses($"Add: inputs must be of one type, got {wide} and {narrow}.", () => Ops.Add(wide, narrow));
        OpRefuses(
            $"LayerNorm: parameters must be Float32, whatever the activations are, got {narrow}.", () => Ops.LayerNorm(Tensor.Zeros(device, [3, 2], DType.BFloat16), wide, narrow));
        Assert.Throws<InvalidOperationException>(() => narrow.AsParameter());
    }

    [Fact]
    public void HalfPrecisionIsForInference()
    {
        using var device = TestDevices.OpenCuda();
        using var scope = TensorScope.Begin();
        var x = Tensor.From(device, [1f, 2f], [1, 2]);
        var weight = Tensor.From(device, [3f, 4f], [1, 2]).AsParameter();
        const string Message = "Linear: Float16 is for inference; train in BFloat16 or Float32, or open a NoGrad.";
        OpRefuses(Message, () => Ops.Linear(x.To(DType.Float16), weight));
        using var pause = new NoGrad();
        Assert.Equal([11f], Ops.Linear(x.To(DType.Float16), weight).ToArray());
    }

    private static void OpRefuses(string message, Action call) => Assert.Equal(message, Assert.Throws<ArgumentException>(call).Message);
}
