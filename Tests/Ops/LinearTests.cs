using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed record LinearCase(int[] Leading, int I, int O, bool Bias, Activation Activation)
{
    public int N => Leading.Aggregate(1, (x, y) => x * y);

    public override string ToString() => $"[{string.Join(", ", Leading)}, {I}] -> {O} {(Bias ? "bias " : "")}{Activation}";
}

public sealed class LinearTests : OpTests<LinearCase>
{
    protected override IEnumerable<LinearCase> Cases => All;

    internal static IEnumerable<LinearCase> All
    {
        get
        {
            foreach (var activation in Enum.GetValues<Activation>())
            {
                foreach (bool bias in (bool[])[false, true])
                {
                    foreach (int size in (int[])[1, 3, 7, 8, 9, 15, 16, 17, 31, 33, 64])
                        yield return new LinearCase([(size * 3 % 41) + 1], (size * 5 % 37) + 1, size, bias, activation);
                    yield return new LinearCase([2, 3], 8, 24, bias, activation);
                    yield return new LinearCase([3, 67], 70, 90, bias, activation);
                    yield return new LinearCase([1, 1], 130, 65, bias, activation);
                }
            }

            yield return new LinearCase([0], 4, 5, true, Activation.Gelu);
            yield return new LinearCase([], 6, 5, true, Activation.Relu);
            yield return new LinearCase([3], 0, 5, true, Activation.None);
        }
    }

    protected override Input[] Inputs(LinearCase c, Random random)
    {
        var x = Input.Random(random, new Shape([.. c.Leading, c.I]));
        var weight = Input.Random(random, [c.O, c.I], 1 / Math.Sqrt(Math.Max(1, c.I)), parameter: true);
        return c.Bias ? [x, weight, Input.Random(random, [c.O], parameter: true)] : [x, weight];
    }

    protected override Tensor Call(LinearCase c, Tensor[] inputs) => Ops.Linear(inputs[0], inputs[1], c.Bias ? inputs[2] : null, c.Activation);

    protected override T[] Reference<T>(LinearCase c, T[][] inputs)
    {
        var (x, weight) = (inputs[0], inputs[1]);
        var y = new T[c.N * c.O];
        for (int n = 0; n < c.N; n++)
        {
            for (int o = 0; o < c.O; o++)
            {
                var z = T.Zero;
                for (int i = 0; i < c.I; i++)
                    z += x[(n * c.I) + i] * weight[(o * c.I) + i];
                if (c.Bias)
                    z += inputs[2][o];
                y[(n * c.O) + o] = c.Activation switch
                {
                    Activation.Relu => z > T.Zero ? z : T.Zero,
                    Activation.Gelu => z * NormalBelow(z),
                    _ => z,
                };
            }
        }

        return y;
    }

    // 1/2 + density(z) (z + z^3/3 + z^5/15 + ...), whose terms all have one sign.
    internal static T NormalBelow<T>(T z)
        where T : struct, System.Numerics.IFloatingPointIeee754<T>
    {
        if (T.Abs(z) > T.CreateChecked(12))
            return z > T.Zero ? T.One : T.Zero;
        T term = z, sum = z;
        for (int i = 3; i < 400; i += 2)
            sum += term *= z * z / T.CreateChecked(i);
        return T.CreateChecked(0.5) + (sum * T.Exp(-z * z / T.CreateChecked(2)) / T.Sqrt(T.CreateChecked(2) * T.Pi));
    }

    [Theory, Devices]
    public void GeluIsExactToSevenDigits(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        float[] x = [.. Enumerable.Range(-120, 241).Select(i => i / 16f)];
        var y = Ops.Linear(Tensor.From(device, x, [x.Length, 1]), Tensor.Full(device, [1, 1], 1), null, Activation.Gelu).ToArray();
        for (int i = 0; i < x.Length; i++)
        {
            double want = x[i] * NormalBelow((double)x[i]);
            Assert.True(Math.Abs(y[i] - want) <= 1.5e-7 * Math.Max(Math.Abs(x[i]), 0.1), $"Gelu({x[i]}) is {y[i]}, must be {want}");
        }
    }

    // Weights of models are packed once for steps of decoding; the panels follow them when they change.
    [Fact]
    public void FewRowsAgainstAParameterHaveTheBitsOfATallerProduct()
    {
        var random = new Random(5);
        for (var tier = InstructionTier.Scalar; tier <= InstructionTiers.Best; tier++)
        {
            foreach (var (inputs, outputs) in new[] { (1, 1), (20, 37), (1100, 40), (64, 130) })
            {
                using var cpu = new CpuDevice(2, tier);
                Input x = Input.Random(random, [140, inputs]), weight = Input.Random(random, [outputs, inputs]), bias = Input.Random(random, [outputs]);
                using var scope = TensorScope.Begin();
                using var inference = new NoGrad();
                Tensor rows = Tensor.From(cpu, x.Values, x.Shape), own = Tensor.From(cpu, weight.Values, weight.Shape).AsParameter(), add = Tensor.From(cpu, bias.Values, bias.Shape);
                foreach (float factor in (float[])[1, 2])
                {
                    own.CopyFrom(Array.ConvertAll(weight.Values, v => factor * v));
                    float[] all = Ops.Linear(rows, own, add, Activation.Gelu).ToArray();
                    foreach (int count in (int[])[1, 2, 3, 4, 5, 6, 7, 8, 12, 13, 32, 64, 127, 128])
                        Assert.Equal(all[..(count * outputs)], Ops.Linear(rows.Rows(0, count), own, add, Activation.Gelu).ToArray());
                }
            }
        }
    }

    [Theory, Devices]
    public void FrozenParametersGetNoGradient(string name)
    {
        using var device = TestDevices.Open(name);
        using var weight = Tensor.Full(device, [3, 2], 1).AsParameter();
        using var x = Tensor.Full(device, [4, 2], 1);
        using var scope = TensorScope.Begin();
        var y = Ops.Linear(x, weight, Tensor.Zeros(device, [3]), Activation.Relu);
        y.Backward(Tensor.Full(device, y.Shape, 1));
        Assert.Null(x.Grad);
        Assert.Equal([4, 4, 4, 4, 4, 4], weight.Grad!.ToArray());
    }

    [Theory, Devices]
    public void RefusesWhatDoesNotFit(string name)
    {
        using var device = TestDevices.Open(name);
        Tensor Of(params int[] shape) => Tensor.Zeros(device, new Shape(shape));
        Refuses<ArgumentException>("Linear: weight must be [O, I], got [4].", () => Ops.Linear(Of(2, 3), Of(4)));
        Refuses<ArgumentException>("Linear: the last axis of x must be I, got x [2, 3], weight [5, 4].", () => Ops.Linear(Of(2, 3), Of(5, 4)));
        Refuses<ArgumentException>("Linear: bias must be [O], got bias [3], weight [5, 3].", () => Ops.Linear(Of(2, 3), Of(5, 3), Of(3)));
        Refuses<ArgumentException>(
            "Linear: activation must be one of None, Relu, Gelu, got 9.", () => Ops.Linear(Of(2, 3), Of(5, 3), activation: (Activation)9));
        Refuses<ArgumentException>($"Linear: inputs must be floats, got From [1] Int32 on {device}.", () => Ops.Linear(Tensor.From(device, [1]), Of(1, 1)));
    }
}
