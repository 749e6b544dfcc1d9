using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed record NegativeLogLikelihoodCase(int N, int V, float Smoothing = 0, LabelSmoothing Form = LabelSmoothing.OverOthers, int PaddingIndex = -1);

public sealed class NegativeLogLikelihoodTests : OpTests<NegativeLogLikelihoodCase>
{
    protected override IEnumerable<NegativeLogLikelihoodCase> Cases
    {
        get
        {
            foreach (int v in (int[])[1, 3, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65, 129])
                yield return new NegativeLogLikelihoodCase((v * 3 % 13) + 1, v);
            foreach (var form in Enum.GetValues<LabelSmoothing>())
            {
                foreach (float smoothing in (float[])[0.1f, 1])
                    yield return new NegativeLogLikelihoodCase(12, 70, smoothing, form, PaddingIndex: 1);
            }

            yield return new NegativeLogLikelihoodCase(2, 3000, 0.1f);
            yield return new NegativeLogLikelihoodCase(0, 5, 0.1f);
        }
    }

    protected override Input[] Inputs(NegativeLogLikelihoodCase c, Random random) =>
    [
        Input.Random(random, [c.N, c.V]),
        Input.Ints([c.N], Enumerable.Range(0, c.N).Select(n => n % 3 == 1 && c.PaddingIndex >= 0 ? c.PaddingIndex : random.Next(c.V))),
    ];

    protected override Tensor Call(NegativeLogLikelihoodCase c, Tensor[] inputs)
        => Ops.NegativeLogLikelihood(inputs[0], inputs[1], c.Smoothing, c.PaddingIndex, c.Form).Loss;

    protected override T[] Reference<T>(NegativeLogLikelihoodCase c, T[][] inputs)
    {
        T smoothing = T.CreateChecked(c.Smoothing), loss = T.Zero;
        T onEvery = c.Smoothing == 0 ? T.Zero : smoothing / T.CreateChecked(c.Form == LabelSmoothing.Uniform ? c.V : c.V - 1);
        T onTarget = T.One - smoothing - (c.Form == LabelSmoothing.Uniform ? T.Zero : onEvery);
        for (int n = 0; n < c.N; n++)
        {
            int target = int.CreateChecked(inputs[1][n]);
            for (int v = 0; v < c.V && target != c.PaddingIndex; v++)
                loss -= (onEvery + (v == target ? onTarget : T.Zero)) * inputs[0][(n * c.V) + v];
        }

        return [loss];
    }

    /// <summary>Behind a projection and a softmax it is the fused cross-entropy, gradients and all.</summary>
    [Theory, Devices]
    public void IsTheCrossEntropyOfASoftmax(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var random = new RandomSource(4);
        float[] values = new float[6 * 5], table = new float[9 * 5];
        random.Normal(values, 0, 1);
        random.Normal(table, 0, 1);
        var targets = Tensor.From(device, [3, 1, 8, 0, 1, 2]);
        foreach (var form in Enum.GetValues<LabelSmoothing>())
        {
            Tensor x = Tensor.From(device, values, [6, 5]).AsParameter(), weight = Tensor.From(device, table, [9, 5]).AsParameter();
            var (loss, nll) = Ops.NegativeLogLikelihood(Ops.LogSoftmax(Ops.Linear(x, weight)), targets, 0.2f, 1, form);
            Tensor z = Tensor.From(device, values, [6, 5]).AsParameter(), same = Tensor.From(device, table, [9, 5]).AsParameter();
            var (fused, fusedNll) = Ops.CrossEntropy(z, same, targets, 0.2f, 1, form);
            Assert.Equal((fused.Item(), fusedNll.Item()), (loss.Item(), nll.Item()), (a, b) => Math.Abs(a.Item1 - b.Item1) < 1e-4 && Math.Abs(a.Item2 - b.Item2) < 1e-4);
            loss.Backward();
            fused.Backward();
            foreach (var (a, b) in new[] { (x, z), (weight, same) })
                Assert.All(a.Grad!.ToArray().Zip(b.Grad!.ToArray()), p => Assert.Equal(p.First, p.Second, 1e-5f));
        }
    }

    [Theory, Devices]
    public void Refusals(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var x = Tensor.Zeros(device, [2, 3]);
        Refuses<ArgumentException>("NegativeLogLikelihood: inputs must be x [N, V], targets [N], V > 0, got x [2, 3], targets [3].", () => Ops.NegativeLogLikelihood(x, Tensor.From(device, [0, 1, 2])));
        Refuses<ArgumentException>("NegativeLogLikelihood: targets must be in 0 .. 2 or the padding -1, got 3 at [n = 1].", () => Ops.NegativeLogLikelihood(x, Tensor.From(device, [0, 3])));
        Refuses<ArgumentException>("NegativeLogLikelihood: smoothing must be in 0 .. 1, got 2.", () => Ops.NegativeLogLikelihood(x, Tensor.From(device, [0, 1]), 2));
        Refuses<ArgumentException>("NegativeLogLikelihood: smoothing over the other classes needs at least two, got x [1, 1].", () => Ops.NegativeLogLikelihood(Tensor.Zeros(device, [1, 1]), Tensor.From(device, [0]), 0.1f));
    }
}
