using CudaSeq.Kernels;
using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

/// <summary>The halting unit by itself: states are logits here, w = 1 and b = 0, so that h = sigmoid(s).</summary>
public sealed class AdaptiveComputationTests
{
    private static readonly double[] Probabilities = [0.3, 0.5, 0.15, 0.9, 0.2];

    /// <summary>0.3 + 0.5 + 0.15 is below 0.99, with 0.9 it is not: N = 4, R = 0.05.</summary>
    [Theory, Devices]
    public void ARowHaltsWhenItsProbabilitiesAreEnough(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        using var unit = Unit(device);
        var (weights, mean, ponder, _) = Run(unit, [Probabilities]);
        Near([0.3, 0.5, 0.15, 0.05, 0], weights[0]);
        Assert.Equal(4 + 0.05, ponder[0], 1e-6);
        Assert.Equal(Probabilities.Zip([0.3, 0.5, 0.15, 0.05, 0], (h, p) => Logit(h) * p).Sum(), mean[0], 1e-5);
    }

    [Theory, Devices]
    public void TheLastStepHasTheRestAndRowsHaltOnTheirOwn(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        using var unit = Unit(device);
        var (weights, _, ponder, states) = Run(unit, [[0.1, 0.1, 0.1, 0.1, 0.1], [0.995, 0.5, 0.5, 0.5, 0.5], Probabilities]);
        Near([0.1, 0.1, 0.1, 0.1, 0.6], weights[0]);
        Near([1, 0, 0, 0, 0], weights[1]);
        Near([0.3, 0.5, 0.15, 0.05, 0], weights[2]);
        Near([5.6, 2, 4.05], ponder);

        // The second row's state is that of its only step, copied from then on to the bit; the third's moves three times more.
        Assert.All(states, s => Assert.Equal(states[0][1], s[1]));
        Assert.Equal(4, states.Select(s => s[2]).Distinct().Count());
        Assert.Equal(states[3][2], states[4][2]);
    }

    /// <summary>Exactly 1 - epsilon is enough, and epsilon 0 wants all of it.</summary>
    [Fact]
    public void EpsilonIsWhatMayBeMissing()
    {
        using var device = new CpuDevice(1);
        using var scope = TensorScope.Begin();
        using var half = Unit(device, epsilon: 0.5f);
        Near([2], Run(half, [[0.5, 0.5, 0.5]]).Ponder);
        using var all = Unit(device, epsilon: 0);
        Near([3 + 0.02], Run(all, [[0.49, 0.49, 0.49]]).Ponder);
    }

    /// <summary>N is constant: -1 for each h before N, 0 at N and behind it, until another N comes of a large enough change.</summary>
    [Theory, Devices]
    public void TheGradientOfThePonderIsMinusOneBeforeN(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        using var unit = Unit(device);
        var logits = Probabilities.Select(h => Tensor.From(device, [(float)Logit(h)], [1, 1]).AsParameter()).ToArray();
        var run = unit.Begin([1]);
        foreach (var (n, s) in logits.Index())
            run.Advance(n == 0 ? s : logits[n - 1], s, last: n == logits.Length - 1);
        Ops.Sum(run.Ponder).Backward();
        double[] got = [.. logits.Select((s, n) => (s.Grad?.ToArray()[0] ?? 0) / (Probabilities[n] * (1 - Probabilities[n])))];
        Near([-1, -1, -1, 0, 0], got, 1e-5);
        for (int n = 0; n < got.Length; n++)
        {
            const double Step = 1e-3;
            double[] more = [.. Probabilities], less = [.. Probabilities];
            (more[n], less[n]) = (more[n] + Step, less[n] - Step);
            Assert.Equal(got[n], (Ponder(more) - Ponder(less)) / (2 * Step), 1e-2);
        }

        // With 0.045 more of its first probability the row halts a step earlier: N is 3 there, and R 0.155.
        Assert.Equal(3.155, Ponder([0.345, 0.5, 0.15, 0.9, 0.2]), 1e-5);

        double Ponder(double[] h) => Run(unit, [h]).Ponder[0];
    }

    /// <summary>dL/dh^n = dL/ds . (s^n - s^N) - tau before N, where L is a function of the mean; 0 at N.</summary>
    [Fact]
    public void TheGradientOfTheMeanIsThatOfTheEquations()
    {
        using var device = new CpuDevice(1);
        using var scope = TensorScope.Begin();
        using var unit = Unit(device);
        var random = new Random(5);
        float[][] states = [.. Probabilities.Select(_ => new[] { Input.Normal(random), Input.Normal(random) }.Select(v => (float)v).ToArray())];
        var logits = Probabilities.Select(h => Tensor.From(device, [(float)Logit(h)], [1, 1]).AsParameter()).ToArray();
        const float Tau = 0.1f;
        float[] outer = [0.7f, -1.3f];
        var run = unit.Begin([1]);
        Tensor? mean = null;
        for (int n = 0; n < logits.Length; n++)
        {
            var weighed = Ops.Multiply(Tensor.From(device, states[n], [1, 2]), run.Weigh(logits[n], last: n == logits.Length - 1));
            mean = mean is null ? weighed : Ops.Add(mean, weighed);
        }

        Ops.Add(Ops.Sum(Ops.Multiply(mean!, Tensor.From(device, outer, [1, 2]))), Ops.Scale(Ops.Sum(run.Ponder), Tau)).Backward();
        for (int n = 0; n < logits.Length; n++)
        {
            double expected = n >= 3 ? 0 : (outer[0] * (states[n][0] - states[3][0])) + (outer[1] * (states[n][1] - states[3][1])) - Tau;
            Assert.Equal(expected, logits[n].Grad!.ToArray()[0] / (Probabilities[n] * (1 - Probabilities[n])), 1e-5);
        }
    }

    /// <summary>Rounded to 8 bits each, weights of some steps would sum to 1 by luck alone, and the mean of states that are all the same would not be that state.</summary>
    [Fact]
    public void NarrowStatesHaveWeightsThatSumToOne()
    {
        using var device = TestDevices.OpenCuda();
        using var scope = TensorScope.Begin();
        using var unit = Unit(device);
        unit.ComputeIn(DType.BFloat16);
        var parameters = unit.NamedParameters().ToDictionary(p => p.Name, p => p.Tensor);
        parameters["weight"].CopyFrom([0.1f]);
        parameters["bias"].CopyFrom([-1.6f]);
        float[] states = [.. Enumerable.Range(0, 32).Select(i => Narrow.Round(1 + (i / 20f)))];
        var state = Tensor.From(device, states, [states.Length, 1]).To(DType.BFloat16);
        AdaptiveComputation.Run weighing = unit.Begin([states.Length]), taking = unit.Begin([states.Length]);
        double[] sums = new double[states.Length];
        for (int n = 0; n < 5; n++)
        {
            var weights = weighing.Weigh(state, last: n == 4);
            Assert.Equal(DType.Float32, weights.DType);
            sums = [.. sums.Zip(weights.ToArray(), (s, w) => s + w)];
            taking.Advance(state, state, last: n == 4);
        }

        Assert.All(sums, s => Assert.Equal(1, s, 1e-6));
        Assert.Equal(DType.BFloat16, taking.Mean.DType);
        Assert.Equal(states, taking.Mean.ToArray());
    }

    [Fact]
    public void WhatIsWrongIsSaidInOneLine()
    {
        Assert.Equal("AdaptiveComputation: the width must be at least 1 and epsilon in [0, 1), got 4 and 1.", Assert.Throws<ArgumentOutOfRangeException>(() => new AdaptiveComputation(4, 1)).Message);
        using var device = new CpuDevice(1);
        using var scope = TensorScope.Begin();
        using var unit = Unit(device);
        Assert.Equal("AdaptiveComputation: a step must be taken before anything is known of it, none was.", Assert.Throws<InvalidOperationException>(() => unit.Begin([2]).Ponder).Message);
        Assert.Equal(2 + 1, new AdaptiveComputation(2).ParameterCount);
    }

    private static double Logit(double h) => Math.Log(h / (1 - h));

    private static AdaptiveComputation Unit(Device device, float epsilon = 0.01f)
    {
        var unit = new AdaptiveComputation(1, epsilon);
        unit.Initialize(device, new RandomSource(1));
        var parameters = unit.NamedParameters().ToDictionary(p => p.Name, p => p.Tensor);
        Assert.Equal([1f], parameters["bias"].ToArray());
        parameters["weight"].CopyFrom([1f]);
        parameters["bias"].CopyFrom([0f]);
        return unit;
    }

    // rows[i][n] is the probability of row i after step n; weights likewise, states [n][i].
    private static (double[][] Weights, double[] Mean, double[] Ponder, float[][] States) Run(AdaptiveComputation unit, double[][] rows)
    {
        int steps = rows[0].Length;
        AdaptiveComputation.Run weighing = unit.Begin([rows.Length]), taking = unit.Begin([rows.Length]);
        var weights = rows.Select(_ => new double[steps]).ToArray();
        var states = new float[steps][];
        var state = Tensor.Zeros(unit.Device, [rows.Length, 1]);
        for (int n = 0; n < steps; n++)
        {
            var next = Tensor.From(unit.Device, [.. rows.Select(r => (float)Logit(r[n]))], [rows.Length, 1]);
            float[] p = weighing.Weigh(next, n == steps - 1).ToArray();
            for (int i = 0; i < rows.Length; i++)
                weights[i][n] = p[i];
            state = taking.Advance(state, next, n == steps - 1);
            states[n] = state.ToArray();
        }

        Assert.Equal(weighing.Ponder.ToArray(), taking.Ponder.ToArray());
        return (weights, Doubles(taking.Mean), Doubles(taking.Ponder), states);
    }

    private static double[] Doubles(Tensor x) => Array.ConvertAll(x.ToArray(), v => (double)v);

    private static void Near(double[] expected, double[] got, double tolerance = 1e-6)
    {
        Assert.Equal(expected.Length, got.Length);
        Assert.All(expected.Zip(got), p => Assert.Equal(p.First, p.Second, tolerance));
    }
}
