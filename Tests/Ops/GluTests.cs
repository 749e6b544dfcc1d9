using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed class GluTests : OpTests<(int N, int C)>
{
    protected override IEnumerable<(int N, int C)> Cases =>
        [(0, 4), (3, 0), (1, 1), (2, 3), (3, 7), (2, 8), (2, 9), (5, 15), (5, 16), (5, 17), (3, 33), (130, 127), (70, 512)];

    protected override Input[] Inputs((int N, int C) c, Random random) => [Input.Random(random, [c.N, 2 * c.C])];

    protected override Tensor Call((int N, int C) c, Tensor[] inputs) => Ops.Glu(inputs[0]);

    protected override T[] Reference<T>((int N, int C) size, T[][] inputs)
    {
        var y = new T[size.N * size.C];
        for (int n = 0; n < size.N; n++)
        {
            for (int c = 0; c < size.C; c++)
            {
                T a = inputs[0][(2 * n * size.C) + c], b = inputs[0][(((2 * n) + 1) * size.C) + c];
                y[(n * size.C) + c] = a / (T.One + T.Exp(-b));
            }
        }

        return y;
    }

    [Theory, Devices]
    public void FarGatesAreOpenOrShut(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var x = Tensor.From(device, [2f, 3f, 4f, 5f, 1000f, -1000f, float.PositiveInfinity, float.NegativeInfinity]);
        Assert.Equal([2f, 0f, 4f, 0f], Ops.Glu(x).ToArray());
    }

    [Theory, Devices]
    public void RefusesAnOddAxis(string name)
    {
        using var device = TestDevices.Open(name);
        Refuses<ArgumentException>("Glu: the last axis must be even, got x [2, 3].", () => Ops.Glu(Tensor.Zeros(device, [2, 3])));
        Refuses<ArgumentException>("Glu: the last axis must be even, got x [].", () => Ops.Glu(Tensor.Zeros(device, [])));
    }
}
