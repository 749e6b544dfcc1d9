using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed class WeightNormTests : OpTests<(int O, int I)>
{
    protected override IEnumerable<(int O, int I)> Cases => [(1, 1), (3, 2), (5, 7), (4, 16), (3, 33), (2, 65), (17, 129)];

    protected override Input[] Inputs((int O, int I) c, Random random) => [Input.Random(random, [c.O, c.I], parameter: true), Input.Random(random, [c.O, 1], parameter: true)];

    protected override Tensor Call((int O, int I) c, Tensor[] inputs) => Ops.WeightNorm(inputs[0], inputs[1]);

    protected override T[] Reference<T>((int O, int I) c, T[][] inputs)
    {
        var w = new T[c.O * c.I];
        for (int o = 0; o < c.O; o++)
        {
            T squares = T.Zero;
            for (int i = 0; i < c.I; i++)
                squares += inputs[0][(o * c.I) + i] * inputs[0][(o * c.I) + i];
            for (int i = 0; i < c.I; i++)
                w[(o * c.I) + i] = inputs[1][o] * inputs[0][(o * c.I) + i] / T.Sqrt(squares);
        }

        return w;
    }

    /// <summary>Rows are as long as g says, and a length of a row changes nothing.</summary>
    [Theory, Devices]
    public void LengthsAreThoseOfG(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var g = Tensor.From(device, [10f, -1f], [2, 1]);
        float[] one = Ops.WeightNorm(Tensor.From(device, [3f, 4f, 0f, 2f], [2, 2]), g).ToArray();
        float[] other = Ops.WeightNorm(Tensor.From(device, [3e-6f, 4e-6f, 0f, 5e7f], [2, 2]), g).ToArray();
        Assert.All(new float[] { 6, 8, 0, -1 }.Zip(one), p => Assert.Equal(p.First, p.Second, 1e-5f));
        Assert.All(one.Zip(other), p => Assert.Equal(p.First, p.Second, 1e-5f));
    }

    [Theory, Devices]
    public void ARowOfZerosHasNoDirection(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var w = Ops.WeightNorm(Tensor.From(device, [0f, 0f, 3f, 4f], [2, 2]), Tensor.From(device, [10f, 5f], [2, 1])).ToArray();
        Assert.Equal([float.NaN, float.NaN], w[..2]);
        Assert.All(new float[] { 3, 4 }.Zip(w[2..]), p => Assert.Equal(p.First, p.Second, 1e-5f));
    }

    [Theory, Devices]
    public void Refusals(string name)
    {
        using var device = TestDevices.Open(name);
        var v = Tensor.Zeros(device, [3, 2]);
        Refuses<ArgumentException>("WeightNorm: must be v [O, I], I at least 1, and g [O, 1], got v [3, 2], g [3].", () => Ops.WeightNorm(v, Tensor.Zeros(device, [3])));
    }
}
