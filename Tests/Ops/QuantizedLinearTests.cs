using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed class QuantizedLinearTests : OpTests<LinearCase>
{
    protected override IEnumerable<LinearCase> Cases
    {
        get
        {
            foreach (var c in LinearTests.All)
                yield return c;
            foreach (int rows in (int[])[1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13])
                yield return new LinearCase([rows], 20, 18, true, Activation.None);

            // More rows than a block of the second-level cache holds.
            yield return new LinearCase([70], 1030, 40, true, Activation.None);
        }
    }

    protected override bool Differentiable => false;

    protected override Input[] Inputs(LinearCase c, Random random)
    {
        var x = Input.Random(random, new Shape([.. c.Leading, c.I]));
        var weight = Input.Random(random, [c.O, c.I], 1 / Math.Sqrt(Math.Max(1, c.I)), parameter: true);
        return c.Bias ? [x, weight, Input.Random(random, [c.O], parameter: true)] : [x, weight];
    }

    protected override Tensor Call(LinearCase c, Tensor[] inputs)
    {
        using var inference = new NoGrad();
        return Ops.QuantizedLinear(inputs[0], inputs[1], c.Bias ? inputs[2] : null, c.Activation);
    }

    // What is rounded is part of the op's definition, and float32 in every reference; the rest is in T.
    protected override T[] Reference<T>(LinearCase c, T[][] inputs)
    {
        var (x, xScales) = Integers(inputs[0], c.N, c.I);
        var (weight, scales) = Integers(inputs[1], c.O, c.I);
        var y = new T[c.N * c.O];
        for (int n = 0; n < c.N; n++)
        {
            for (int o = 0; o < c.O; o++)
            {
                long sum = 0;
                for (int i = 0; i < c.I; i++)
                    sum += x[(n * c.I) + i] * weight[(o * c.I) + i];
                var z = T.CreateChecked(sum) * (T.CreateChecked(xScales[n]) * T.CreateChecked(scales[o]));
                if (c.Bias)
                    z += inputs[2][o];
                y[(n * c.O) + o] = c.Activation switch
                {
                    Activation.Relu => z > T.Zero ? z : T.Zero,
                    Activation.Gelu => z * LinearTests.NormalBelow(z),
                    _ => z,
                };
            }
        }

        return y;
    }

    private static (int[] Values, float[] Scales) Integers<T>(T[] values, int rows, int columns)
        where T : struct, System.Numerics.IFloatingPointIeee754<T>
    {
        var integers = new int[rows * columns];
        var scales = new float[rows];
        for (int n = 0; n < rows; n++)
        {
            float[] row = [.. values.Skip(n * columns).Take(columns).Select(float.CreateChecked)];
            float largest = row.Select(Math.Abs).DefaultIfEmpty(0).Max();
            scales[n] = largest / 127;
            for (int i = 0; i < columns && largest > 0; i++)
                integers[(n * columns) + i] = (int)MathF.Round(row[i] * (127 / largest));
        }

        return (integers, scales);
    }

    [Theory, Devices]
    public void EveryDeviceAndTierGivesTheSameBits(string name)
    {
        var random = new Random(7);
        foreach (var (rows, inputs, outputs) in new[] { (1, 64, 48), (5, 33, 17), (13, 129, 70), (32, 256, 40) })
        {
            Input x = Input.Random(random, [rows, inputs]), weight = Input.Random(random, [outputs, inputs]);
            using var plain = new CpuDevice(1, InstructionTier.Scalar);
            float[] expected = On(plain, x, weight);
            using var device = TestDevices.Open(name);
            Assert.Equal(expected, On(device, x, weight));
            for (var tier = InstructionTier.Vector128; tier <= InstructionTiers.Best && name == TestDevices.Processor; tier++)
            {
                using var cpu = new CpuDevice(2, tier);
                Assert.Equal(expected, On(cpu, x, weight));
            }
        }
    }

    [Theory, Devices]
    public void TheLongestSumsDoNotOverflow(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        const int Inputs = 133_144;
        var y = Ops.QuantizedLinear(Tensor.Full(device, [1, Inputs], -2), Tensor.Full(device, [1, Inputs], 3));
        Assert.Equal(-6f * Inputs, y.ToArray()[0], Inputs * 1e-5f);
        Refuses<ArgumentException>(
            "QuantizedLinear: I must be at most 133144, got weight [1, 133145].",
            () => Ops.QuantizedLinear(Tensor.Zeros(device, [1, Inputs + 1]), Tensor.Zeros(device, [1, Inputs + 1])));
    }

    [Theory, Devices]
    public void WhatIsNotFiniteGivesNaNAndTheSmallestAreZeros(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        float[] x = [1, 2, 3, float.NaN, 1, 1, 1, float.NegativeInfinity, 1, 1e-31f, -1e-31f, 0, 0, 0, 0];
        var y = Ops.QuantizedLinear(Tensor.From(device, x, [5, 3]), Tensor.From(device, [1, 1, 1, 2, float.PositiveInfinity, 1], [2, 3]), Tensor.From(device, [10f, 20]));
        float[] got = y.ToArray();
        Assert.Equal(16, got[0], 0.05f);
        Assert.All((int[])[1, 2, 3, 4, 5, 7, 9], i => Assert.True(float.IsNaN(got[i]), $"element {i} is {got[i]}"));
        Assert.Equal([10f, 10], [got[6], got[8]]);
    }

    [Theory, Devices]
    public void LinearMultipliesInIntegersByAQuantizedWeight(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var random = new Random(3);
        Input values = Input.Random(random, [4, 20]), others = Input.Random(random, [9, 20]);
        Tensor x = Tensor.From(device, values.Values, values.Shape), weight = Tensor.From(device, others.Values, others.Shape);
        float[] floats = Ops.Linear(x, weight).ToArray(), integers = Ops.QuantizedLinear(x, weight).ToArray();
        Assert.NotEqual(floats, integers);
        weight.IsQuantized = true;
        Assert.Equal(integers, Ops.Linear(x, weight).ToArray());

        // Its integers follow it when it changes.
        weight.CopyFrom(Array.ConvertAll(others.Values, v => 2 * v));
        Assert.Equal(Array.ConvertAll(integers, v => 2 * v), Ops.Linear(x, weight).ToArray());
        weight.IsQuantized = false;
        Assert.Equal(Array.ConvertAll(floats, v => 2 * v), Ops.Linear(x, weight).ToArray());
    }

    [Theory, Devices]
    public void RefusesGradientsAndWhatDoesNotFit(string name)
    {
        using var device = TestDevices.Open(name);
        Tensor Of(params int[] shape) => Tensor.Zeros(device, new Shape(shape));
        Refuses<InvalidOperationException>(
            "QuantizedLinear: integers have no gradient, got x [2, 3], weight [5, 3], of which one wants it; open a NoGrad.", () => Ops.QuantizedLinear(Of(2, 3), Of(5, 3).AsParameter()));
        Refuses<ArgumentException>("QuantizedLinear: weight must be [O, I], got [4].", () => Ops.QuantizedLinear(Of(2, 3), Of(4)));
        Refuses<ArgumentException>("QuantizedLinear: the last axis of x must be I, got x [2, 3], weight [5, 4].", () => Ops.QuantizedLinear(Of(2, 3), Of(5, 4)));
        Refuses<ArgumentException>("QuantizedLinear: bias must be [O], got bias [3], weight [5, 3].", () => Ops.QuantizedLinear(Of(2, 3), Of(5, 3), Of(3)));
    }

    private static float[] On(Device device, Input x, Input weight)
    {
        using var scope = TensorScope.Begin();
        return Ops.QuantizedLinear(Tensor.From(device, x.Values, x.Shape), Tensor.From(device, weight.Values, weight.Shape)).ToArray();
    }

}
