using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed class DropoutAddLayerNormTests : OpTests<(int N, int C, float P)>
{
    private const ulong Seed = 78;

    protected override IEnumerable<(int N, int C, float P)> Cases =>
    [
        (3, 2, 0), (2, 3, 0.5f), (5, 7, 0.1f), (4, 8, 0.3f), (9, 9, 0), (2, 15, 0.9f), (7, 16, 0.1f), (17, 17, 0.2f), (3, 31, 0.1f), (8, 32, 0.3f), (2, 33, 0.1f), (2, 65, 0.1f),
        (300, 24, 0.1f), (3, 512, 0.3f), (1, 1024, 0.1f), (2, 1032, 0.3f), (1, 1041, 0.1f), (0, 5, 0.1f),
    ];

    protected override Input[] Inputs((int N, int C, float P) c, Random random) =>
    [
        Input.Random(random, [c.N, c.C]), Input.Random(random, [c.N, c.C]),
        Input.Random(random, [c.C], parameter: true), Input.Random(random, [c.C], parameter: true),
    ];

    protected override Tensor Call((int N, int C, float P) c, Tensor[] inputs)
        => Ops.DropoutAddLayerNorm(inputs[0], inputs[1], inputs[2], inputs[3], c.P, new RandomSource(Seed, (ulong)c.N));

    protected override T[] Reference<T>((int N, int C, float P) c, T[][] inputs)
    {
        var (x, residual, gain, bias) = (inputs[0], inputs[1], inputs[2], inputs[3]);
        var key = new RandomSource(Seed, (ulong)c.N).NextKey();
        var y = new T[c.N * c.C];
        var width = T.CreateChecked(c.C);
        for (int n = 0; n < c.N; n++)
        {
            var sum = new T[c.C];
            T mean = T.Zero, variance = T.Zero;
            for (int i = 0; i < c.C; i++)
            {
                int at = (n * c.C) + i;
                bool dropped = c.P > 0 && Philox.Word(key, (ulong)at) < Philox.DropThreshold(c.P);
                sum[i] = residual[at] + (dropped ? T.Zero : x[at] / (T.One - T.CreateChecked(c.P)));
                mean += sum[i];
            }

            mean /= width;
            for (int i = 0; i < c.C; i++)
                variance += (sum[i] - mean) * (sum[i] - mean);
            variance /= width;
            for (int i = 0; i < c.C; i++)
                y[(n * c.C) + i] = ((sum[i] - mean) / T.Sqrt(variance + T.CreateChecked(1e-5f)) * gain[i]) + bias[i];
        }

        return y;
    }

    /// <summary>On the processor and on the emulator, where nothing is contracted, to the bit; a GPU may round the sum once instead of twice.</summary>
    [Theory, Devices]
    public void IsItsThreeOpsInARow(string name)
    {
        using var device = TestDevices.Open(name);
        var random = new Random(4);
        foreach (var (n, c, p, trains) in ((int, int, float, bool)[])[(5, 48, 0.3f, true), (3, 1040, 0.1f, true), (4, 33, 0.2f, true), (6, 64, 0, true), (5, 48, 0.3f, false), (2, 1100, 0.3f, false)])
        {
            using var scope = TensorScope.Begin();
            Tensor[] Drawn(int seed)
            {
                var draw = new Random(seed);
                Tensor[] made = [.. Inputs((n, c, p), draw).Select(i => Tensor.From(device, i.Values, i.Shape))];
                return trains ? [.. made.Select(t => t.AsParameter())] : made;
            }

            int seed = random.Next();
            Tensor[] fused = Drawn(seed), apart = Drawn(seed);
            RandomSource first = new(9), second = new(9);
            var y = Ops.DropoutAddLayerNorm(fused[0], fused[1], fused[2], fused[3], p, first);
            var z = Ops.LayerNorm(Ops.Add(apart[1], Ops.Dropout(apart[0], p, second)), apart[2], apart[3]);
            Assert.Equal(second.Position, first.Position);
            Same(z, y);
            if (!trains)
                continue;
            float[] cotangent = [.. Enumerable.Range(0, n * c).Select(i => MathF.Sin(i))];
            y.Backward(Tensor.From(device, cotangent, y.Shape));
            z.Backward(Tensor.From(device, cotangent, z.Shape));
            for (int i = 0; i < fused.Length; i++)
                Same(apart[i].Grad!, fused[i].Grad!);
        }

        void Same(Tensor expected, Tensor got)
        {
            if (name == TestDevices.Gpu)
                Assert.All(expected.ToArray().Zip(got.ToArray()), pair => Assert.Equal(pair.First, pair.Second, 1e-4f * (1 + Math.Abs(pair.First))));
            else
                Assert.Equal(expected.ToArray(), got.ToArray());
        }
    }

    [Theory, Devices]
    public void SkipsTheGradientsNobodyAsksFor(string name)
    {
        using var device = TestDevices.Open(name);
        foreach (int wanted in (int[])[0, 1])
        {
            using var scope = TensorScope.Begin();
            Tensor[] inputs = [Tensor.From(device, [1f, 2f, 4f, 8f], [2, 2]), Tensor.From(device, [3f, 1f, 2f, 2f], [2, 2])];
            inputs[wanted] = inputs[wanted].AsParameter();
            Tensor gain = Tensor.Full(device, [2], 2), bias = Tensor.Zeros(device, [2]);
            Ops.DropoutAddLayerNorm(inputs[0], inputs[1], gain, bias, 0.5f, new RandomSource(1)).Backward(Tensor.From(device, [1f, 0f, 0f, 1f], [2, 2]));
            Assert.NotNull(inputs[wanted].Grad);
            Assert.Null(inputs[1 - wanted].Grad);
            Assert.Null(gain.Grad);
        }
    }

    [Theory, Devices]
    public void EvaluationDrawsNothing(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        Tensor x = Tensor.From(device, [1f, 2f], [1, 2]), one = Tensor.Full(device, [2], 1), zero = Tensor.Zeros(device, [2]);
        var random = new RandomSource(1);
        float[] expected = Ops.LayerNorm(Ops.Add(x, x), one, zero).ToArray();
        Assert.Equal(expected, Ops.DropoutAddLayerNorm(x, x, one, zero, 0, random).ToArray());
        Assert.Equal(expected, Ops.DropoutAddLayerNorm(x, x, one, zero, 0.5f, null).ToArray());
        Assert.Equal(0UL, random.Position);
    }

    [Theory, Devices]
    public void Refusals(string name)
    {
        using var device = TestDevices.Open(name);
        Tensor x = Tensor.Zeros(device, [2, 3]), c = Tensor.Zeros(device, [3]);
        Refuses<ArgumentException>(
            "DropoutAddLayerNorm: residual must have the shape of x, got x [2, 3], residual [3].", () => Ops.DropoutAddLayerNorm(x, c, c, c, 0, null));
        Refuses<ArgumentException>(
            "DropoutAddLayerNorm: must be input [..., C], gain [C], bias [C] with C at least 1, got input [2, 3], gain [2, 3], bias [3].",
            () => Ops.DropoutAddLayerNorm(x, x, x, c, 0, null));
        Refuses<ArgumentException>("DropoutAddLayerNorm: p must be at least 0 and below 1, got 1.", () => Ops.DropoutAddLayerNorm(x, x, c, c, 1, null));
        Refuses<ArgumentException>("DropoutAddLayerNorm: epsilon must be at least 0, got NaN.", () => Ops.DropoutAddLayerNorm(x, x, c, c, 0, null, float.NaN));
    }
}
