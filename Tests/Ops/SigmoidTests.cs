using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed class SigmoidTests : OpTests<int>
{
    protected override IEnumerable<int> Cases => [0, 1, 3, 7, 8, 9, 15, 16, 17, 31, 33, 64, 40_003];

    protected override Input[] Inputs(int n, Random random) => [Input.Random(random, [n], scale: 2)];

    protected override Tensor Call(int n, Tensor[] inputs) => Ops.Sigmoid(inputs[0]);

    protected override T[] Reference<T>(int n, T[][] inputs) => [.. inputs[0].Select(x => T.One / (T.One + T.Exp(-x)))];

    [Theory, Devices]
    public void TheEndsAreExactAndNaNStaysNaN(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var x = Tensor.From(device, [0f, 1e30f, -1e30f, float.PositiveInfinity, float.NegativeInfinity, float.NaN, 88.8f, -88.8f]);
        float[] y = Ops.Sigmoid(x).ToArray();
        Assert.Equal([0.5f, 1, 0, 1, 0, float.NaN, 1], y[..7]);
        Assert.InRange(y[7], 0, 3e-39f);
    }

    [Theory, Devices]
    public void RefusesIntegers(string name)
    {
        using var device = TestDevices.Open(name);
        Refuses<ArgumentException>($"Sigmoid: inputs must be floats, got From [2] Int32 on {device}.", () => Ops.Sigmoid(Tensor.From(device, [1, 2])));
    }
}
