using CudaSeq.Kernels;
using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

/// <summary>Models whose activations are narrower than their parameters.</summary>
public sealed class PrecisionTests
{
    private static readonly int[] SourceLengths = [5, 9, 1, 7];

    // Some twenty roundings stand one behind the other in a tiny model; they are independent, so that their errors add up like the root of their number.
    private static readonly double Closeness = 2 * Math.Sqrt(20) * Narrow.Epsilon;

    // Where halting is near its threshold a rounding may move it by a whole step.
    private static IEnumerable<ModelConfig> Smooth => TinyModels.All.Where(c => c.Halting == Halting.None).Concat(TinyModels.Others);

    [Fact]
    public void ActivationsAreNarrowAndParametersAreNot()
    {
        using var device = TestDevices.OpenCuda();
        foreach (var config in TinyModels.All.Concat(TinyModels.Others))
        {
            using var model = TinyModels.Create(config, device);
            model.ComputeIn(DType.BFloat16);
            using var scope = TensorScope.Begin();
            var (features, loss) = Run(model, random: new RandomSource(2));
            Assert.Equal(DType.BFloat16, features.DType);
            Assert.Equal(DType.Float32, loss.DType);
            loss.Backward();
            Assert.All(model.Parameters, p => Assert.Equal(DType.Float32, p.DType));
            Assert.All(model.Parameters, p => Assert.Equal(DType.Float32, p.Grad!.DType));
            Assert.All(model.Parameters, p => p.ZeroGrad());
        }
    }

    [Theory]
    [InlineData(DType.BFloat16)]
    [InlineData(DType.Float16)]
    public void LossesAreNearThoseOfFloat32(DType precision)
    {
        using var device = TestDevices.OpenCuda();
        foreach (var config in Smooth)
        {
            using var model = TinyModels.Create(config, device);
            using var scope = TensorScope.Begin();
            using var pause = new NoGrad();
            float expected = Run(model).Loss.Item();
            model.ComputeIn(precision);
            float got = Run(model).Loss.Item();
            Assert.True(Math.Abs(got - expected) <= Closeness * expected, $"{config.Architecture}: {got} in {precision}, {expected} in Float32");
            Assert.NotEqual(expected, got);
            model.ComputeIn(DType.Float32);
            Assert.Equal(expected, Run(model).Loss.Item());
        }
    }

    [Theory]
    [InlineData(DType.BFloat16)]
    [InlineData(DType.Float16)]
    public void StepsEqualWholeSequences(DType precision)
    {
        using var device = TestDevices.OpenCuda();
        foreach (var config in Smooth)
        {
            using var model = TinyModels.Create(config, device);
            model.ComputeIn(precision);
            using var scope = TensorScope.Begin();
            using var pause = new NoGrad();
            var random = new Random(11);
            int[][] targets = TinyModels.Sentences(random, config.TargetVocabulary, 9, 9, 9, 9);
            var encoded = TinyModels.Encode(model, TinyModels.Sentences(random, config.SourceVocabulary, SourceLengths));
            var decoded = model.Decode(TinyModels.Pad(device, [.. targets.Select(TinyModels.Shifted)]), encoded);
            float[] whole = decoded.ToArray();
            int width = decoded.Shape[2];
            using var state = model.Begin(encoded, beam: 1, maxLength: 9);
            for (int t = 0; t < 9; t++)
            {
                int now = t;
                var features = model.DecodeStep(Tensor.From(device, [.. targets.Select(s => TinyModels.Shifted(s)[now])]), state);
                Assert.Equal(precision, features.DType);
                Assert.Equal(DType.Float32, model.Logits(features).DType);
                float[] step = features.ToArray();
                for (int b = 0; b < targets.Length; b++)
                {
                    var expected = whole.AsSpan(((b * 9) + t) * width, width);
                    double largest = 0;
                    foreach (float x in expected)
                        largest = Math.Max(largest, Math.Abs(x));
                    for (int c = 0; c < width; c++)
                        Assert.Equal(expected[c], step[(b * width) + c], Closeness * largest);
                }
            }
        }
    }

    [Fact]
    public void HalfPrecisionIsNotTrained()
    {
        using var device = TestDevices.OpenCuda();
        using var model = TinyModels.Create(TinyModels.Transformer, device);
        model.ComputeIn(DType.Float16);
        using var scope = TensorScope.Begin();
        Assert.Equal(
            "Embedding: Float16 is for inference; train in BFloat16 or Float32, or open a NoGrad.",
            Assert.Throws<ArgumentException>(() => Run(model, random: new RandomSource(2))).Message);
    }

    [Fact]
    public void TheProcessorComputesInFloat32()
    {
        using var device = new CpuDevice(1);
        using var model = TinyModels.Create(TinyModels.Transformer, device);
        Assert.Equal(
            "The processor computes in float32 everywhere, got bf16 on cpu; bf16 is for a GPU.", Assert.Throws<ArgumentException>(() => model.ComputeIn(DType.BFloat16)).Message);
        Assert.Equal(DType.Float32, model.Precision);
        Assert.Equal("A precision must be a type of floats, got Int32.", Assert.Throws<ArgumentException>(() => model.ComputeIn(DType.Int32)).Message);
        Assert.Equal(
            "CpuDevice: TF32 is the tensor cores' of a GPU, the processor computes in float32 everywhere.", Assert.Throws<ArgumentException>(() => device.Tf32 = true).Message);
    }

    [Fact]
    public void Tf32RoundsTheInputsOfFloat32Products()
    {
        using var device = TestDevices.OpenCuda();
        using var scope = TensorScope.Begin();
        var x = Tensor.From(device, [1 + (1f / 4096)], [1, 1]);
        Assert.Equal(x.ToArray(), Ops.MatMul(x, Tensor.Full(device, [1, 1], 1)).ToArray());
        device.Tf32 = true;
        Assert.Equal([1f], Ops.MatMul(x, Tensor.Full(device, [1, 1], 1)).ToArray());
    }

    // Features of the target and the loss of four sentences.
    private static (Tensor Features, Tensor Loss) Run(Seq2SeqModel model, RandomSource? random = null)
    {
        var source = new Random(5);
        int[][] sources = TinyModels.Sentences(source, model.Config.SourceVocabulary, SourceLengths), targets = TinyModels.Sentences(source, model.Config.TargetVocabulary, 4, 6, 3, 6);
        var previous = TinyModels.Pad(model.Device, [.. targets.Select(TinyModels.Shifted)]);
        var (loss, _) = model.Loss(
            TinyModels.Pad(model.Device, sources), TinyModels.Lengths(model.Device, sources), previous, TinyModels.Pad(model.Device, targets).Reshape([4 * 6]), 0.1f, random: random);
        return (model.Decode(previous, TinyModels.Encode(model, sources), random), loss);
    }
}
