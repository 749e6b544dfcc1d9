using CudaSeq.Tensors;

namespace CudaSeq.Tests;

/// <summary>Queries whose places lie in rows of their beams.</summary>
public sealed class AttentionStepOriginsTests : OpTests<(int N, int Beam, int S, int C, int H, int[]? Lengths, int Window)>
{
    protected override bool Differentiable => false;

    protected override IEnumerable<(int N, int Beam, int S, int C, int H, int[]? Lengths, int Window)> Cases =>
    [
        (1, 1, 1, 1, 1, null, 0), (3, 3, 7, 6, 2, [5, 5, 5], 0), (4, 2, 9, 16, 1, [9, 0, 3, 4], 0), (6, 3, 17, 34, 2, null, 0), (20, 5, 33, 64, 4, null, 0), (64, 4, 40, 80, 4, null, 0),
        (2, 2, 300, 16, 2, [300, 257], 0), (3, 3, 600, 12, 1, [599, 0, 257], 0), (0, 2, 5, 8, 2, null, 0), (4, 2, 9, 16, 1, [9, 1, 3, 4], 4), (4, 4, 600, 12, 1, [599, 0, 257, 300], 290),
    ];

    protected override NaiveError Allowed => NaiveError.InProportion;

    protected override Input[] Inputs((int N, int Beam, int S, int C, int H, int[]? Lengths, int Window) c, Random random)
    {
        var q = Input.Random(random, [c.N, c.C], 0.5);
        var keys = Input.Random(random, [c.N, c.S, c.C], 0.5);
        var values = Input.Random(random, [c.N, c.S, c.C]);
        var origins = Input.Ints([c.N, c.S], [.. Enumerable.Range(0, c.N * c.S).Select(_ => random.Next(c.Beam))]);
        return c.Lengths is null ? [q, keys, values, origins] : [q, keys, values, origins, Input.Ints([c.N], c.Lengths)];
    }

    protected override Tensor Call((int N, int Beam, int S, int C, int H, int[]? Lengths, int Window) c, Tensor[] inputs)
        => Ops.AttentionStep(inputs[0], inputs[1], inputs[2], c.H, c.Lengths is null ? null : inputs[4], window: c.Window, origins: inputs[3], beam: c.Beam);

    protected override T[] Reference<T>((int N, int Beam, int S, int C, int H, int[]? Lengths, int Window) c, T[][] inputs)
        => AttentionStepTests.Naive(
            (c.N, c.N, c.S, c.C, c.H, c.Lengths, null, c.Window), inputs, (n, s) => n - (n % c.Beam) + int.CreateChecked(inputs[3][(n * c.S) + s]));

    /// <summary>The same sums in the same order as over caches whose rows were moved.</summary>
    [Theory, Devices]
    public void MovedCachesGiveTheSameBits(string name)
    {
        using var device = TestDevices.Open(name);
        var random = new Random(17);
        foreach (var (beams, beam, s, c, window) in ((int, int, int, int, int)[])[(2, 3, 13, 24, 0), (1, 5, 300, 16, 0), (5, 4, 40, 64, 7)])
        {
            using var scope = TensorScope.Begin();
            int n = beams * beam;
            var source = new RandomSource(18);
            var (q, k, v) = (AttentionTests.Normal(device, source, [n, c]), AttentionTests.Normal(device, source, [n, s, c]), AttentionTests.Normal(device, source, [n, s, c]));
            int[] origins = [.. Enumerable.Range(0, n * s).Select(_ => random.Next(beam))];
            var rows = Tensor.From(device, [.. origins.Select((o, i) => ((((i / s) - (i / s % beam)) + o) * s) + (i % s))]);
            Assert.Equal(
                Ops.AttentionStep(q, Moved(k), Moved(v), 2, window: window).ToArray(),
                Ops.AttentionStep(q, k, v, 2, window: window, origins: Tensor.From(device, origins, [n, s]), beam: beam).ToArray());

            Tensor Moved(Tensor x) => Ops.IndexSelect(x.Reshape([n * s, c]), 0, rows).Reshape([n, s, c]);
        }
    }
}
