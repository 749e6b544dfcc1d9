using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed class DistanceAttentionTests
{
    private const int B = 2, T = 4, C = 6, H = 2;

    private static readonly int[] Lengths = [4, 2];

    [Theory, Devices]
    public void ValuesAndGradientsAreThoseOfTheEquations(string name)
    {
        using var device = TestDevices.Open(name);
        foreach (bool causal in (bool[])[false, true])
        {
            using var scope = TensorScope.Begin();
            using var attention = Made(device, weights: [-0.7f, 0.4f], slopes: [0.3f, 1.5f]);
            float[][] at = [FiniteDifference.Normals(1, B * T * C), .. attention.Parameters.Select(p => p.ToArray())];
            float[] outer = FiniteDifference.Normals(2, B * T * C);
            var x = Tensor.From(device, at[0], [B, T, C]).AsParameter();
            var y = attention.Forward(x, Padding(device), causal);
            FiniteDifference.Near(Loops([.. at.Select(v => Array.ConvertAll(v, e => (double)e))], causal), y.ToArray());

            y.Backward(Tensor.From(device, outer, y.Shape));
            FiniteDifference.Check(
                p => Loops(p, causal).Zip(outer, (v, d) => v * d).Sum(), at, [x.Grad!.ToArray(), .. attention.Parameters.Select(p => p.Grad!.ToArray())]);
        }
    }

    // With s = 1 / (1 + e^(v - R)): df/dR = f (1 - s), df/dv = e^v s - f (1 - s), and dL/dw = sum of dL/df df/dR |t - s|.
    [Fact]
    public void TheFactorHasItsDerivatives()
    {
        using var device = TestDevices.Open(TestDevices.Processor);
        using var scope = TensorScope.Begin();
        using var attention = Made(device, weights: [-0.7f, 0.4f], slopes: [0.3f, 1.5f]);
        float[] outer = FiniteDifference.Normals(3, H * T * T);
        var factor = attention.Factor(T);
        factor.Backward(Tensor.From(device, outer, factor.Shape));
        var (weight, slope) = (Parameter(attention, "distance_weight"), Parameter(attention, "distance_slope"));
        for (int h = 0; h < H; h++)
        {
            double w = weight.ToArray()[h], v = slope.ToArray()[h], dw = 0, dv = 0;
            for (int i = 0; i < T * T; i++)
            {
                double distance = Math.Abs((i / T) - (i % T)), s = 1 / (1 + Math.Exp(v - (w * distance))), f = (1 + Math.Exp(v)) * s, d = outer[(h * T * T) + i];
                Assert.Equal(f, factor.ToArray()[(h * T * T) + i], 1e-5);
                dw += d * f * (1 - s) * distance;
                dv += d * ((Math.Exp(v) * s) - (f * (1 - s)));
            }

            Assert.Equal(dw, weight.Grad!.ToArray()[h], 1e-4);
            Assert.Equal(dv, slope.Grad!.ToArray()[h], 1e-4);
        }
    }

    [Fact]
    public void TheFactorIsOneAtHomeBoundedAndStable()
    {
        using var device = TestDevices.Open(TestDevices.Processor);
        using var scope = TensorScope.Begin();

        // e^100 is no float: only logarithms hold the quotient.
        using var attention = Made(device, weights: [-40, 100], slopes: [60, 2]);
        float[] factor = attention.Factor(T).ToArray();
        for (int h = 0; h < H; h++)
        {
            for (int t = 0; t < T; t++)
                Assert.Equal(1, factor[(h * T * T) + (t * T) + t], 1e-5);
        }

        Assert.Equal(1, factor[1] / Math.Exp(-40), 1e-4);
        Assert.Equal(1 + Math.Exp(2), factor[(T * T) + 1], 1e-5);
        Assert.All(factor, f => Assert.True(float.IsFinite(f) && f >= 0));

        using var gradual = Made(device, weights: [-0.5f, 0.5f], slopes: [0, 0]);
        float[] row = gradual.Factor(20).ToArray();
        for (int t = 1; t < 20; t++)
        {
            Assert.True(row[t] < row[t - 1]);
            Assert.InRange(row[400 + t], row[400 + t - 1], 2);
        }
    }

    // A score below 0 counts as 0, and e^0 is not nothing; padding is.
    [Fact]
    public void IrrelevantKeysKeepAShareAndPaddingHasNone()
    {
        using var device = TestDevices.Open(TestDevices.Processor);
        using var scope = TensorScope.Begin();
        using var attention = Made(device, weights: [-0.7f, 0.4f], slopes: [0.3f, 1.5f]);
        float[] probabilities = attention.Probabilities(Tensor.From(device, FiniteDifference.Normals(5, B * T * C, 3), [B, T, C]), Padding(device)).ToArray();
        for (int i = 0; i < probabilities.Length; i++)
        {
            var (b, s) = (i / (H * T * T), i % T);
            Assert.True(s >= Lengths[b] ? probabilities[i] == 0 : probabilities[i] > 0, $"element {i} is {probabilities[i]}");
        }

        Assert.All(probabilities.Chunk(T), row => Assert.Equal(1, row.Sum(), 1e-5f));
        Assert.Contains(probabilities[..(T * T * H)].Chunk(T), row => row.Count(p => Math.Abs(p - row.Min()) < 1e-7) > 1);
    }

    [Fact]
    public void WithoutWeightsOfDistanceItIsAttentionOfRectifiedScores()
    {
        using var device = TestDevices.Open(TestDevices.Processor);
        using var scope = TensorScope.Begin();
        using var attention = Made(device, weights: [0, 0], slopes: [0.3f, 1.5f]);
        Assert.All(attention.Factor(T).ToArray(), f => Assert.Equal(1, f, 1e-6));
    }

    // Values that are the positions themselves show the weights.
    [Fact]
    public void DropoutTakesWeightsWholeAndScalesTheOthers()
    {
        const float Probability = 0.25f;
        using var device = TestDevices.Open(TestDevices.Processor);
        using var scope = TensorScope.Begin();
        using var attention = new DistanceAttention(T, 1, Probability);
        attention.Initialize(device, new RandomSource(3));
        float[] identity = [.. Enumerable.Range(0, T * T).Select(i => i / T == i % T ? 1f : 0)];
        foreach (string projection in (string[])["v_proj", "out_proj"])
            Parameter(attention, $"{projection}.weight").CopyFrom(identity);
        foreach (var (_, tensor) in attention.NamedParameters().Where(p => p.Name.EndsWith("bias", StringComparison.Ordinal)))
            tensor.CopyFrom(new float[T]);
        var x = Tensor.From(device, identity, [1, T, T]);
        float[] all = attention.Probabilities(x).ToArray();
        FiniteDifference.Near([.. all.Select(a => (double)a)], attention.Forward(x).ToArray());
        int dropped = 0;
        for (ulong seed = 0; seed < 100; seed++)
        {
            float[] left = attention.Forward(x, random: new RandomSource(seed)).ToArray();
            Assert.All(left.Zip(all), pair => Assert.True(pair.First == 0 || Math.Abs(pair.First - (pair.Second / (1 - Probability))) < 1e-6, $"{pair.Second} became {pair.First}"));
            dropped += left.Count(l => l == 0);
        }

        // 1,600 draws, five standard deviations.
        Assert.InRange(dropped, 313, 487);
    }

    [Fact]
    public void WrongShapesAreRefused()
    {
        using var device = TestDevices.Open(TestDevices.Processor);
        using var scope = TensorScope.Begin();
        using var attention = Made(device, weights: [0, 0], slopes: [0, 0]);
        Refuses("DistanceAttention: heads must divide width, got 4 and 6.", () => new DistanceAttention(6, 4));
        Refuses("DistanceAttention: x must be [B, T, C], got [4, 6].", () => attention.Forward(Tensor.Zeros(device, [T, C])));
        Refuses("DistanceAttention: padding must be [B, T], got padding [4, 2], x [2, 4, 6].", () => attention.Forward(Tensor.Zeros(device, [B, T, C]), Tensor.Zeros(device, [T, B], CudaSeq.Kernels.DType.Int32)));

        static void Refuses(string message, Action call) => Assert.Equal(message, Assert.Throws<ArgumentException>(call).Message);
    }

    private static DistanceAttention Made(CudaSeq.Kernels.Device device, float[] weights, float[] slopes)
    {
        var attention = new DistanceAttention(C, H);
        attention.Initialize(device, new RandomSource(3));
        Parameter(attention, "distance_weight").CopyFrom(weights);
        Parameter(attention, "distance_slope").CopyFrom(slopes);
        foreach (var (name, tensor) in attention.NamedParameters().Where(p => p.Name.EndsWith("bias", StringComparison.Ordinal)))
            tensor.CopyFrom(FiniteDifference.Normals(name.Length, (int)tensor.Shape.Count, 0.3));
        return attention;
    }

    private static Tensor Parameter(Module module, string name) => module.NamedParameters().Single(p => p.Name == name).Tensor;

    private static Tensor Padding(CudaSeq.Kernels.Device device)
        => Tensor.From(device, [.. Enumerable.Range(0, B * T).Select(i => i % T >= Lengths[i / T] ? 1 : 0)], [B, T]);

    // p: x, then weight and bias of k, v, q and out, then w and v.
    private static double[] Loops(double[][] p, bool causal)
    {
        const int D = C / H;
        double[] k = Mapped(p[0], p[1], p[2]), v = Mapped(p[0], p[3], p[4]), q = Mapped(p[0], p[5], p[6]), heads = new double[B * T * C];
        for (int b = 0; b < B; b++)
        {
            for (int h = 0; h < H; h++)
            {
                for (int t = 0; t < T; t++)
                {
                    var weights = new double[T];
                    for (int s = 0; s < Lengths[b]; s++)
                    {
                        double score = 0, real = p[9][h] * Math.Abs(t - s), slope = p[10][h];
                        for (int d = 0; d < D; d++)
                            score += q[(((b * T) + t) * C) + (h * D) + d] * k[(((b * T) + s) * C) + (h * D) + d];
                        if (!causal || s <= t)
                            weights[s] = Math.Exp(Math.Max(0, score) * (1 + Math.Exp(slope)) / (1 + Math.Exp(slope - real)) / Math.Sqrt(D));
                    }

                    for (int d = 0; d < D; d++)
                        heads[(((b * T) + t) * C) + (h * D) + d] = Enumerable.Range(0, T).Sum(s => weights[s] * v[(((b * T) + s) * C) + (h * D) + d]) / weights.Sum();
                }
            }
        }

        return Mapped(heads, p[7], p[8]);
    }

    private static double[] Mapped(double[] x, double[] weight, double[] bias)
    {
        var y = new double[x.Length];
        for (int i = 0; i < y.Length; i++)
            y[i] = bias[i % C] + Enumerable.Range(0, C).Sum(c => weight[(i % C * C) + c] * x[(i / C * C) + c]);
        return y;
    }
}
