using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed class AttentionStepTests : OpTests<(int N, int M, int S, int C, int H, int[]? Lengths, int? Count, int Window)>
{
    protected override bool Differentiable => false;

    protected override IEnumerable<(int N, int M, int S, int C, int H, int[]? Lengths, int? Count, int Window)> Cases =>
    [
        (1, 1, 1, 1, 1, null, null, 0), (3, 3, 7, 6, 2, null, 5, 0), (4, 2, 9, 16, 1, [9, 0], null, 0), (6, 3, 16, 34, 2, [16, 1, 7], 12, 0), (5, 1, 17, 64, 4, null, null, 0),
        (2, 2, 33, 128, 2, [33, 20], null, 0), (10, 2, 65, 96, 1, [65, 40], 64, 0), (64, 64, 40, 80, 4, null, 37, 0), (2, 1, 130, 14, 2, null, null, 0), (2, 2, 5, 8, 2, null, 0, 0),
        (0, 0, 5, 8, 2, null, null, 0), (0, 3, 5, 8, 2, null, null, 0),
        (2, 1, 300, 16, 2, [300], null, 0), (3, 3, 600, 12, 1, [599, 0, 257], null, 0), (2, 2, 20, 320, 2, null, null, 0),
        (3, 3, 7, 6, 2, null, 5, 2), (4, 2, 9, 16, 1, [9, 0], null, 4), (5, 1, 40, 64, 4, null, 33, 31), (2, 1, 300, 16, 2, [299], null, 290), (3, 3, 600, 12, 1, [599, 0, 257], null, 63),
        (2, 2, 20, 24, 2, [20, 3], null, 40), (1, 1, 9, 8, 1, null, null, 1),
    ];

    // The error of a probability is that of one score, and a naive score is now and then exact.
    protected override NaiveError Allowed => NaiveError.InProportion;

    protected override Input[] Inputs((int N, int M, int S, int C, int H, int[]? Lengths, int? Count, int Window) c, Random random)
    {
        var q = Input.Random(random, [c.N, c.C], 0.5);
        var keys = Input.Random(random, [c.M, c.S, c.C], 0.5);
        var values = Input.Random(random, [c.M, c.S, c.C]);
        return c.Lengths is null ? [q, keys, values] : [q, keys, values, Input.Ints([c.M], c.Lengths)];
    }

    protected override Tensor Call((int N, int M, int S, int C, int H, int[]? Lengths, int? Count, int Window) c, Tensor[] inputs)
        => Ops.AttentionStep(inputs[0], inputs[1], inputs[2], c.H, c.Lengths is null ? null : inputs[3], c.Count, window: c.Window);

    protected override T[] Reference<T>((int N, int M, int S, int C, int H, int[]? Lengths, int? Count, int Window) c, T[][] inputs)
        => Naive(c, inputs, (n, _) => n / (c.N / c.M));

    /// <param name="c">The case.</param>
    /// <param name="inputs">Queries, keys, values.</param>
    /// <param name="row">In which row of the caches a place of a query lies.</param>
    internal static T[] Naive<T>((int N, int M, int S, int C, int H, int[]? Lengths, int? Count, int Window) c, T[][] inputs, Func<int, int, int> row)
        where T : System.Numerics.IFloatingPointIeee754<T>
    {
        int depth = c.C / c.H;
        var y = new T[c.N * c.C];
        for (int n = 0; n < c.N; n++)
        {
            int m = n / (c.N / c.M);
            for (int h = 0; h < c.H; h++)
            {
                int visible = Math.Min(c.Count ?? c.S, c.Lengths?[m] ?? c.S), first = c.Window > 0 ? Math.Max(0, visible - c.Window) : 0;
                var p = new T[visible];
                T max = T.NegativeInfinity, sum = T.Zero;
                for (int s = first; s < visible; s++)
                {
                    for (int d = h * depth; d < (h + 1) * depth; d++)
                        p[s] += inputs[0][(n * c.C) + d] * inputs[1][(((row(n, s) * c.S) + s) * c.C) + d];
                    p[s] /= T.Sqrt(T.CreateChecked(depth));
                    max = T.Max(max, p[s]);
                }

                for (int s = first; s < visible; s++)
                    sum += p[s] = T.Exp(p[s] - max);
                for (int s = first; s < visible; s++)
                {
                    for (int d = h * depth; d < (h + 1) * depth; d++)
                        y[(n * c.C) + d] += p[s] / sum * inputs[2][(((row(n, s) * c.S) + s) * c.C) + d];
                }
            }
        }

        return y;
    }

    [Theory, Devices]
    public void StepsOverACacheEqualCausalAttention(string name)
    {
        foreach (int window in (int[])[0, 1, 5, 40])
            CheckSteps(name, window);
    }

    private static void CheckSteps(string name, int window)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        const int Length = 21, Width = 48;
        var random = new RandomSource(14);
        var (q, k, v) = (Steps(), Steps(), Steps());
        var whole = Ops.Attention(Joined(q), Joined(k), Joined(v), 3, causal: true, window: window).ToArray();
        var (keys, values) = (Tensor.Zeros(device, [2, Length, Width]), Tensor.Zeros(device, [2, Length, Width]));
        for (int t = 0; t < Length; t++)
        {
            Ops.CacheAppend(keys, k[t], StepCases.Positions(device, 2, t));
            Ops.CacheAppend(values, v[t], StepCases.Positions(device, 2, t));
            var y = Ops.AttentionStep(q[t], keys, values, 3, count: t + 1, window: window).ToArray();
            for (int i = 0; i < y.Length; i++)
                Assert.Equal(whole[(((i / Width * Length) + t) * Width) + (i % Width)], y[i], 2e-6f);
        }

        Tensor[] Steps() => [.. Enumerable.Range(0, Length).Select(_ => AttentionTests.Normal(device, random, [2, Width]))];

        Tensor Joined(Tensor[] steps)
        {
            var rows = steps.Select(x => x.ToArray()).ToArray();
            return Tensor.From(device, [.. Enumerable.Range(0, 2).SelectMany(n => rows.SelectMany(x => x[(n * Width)..((n + 1) * Width)]))], [2, Length, Width]);
        }
    }

    [Theory, Devices]
    public void HypothesesOfABeamShareTheirSource(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var random = new RandomSource(15);
        var (q, k, v) = (AttentionTests.Normal(device, random, [6, 24]), AttentionTests.Normal(device, random, [2, 13, 24]), AttentionTests.Normal(device, random, [2, 13, 24]));
        var lengths = Tensor.From(device, [13, 5]);
        var beam = Ops.AttentionStep(q, k, v, 2, lengths).ToArray();
        var whole = Ops.Attention(q.Reshape([2, 3, 24]), k, v, 2, lengths).ToArray();
        Assert.All(beam.Zip(whole), pair => Assert.Equal(pair.First, pair.Second, 2e-6f));
    }

    [Theory, Devices]
    public void Refusals(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var q = Tensor.Zeros(device, [4, 8]);
        var cache = Tensor.Zeros(device, [2, 5, 8]);
        Refuses<ArgumentException>(
            "AttentionStep: must be q [N, C], keys and values [M, S, C] with N a multiple of M, got q [4, 8], keys [3, 5, 8], values [3, 5, 8].",
            () => Ops.AttentionStep(q, Tensor.Zeros(device, [3, 5, 8]), Tensor.Zeros(device, [3, 5, 8]), 2));
        Refuses<ArgumentException>("AttentionStep: H must divide C, got H = 3, C = 8 (q [4, 8], keys [2, 5, 8]).", () => Ops.AttentionStep(q, cache, cache, 3));
        Refuses<ArgumentException>(
            "AttentionStep: lengths must be [M], got [4] (q [4, 8], keys [2, 5, 8]).", () => Ops.AttentionStep(q, cache, cache, 2, Tensor.From(device, [1, 1, 1, 1])));
        Refuses<ArgumentException>(
            "AttentionStep: lengths must be in 0 .. 5, got -1 at [m = 0].", () => Ops.AttentionStep(q, cache, cache, 2, Tensor.From(device, [-1, 5])));
        Refuses<ArgumentOutOfRangeException>(
            "AttentionStep: count must be in 0 .. S, got count = 6 (q [4, 8], keys [2, 5, 8]).", () => Ops.AttentionStep(q, cache, cache, 2, count: 6));
        var own = Tensor.Zeros(device, [4, 8]);
        Tensor caches = Tensor.Zeros(device, [4, 5, 8]), origins = Tensor.From(device, new int[20], [4, 5]);
        Refuses<ArgumentException>(
            "AttentionStep: origins must be [N, S] with N = M a multiple of beam, got origins [4, 5], beam = 2 (q [4, 8], keys [2, 5, 8]).",
            () => Ops.AttentionStep(own, cache, cache, 2, origins: origins, beam: 2));
        Refuses<ArgumentException>(
            "AttentionStep: origins must be [N, S] with N = M a multiple of beam, got origins [4, 5], beam = 3 (q [4, 8], keys [4, 5, 8]).",
            () => Ops.AttentionStep(own, caches, caches, 2, origins: origins, beam: 3));
        Refuses<ArgumentException>(
            "AttentionStep: origins must be [N, S] with N = M a multiple of beam, got origins [20], beam = 2 (q [4, 8], keys [4, 5, 8]).",
            () => Ops.AttentionStep(own, caches, caches, 2, origins: origins.Reshape([20]), beam: 2));
        Refuses<ArgumentException>(
            "AttentionStep: origins must be in 0 .. 1, got 2 at [n = 1, s = 3].",
            () => Ops.AttentionStep(own, caches, caches, 2, origins: Tensor.From(device, [.. Enumerable.Range(0, 20).Select(i => i == 8 ? 2 : 1)], [4, 5]), beam: 2));
        Refuses<ArgumentOutOfRangeException>("AttentionStep: window must be at least 0, got -2.", () => Ops.AttentionStep(q, cache, cache, 2, window: -2));
    }
}
