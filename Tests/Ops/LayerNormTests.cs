using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed class LayerNormTests : OpTests<(int N, int C)>
{
    protected override IEnumerable<(int N, int C)> Cases =>
        [(3, 2), (2, 3), (5, 7), (4, 8), (9, 9), (2, 15), (7, 16), (17, 17), (3, 31), (8, 32), (2, 33), (2, 65), (700, 129), (3, 512), (0, 5)];

    protected override Input[] Inputs((int N, int C) c, Random random)
        => [Input.Random(random, [c.N, c.C]), Input.Random(random, [c.C], parameter: true), Input.Random(random, [c.C], parameter: true)];

    protected override Tensor Call((int N, int C) c, Tensor[] inputs) => Ops.LayerNorm(inputs[0], inputs[1], inputs[2]);

    protected override T[] Reference<T>((int N, int C) c, T[][] inputs)
    {
        var (x, gain, bias) = (inputs[0], inputs[1], inputs[2]);
        var y = new T[c.N * c.C];
        var width = T.CreateChecked(c.C);
        for (int n = 0; n < c.N; n++)
        {
            T mean = T.Zero, variance = T.Zero;
            for (int i = 0; i < c.C; i++)
                mean += x[(n * c.C) + i];
            mean /= width;
            for (int i = 0; i < c.C; i++)
                variance += (x[(n * c.C) + i] - mean) * (x[(n * c.C) + i] - mean);
            variance /= width;
            for (int i = 0; i < c.C; i++)
                y[(n * c.C) + i] = ((x[(n * c.C) + i] - mean) / T.Sqrt(variance + T.CreateChecked(1e-5f)) * gain[i]) + bias[i];
        }

        return y;
    }

    [Theory, Devices]
    public void RowsHaveMeanZeroAndVarianceOneBesideALargeMean(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        float[] x = [.. Enumerable.Range(0, 64).Select(i => 10_000f + i)];
        var y = Ops.LayerNorm(Tensor.From(device, x, [1, 64]), Tensor.Full(device, [64], 1), Tensor.Zeros(device, [64])).ToArray();
        Assert.Equal(0, y.Sum(v => (double)v), 1e-4);
        Assert.Equal(64, y.Sum(v => (double)v * v), 1e-3);
    }

    [Theory, Devices]
    public void SkipsTheGradientsNobodyAsksFor(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var x = Tensor.From(device, [1f, 2f, 4f, 8f], [2, 2]);
        var gain = Tensor.Full(device, [2], 2);
        var bias = Tensor.Zeros(device, [2]).AsParameter();
        Ops.LayerNorm(x, gain, bias).Backward(Tensor.Full(device, [2, 2], 3));
        Assert.Null(x.Grad);
        Assert.Null(gain.Grad);
        Assert.Equal([6, 6], bias.Grad!.ToArray());
    }

    [Theory, Devices]
    public void Refusals(string name)
    {
        using var device = TestDevices.Open(name);
        Refuses<ArgumentException>(
            "LayerNorm: must be input [..., C], gain [C], bias [C] with C at least 1, got input [2, 3], gain [2], bias [3].",
            () => Ops.LayerNorm(Tensor.Zeros(device, [2, 3]), Tensor.Zeros(device, [2]), Tensor.Zeros(device, [3])));
        Refuses<ArgumentException>(
            "LayerNorm: epsilon must be at least 0, got -1.",
            () => Ops.LayerNorm(Tensor.Zeros(device, [2, 3]), Tensor.Zeros(device, [3]), Tensor.Zeros(device, [3]), -1));
        Refuses<ArgumentException>(
            $"LayerNorm: inputs must be floats, got From [2] Int32 on {device}.",
            () => Ops.LayerNorm(Tensor.From(device, [1, 2]), Tensor.Zeros(device, [2]), Tensor.Zeros(device, [2])));
    }
}
