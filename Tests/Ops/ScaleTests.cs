using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed class ScaleTests : OpTests<(int N, float Factor)>
{
    protected override IEnumerable<(int N, float Factor)> Cases => [(0, 2), (1, 3), (7, -0.5f), (16, 0), (33, 22.627417f), (50_001, 0.1f)];

    protected override Input[] Inputs((int N, float Factor) c, Random random) => [Input.Random(random, [c.N])];

    protected override Tensor Call((int N, float Factor) c, Tensor[] inputs) => Ops.Scale(inputs[0], c.Factor);

    protected override T[] Reference<T>((int N, float Factor) c, T[][] inputs) => [.. inputs[0].Select(x => x * T.CreateChecked(c.Factor))];

    [Theory, Devices]
    public void RefusesIntegers(string name)
    {
        using var device = TestDevices.Open(name);
        Refuses<ArgumentException>($"Scale: inputs must be floats, got From [2] Int32 on {device}.", () => Ops.Scale(Tensor.From(device, [1, 2]), 2));
    }
}
