using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

/// <summary>What an op on a GPU costs the host in memory; the time is measured by <c>host</c> of the benchmarks.</summary>
public sealed class HostCostTests
{
    [Fact]
    public void OpsAllocateNothingButTheTensorsTheyGive()
    {
        Assert.SkipWhen(TestDevices.Absence(TestDevices.Cuda) is not null, TestDevices.Absence(TestDevices.Cuda) ?? "");
        using var device = new CudaDevice(0);
        using var outer = TensorScope.Begin();
        const int Width = 16, Heads = 2;
        Tensor x = Zeros(2, 4, Width), row = Zeros(Width), weight = Zeros(Width, Width), filter = Zeros(Heads, 3), logits = Zeros(2, 4, Heads * 3);
        Tensor step = Zeros(2, Width), stepLogits = Zeros(2, Heads * 3), window = Zeros(2, 3, Width);
        var ids = Tensor.Zeros(device, [2], DType.Int32);
        var random = new RandomSource(1);
        double tensor = Bytes(() => Tensor.Empty(device, [8], DType.Float32, "empty"));
        (string Name, int Tensors, Action Op)[] ops =
        [
            ("Add", 1, () => Ops.Add(x, row)),
            ("Glu", 1, () => Ops.Glu(x)),
            ("Dropout", 1, () => Ops.Dropout(x, 0.1f, random)),
            ("LayerNorm", 1, () => Ops.LayerNorm(x, row, row)),
            ("Embedding", 1, () => Ops.Embedding(weight, ids)),
            ("Linear", 1, () => Ops.Linear(x, weight, row, Activation.Relu)),
            ("LightConv", 1, () => Ops.LightConv(x, filter, 2)),
            ("DynamicConv", 1, () => Ops.DynamicConv(x, logits, Heads, 2)),
            ("Attention", 1, () => Ops.Attention(x, x, x, Heads, ids)),
            ("LogSoftmax", 1, () => Ops.LogSoftmax(x)),
            ("TopK", 2, () => Ops.TopK(weight, 4)),
            ("IndexSelect", 1, () => Ops.IndexSelect(x, 0, ids)),
            ("CacheAppend", 0, () => Ops.CacheAppend(x, step, ids)),
            ("AttentionStep", 1, () => Ops.AttentionStep(step, x, x, Heads, ids)),
            ("LightConvStep", 1, () => Ops.LightConvStep(step, filter, window, ids)),
            ("DynamicConvStep", 1, () => Ops.DynamicConvStep(step, stepLogits, Heads, window, ids)),
        ];
        foreach (var (name, tensors, op) in ops)
        {
            double beyond = Bytes(op) - (tensors * tensor);
            Assert.True(beyond < 16, $"{name}: {beyond} bytes beyond {tensors} tensors of {tensor} bytes");
        }

        Tensor Zeros(params ReadOnlySpan<int> sizes) => Tensor.Zeros(device, new Shape(sizes));
    }

    // Of one call among many: a scope's share of it is next to nothing. The least of several samples: what the runtime itself does meanwhile is not the op's.
    private static double Bytes(Action op)
    {
        const int Calls = 64, Samples = 4;
        double least = double.PositiveInfinity;
        for (int sample = 0; sample < Samples; sample++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            using (TensorScope.Begin())
            {
                for (int i = 0; i < Calls; i++)
                    op();
            }

            least = Math.Min(least, (GC.GetAllocatedBytesForCurrentThread() - before) / (double)Calls);
        }

        return least;
    }
}
