using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

/// <summary>Float32 weights and their copies in the type of the activations.</summary>
public sealed class NarrowCopyTests
{
    [Fact]
    public void AWeightIsConvertedOnceAndAgainWhenItChanges()
    {
        using var device = TestDevices.OpenCuda();
        using var weight = Weight(device, [1.001f, 2.002f, 3.003f, 4.004f]);
        Assert.Equal([3f, 7f], Multiply(device, weight));
        long made = Conversions(device);
        Multiply(device, weight);
        Assert.Equal(made, Conversions(device) - 1);
        weight.CopyFrom([5f, 6f, 7f, 8f]);
        Assert.Equal([11f, 15f], Multiply(device, weight));
        Assert.Equal(made, Conversions(device) - 3);
    }

    [Fact]
    public void AViewsChangeIsSeen()
    {
        using var device = TestDevices.OpenCuda();
        using var weight = Weight(device, [1f, 2f, 3f, 4f]);
        Multiply(device, weight);
        using (TensorScope.Begin())
            weight.Detach().Rows(1, 1).CopyFrom([30f, 40f]);
        Assert.Equal([3f, 70f], Multiply(device, weight));
    }

    [Fact]
    public void ACopyFromATensorIsSeen()
    {
        using var device = TestDevices.OpenCuda();
        using Tensor weight = Weight(device, [1f, 2f, 3f, 4f]), other = Weight(device, [5f, 6f, 7f, 8f]);
        Multiply(device, weight);
        weight.CopyFrom(other);
        Assert.Equal([11f, 15f], Multiply(device, weight));
    }

    /// <summary>What nothing should round on the way out goes back in the type of what came in.</summary>
    [Fact]
    public void AFloat32ResultOfANarrowInputGoesBack()
    {
        using var device = TestDevices.OpenCuda();
        using var scope = TensorScope.Begin();
        Tensor start = Tensor.From(device, [1f, 2f], [1, 2]).AsParameter(), weight = Weight(device, [1f, 2f, 3f, 4f]);
        var y = Ops.Linear(start.To(DType.BFloat16), weight, result: DType.Float32);
        Assert.Equal(DType.Float32, y.DType);
        y.Backward(Tensor.From(device, [1f, 10f], [1, 2]));
        Assert.Equal([31f, 42f], start.Grad!.ToArray());
        Assert.Equal([1f, 2f, 10f, 20f], weight.Grad!.ToArray());
    }

    [Fact]
    public void TheOptimiserRenewsTheCopyInItsOwnPass()
    {
        using var device = TestDevices.OpenCuda();
        float[] start = [.. Enumerable.Range(0, 9001).Select(i => MathF.Sin(i))];
        using var weight = Tensor.From(device, start, [1, 9001]).AsParameter();
        using var adam = new Adam([weight], new AdamOptions());
        for (int i = 0; i < 3; i++)
        {
            using var scope = TensorScope.Begin();
            var x = Tensor.Full(device, [1, 9001], 1).To(DType.BFloat16);
            Ops.Linear(x, weight).Backward(Tensor.Full(device, [1, 1], 1).To(DType.BFloat16));
            long before = Conversions(device);
            adam.Step(0.1f);
            weight.ZeroGrad();
            Assert.Equal(Array.ConvertAll(weight.ToArray(), Narrow.Round), Copy(weight, DType.BFloat16));
            Assert.Equal(before, Conversions(device));
        }

        Assert.NotEqual(start, weight.ToArray());
    }

    [Fact]
    public void AnUpdateThatIsLeftOutLeavesTheCopy()
    {
        using var device = TestDevices.OpenCuda();
        using var weight = Weight(device, [1f, 2f, 3f, 4f]);
        using var adam = new Adam([weight], new AdamOptions());
        using var scope = TensorScope.Begin();
        Copy(weight, DType.BFloat16);
        weight.CopyFrom([5f, 6f, 7f, 8f]);
        Ops.Sum(weight).Backward();
        adam.Step(1, Tensor.Full(device, [1], float.NaN));
        Assert.Equal([5f, 6f, 7f, 8f], Copy(weight, DType.BFloat16));
        adam.Step(1, 1);
        Assert.Equal(Array.ConvertAll(weight.ToArray(), Narrow.Round), Copy(weight, DType.BFloat16));
        Assert.NotEqual(5, weight.ToArray()[0]);
    }

    // A graph reads the copy where it lies, whoever changed the weight in between, and its masks and results are those of an eager run.
    [Fact]
    public void AGraphSeesEveryChange()
    {
        using var device = TestDevices.OpenCuda();
        using var weight = Weight(device, [1f, 2f, 3f, 4f]);
        using var adam = new Adam([weight], new AdamOptions());
        using var memory = new StepMemory(device);
        using var step = new RepeatedStep(memory, [weight]);
        var random = new RandomSource(1);
        for (int run = 0; run < 6; run++)
        {
            using var scope = TensorScope.Begin();
            if (run % 3 == 0)
                weight.CopyFrom([run + 1.001f, 2f, 3f, 4f]);
            float[] expected = [.. Multiply(device, weight)];
            Assert.Equal(expected.Sum(), step.Run(random, Work)[0].Item());
            Assert.Equal(run > 0, step.IsCaptured);
            adam.Step(0.5f);
            weight.ZeroGrad();
        }

        Tensor[] Work()
        {
            var loss = Ops.Sum(Ops.Linear(Tensor.Full(device, [1, 2], 1).To(DType.BFloat16), weight).To(DType.Float32));
            loss.Backward();
            return [loss];
        }
    }

    /// <summary>A weight that is itself computed, forward and backward, has a copy that each launch makes again.</summary>
    [Fact]
    public void AGraphCopiesAWeightThatItComputes()
    {
        using var device = TestDevices.OpenCuda();
        using var weight = Weight(device, [1f, 2f, 3f, 4f]);
        using var memory = new StepMemory(device);
        using var step = new RepeatedStep(memory, [weight]);
        var random = new RandomSource(1);
        for (int run = 0; run < 5; run++)
        {
            using var scope = TensorScope.Begin();
            weight.CopyFrom([run + 1f, 2f, 3f, 4f]);
            Assert.Equal(2 * (run + 10f), step.Run(random, Work)[0].Item());
            Assert.Null(step.Obstacle);
            Assert.Equal(run > 0, step.IsCaptured);
            Assert.Equal([2f, 2f, 2f, 2f], weight.Grad!.ToArray());
            weight.ZeroGrad();
        }

        Tensor[] Work()
        {
            var computed = Ops.Scale(weight, 2);
            var loss = Ops.Sum(Ops.Linear(Tensor.Full(device, [1, 2], 1).To(DType.BFloat16), computed).To(DType.Float32));
            loss.Backward();
            return [loss];
        }
    }

    [Fact]
    public void BothTypesOfCopiesLiveSideBySide()
    {
        using var device = TestDevices.OpenCuda();
        using var weight = Weight(device, [1.001f, 2f, 3f, 4f]);
        Assert.Equal(1, Copy(weight, DType.BFloat16)[0]);
        Assert.Equal((float)(Half)1.001f, Copy(weight, DType.Float16)[0]);
        weight.CopyFrom([9f, 9f, 9f, 9f]);
        Assert.Equal(9, Copy(weight, DType.BFloat16)[0]);
        Assert.Equal(9, Copy(weight, DType.Float16)[0]);
    }

    [Fact]
    public void CopiesDieWithTheirTensor()
    {
        using var device = TestDevices.OpenCuda();
        var weight = Weight(device, new float[4096]);
        using (TensorScope.Begin())
            Copy(weight, DType.BFloat16);
        Assert.True(device.LiveBytes >= 4096 * 6);
        weight.Dispose();
        Assert.Equal(0, device.LiveBytes);
    }

    private static Tensor Weight(Device device, float[] values) => Tensor.From(device, values, [2, values.Length / 2]).AsParameter();

    private static float[] Multiply(Device device, Tensor weight)
    {
        using var scope = TensorScope.Begin();
        using var pause = new NoGrad();
        return Ops.Linear(Tensor.Full(device, [1, 2], 1).To(DType.BFloat16), weight).ToArray();
    }

    private static float[] Copy(Tensor weight, DType type)
    {
        var span = weight.As(type);
        using var scratch = new CallScratch(span.Device, span.Length * sizeof(float));
        var values = new float[span.Length];
        CopyKernel.Convert(span, scratch.Span(0, span.Length));
        CopyKernel.ToHost(scratch.Span(0, span.Length), values.AsSpan());
        return values;
    }

    private static long Conversions(CudaDevice device) => device.LaunchesOf(CudaKernel.All.Single(k => k.Symbol == "convert_from_float_bf16"));
}
