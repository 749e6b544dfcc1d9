using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed class SoftmaxTests : OpTests<(int N, int C, bool Masked)>
{
    protected override IEnumerable<(int N, int C, bool Masked)> Cases =>
    [
        (3, 1, false), (2, 3, false), (5, 7, false), (4, 8, true), (3, 9, true), (2, 15, false), (7, 16, true), (3, 17, true), (3, 31, false), (2, 32, true),
        (2, 33, false), (2, 65, true), (300, 129, false), (2, 1000, true), (0, 5, false),
    ];

    protected override Input[] Inputs((int N, int C, bool Masked) c, Random random)
    {
        var x = Input.Random(random, [c.N, c.C]);
        for (int i = 0; c.Masked && i < x.Values.Length; i += 3)
            x.Values[i] = float.NegativeInfinity;
        return [x];
    }

    protected override Tensor Call((int N, int C, bool Masked) c, Tensor[] inputs) => Ops.Softmax(inputs[0]);

    protected override T[] Reference<T>((int N, int C, bool Masked) c, T[][] inputs)
    {
        var y = new T[c.N * c.C];
        for (int n = 0; n < c.N; n++)
        {
            T max = T.NegativeInfinity, sum = T.Zero;
            for (int i = n * c.C; i < (n + 1) * c.C; i++)
                max = T.Max(max, inputs[0][i]);
            for (int i = n * c.C; i < (n + 1) * c.C; i++)
                sum += y[i] = T.Exp(inputs[0][i] - max);
            for (int i = n * c.C; i < (n + 1) * c.C; i++)
                y[i] /= sum;
        }

        return y;
    }

    [Theory, Devices]
    public void MaskedEntriesGetExactZerosAndTheRestSumsToOne(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        foreach (int width in (int[])[2, 16, 40])
        {
            var x = new float[width];
            for (int i = 0; i < width; i++)
                x[i] = i % 2 == 0 ? float.NegativeInfinity : -1000 + i;
            var y = Ops.Softmax(Tensor.From(device, x, [1, width])).ToArray();
            for (int i = 0; i < width; i += 2)
                Assert.Equal(0f, y[i]);
            Assert.Equal(1f, y.Sum(), 1e-6f);
        }
    }

    [Theory, Devices]
    public void RowsWithoutAnAnswerAreNaN(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        foreach (int width in (int[])[3, 16, 37])
        {
            foreach (float value in (float[])[float.NaN, float.PositiveInfinity])
            {
                var x = new float[2 * width];
                x[width - 1] = value;
                var y = Ops.Softmax(Tensor.From(device, x, [2, width])).ToArray();
                Assert.True(float.IsNaN(y[width - 1]));
                Assert.All(y[width..], p => Assert.Equal(1f / width, p, 1e-7f));
            }

            var masked = new float[width];
            Array.Fill(masked, float.NegativeInfinity);
            Assert.All(Ops.Softmax(Tensor.From(device, masked)).ToArray(), p => Assert.True(float.IsNaN(p)));
        }
    }

    [Theory, Devices]
    public void AddingANumberToARowChangesNothing(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        float[] x = [.. Enumerable.Range(0, 50).Select(i => (float)(i % 7))];
        var moved = Array.ConvertAll(x, v => v + 4096);
        Assert.Equal(Ops.Softmax(Tensor.From(device, x)).ToArray(), Ops.Softmax(Tensor.From(device, moved)).ToArray());
    }

    [Theory, Devices]
    public void Refusals(string name)
    {
        using var device = TestDevices.Open(name);
        Refuses<ArgumentException>($"Softmax: inputs must be floats, got From [2] Int32 on {device}.", () => Ops.Softmax(Tensor.From(device, [1, 2])));
        Refuses<ArgumentException>($"Softmax: needs at least one axis, got Zeros [] Float32 on {device}.", () => Ops.Softmax(Tensor.Zeros(device, [])));
    }
}
