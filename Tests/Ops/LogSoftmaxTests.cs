using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed class LogSoftmaxTests : OpTests<(int N, int C)>
{
    protected override IEnumerable<(int N, int C)> Cases =>
        [(3, 1), (2, 3), (5, 7), (4, 8), (3, 9), (2, 15), (7, 16), (3, 17), (3, 31), (2, 32), (2, 33), (2, 65), (300, 129), (2, 1000), (0, 5)];

    protected override Input[] Inputs((int N, int C) c, Random random) => [Input.Random(random, [c.N, c.C])];

    protected override Tensor Call((int N, int C) c, Tensor[] inputs) => Ops.LogSoftmax(inputs[0]);

    protected override T[] Reference<T>((int N, int C) c, T[][] inputs)
    {
        var y = new T[c.N * c.C];
        for (int n = 0; n < c.N; n++)
        {
            T max = T.NegativeInfinity, sum = T.Zero;
            for (int i = n * c.C; i < (n + 1) * c.C; i++)
                max = T.Max(max, inputs[0][i]);
            for (int i = n * c.C; i < (n + 1) * c.C; i++)
                sum += T.Exp(inputs[0][i] - max);
            for (int i = n * c.C; i < (n + 1) * c.C; i++)
                y[i] = inputs[0][i] - max - T.Log(sum);
        }

        return y;
    }

    [Theory, Devices]
    public void MaskedEntriesStayMaskedAndGetNoGradient(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var x = Tensor.From(device, [1f, float.NegativeInfinity, 1f]).AsParameter();
        var y = Ops.LogSoftmax(x);
        float half = -MathF.Log(2);
        Assert.Equal([half, float.NegativeInfinity, half], y.ToArray());
        y.Backward(Tensor.From(device, [1f, 0f, 0f]));
        Assert.Equal([0.5f, 0f, -0.5f], x.Grad!.ToArray());
    }

    [Theory, Devices]
    public void Refusals(string name)
    {
        using var device = TestDevices.Open(name);
        Refuses<ArgumentException>($"LogSoftmax: inputs must be floats, got From [2] Int32 on {device}.", () => Ops.LogSoftmax(Tensor.From(device, [1, 2])));
        Refuses<ArgumentException>($"LogSoftmax: needs at least one axis, got Zeros [] Float32 on {device}.", () => Ops.LogSoftmax(Tensor.Zeros(device, [])));
    }
}
