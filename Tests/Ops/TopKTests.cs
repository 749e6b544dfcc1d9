using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed class TopKTests : OpTests<(int N, int V, int K)>
{
    protected override bool Differentiable => false;

    protected override IEnumerable<(int N, int V, int K)> Cases =>
    [
        (1, 1, 1), (2, 3, 2), (3, 7, 7), (2, 64, 5), (2, 65, 1), (3, 127, 3), (2, 129, 129), (4, 1000, 10), (2, 5000, 300), (40, 3001, 4), (1, 50_000, 8), (3, 9, 0), (0, 9, 2),
        (2, 5000, 2500), (1, 3001, 3001),
    ];

    protected override Input[] Inputs((int N, int V, int K) c, Random random) => [Input.Random(random, [c.N, c.V])];

    protected override Tensor Call((int N, int V, int K) c, Tensor[] inputs) => Ops.TopK(inputs[0], c.K).Values;

    protected override T[] Reference<T>((int N, int V, int K) c, T[][] inputs)
        => [.. Enumerable.Range(0, c.N).SelectMany(n => inputs[0].Skip(n * c.V).Take(c.V).OrderDescending().Take(c.K))];

    [Theory, Devices]
    public void IndicesPointAtTheValuesAndTiesGoToTheLowerIndex(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var random = new Random(11);
        foreach (var (n, v, k) in Cases)
        {
            // Few different numbers, among them both zeros: ties everywhere.
            float[] x = [.. Enumerable.Range(0, n * v).Select(_ => (float)random.Next(-3, 4))];
            for (int i = 0; i < x.Length; i += 5)
                x[i] = i % 2 == 0 ? 0f : -0f;
            var (values, indices) = Ops.TopK(Tensor.From(device, x, [n, v]), k);
            var got = indices.ToIntArray();
            var found = values.ToArray();
            for (int row = 0; row < n; row++)
            {
                int[] expected = [.. Enumerable.Range(0, v).OrderByDescending(i => x[(row * v) + i]).ThenBy(i => i).Take(k)];
                Assert.Equal(expected, got[(row * k)..((row + 1) * k)]);
                Assert.Equal(expected.Select(i => x[(row * v) + i]), found[(row * k)..((row + 1) * k)]);
            }
        }
    }

    [Theory, Devices]
    public void NaNRanksAboveInfinityAndMaskedEntriesRankLast(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        foreach (int width in (int[])[6, 300])
        {
            var x = new float[width];
            Array.Fill(x, float.NegativeInfinity);
            x[1] = float.PositiveInfinity;
            x[3] = -float.NaN;
            x[4] = float.NaN;
            x[5] = -1e30f;
            Assert.Equal([3, 4, 1, 5, 0], Ops.TopK(Tensor.From(device, x, [1, width]), 5).Indices.ToIntArray());
        }
    }

    [Theory, Devices]
    public void Refusals(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        Refuses<ArgumentException>("TopK: must be [N, V], got [4].", () => Ops.TopK(Tensor.Zeros(device, [4]), 2));
        Refuses<ArgumentOutOfRangeException>("TopK: k must be in 0 .. V, got k = 5, V = 4 (input [2, 4]).", () => Ops.TopK(Tensor.Zeros(device, [2, 4]), 5));
    }
}
