using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed class ReluTests : OpTests<int>
{
    protected override IEnumerable<int> Cases => [1, 3, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100_003];

    protected override Input[] Inputs(int n, Random random) => [Input.Random(random, [n])];

    protected override Tensor Call(int n, Tensor[] inputs) => Ops.Relu(inputs[0]);

    protected override T[] Reference<T>(int n, T[][] inputs) => [.. inputs[0].Select(x => x > T.Zero ? x : T.Zero)];

    [Theory, Devices]
    public void NaNStaysNaN(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        Assert.Equal([float.NaN, 0, 2], Ops.Relu(Tensor.From(device, [float.NaN, -1f, 2f])).ToArray());
    }

    [Theory, Devices]
    public void RefusesIntegers(string name)
    {
        using var device = TestDevices.Open(name);
        Refuses<ArgumentException>($"Relu: inputs must be floats, got From [2] Int32 on {device}.", () => Ops.Relu(Tensor.From(device, [1, 2])));
    }
}
