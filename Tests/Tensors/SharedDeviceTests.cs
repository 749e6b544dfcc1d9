using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed class SharedDeviceTests
{
    // Parameters and device are shared, scopes and tapes are of their thread: every thread gets the bits that one alone gets.
    [Theory, Devices]
    public void ManyThreadsInferWithTheSameParameters(string name)
    {
        using var device = TestDevices.Open(name, threads: 3);
        var random = new RandomSource(5);
        Tensor Draw(params int[] shape)
        {
            var values = new float[new Shape(shape).Count];
            random.Normal(values, 0, 1);
            return Tensor.From(device, values, new Shape(shape));
        }

        using Tensor weight = Draw(384, 128).AsParameter(), filter = Draw(4, 7).AsParameter(), output = Draw(500, 128).AsParameter();
        using Tensor x = Draw(3, 65, 128), targets = Tensor.From(device, [.. Enumerable.Range(0, 195)]);
        float[] alone = Infer();
        var others = new float[4][];
        var threads = Enumerable.Range(0, others.Length).Select(i => new Thread(() =>
        {
            for (int round = 0; round < 5; round++)
                others[i] = Infer();
        })).ToArray();
        foreach (var thread in threads)
            thread.Start();
        foreach (var thread in threads)
            thread.Join();
        Assert.All(others, got => Assert.Equal(alone, got));

        float[] Infer()
        {
            using var scope = TensorScope.Begin();
            using var pause = new NoGrad();
            var projected = Ops.Linear(x, weight);
            Tensor q = Ops.Slice(projected, -1, 0, 128), k = Ops.Slice(projected, -1, 128, 128), v = Ops.Slice(projected, -1, 256, 128);
            var y = Ops.Attention(q, k, Ops.LightConv(v, filter, 6), 4, causal: true);
            var loss = Ops.CrossEntropy(y.Reshape([195, 128]), output, targets, 0.1f).Loss;
            return [.. y.ToArray(), loss.Item()];
        }
    }
}
