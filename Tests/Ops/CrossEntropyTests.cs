using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed record CrossEntropyCase(
    int N, int C, int V, float Smoothing = 0, LabelSmoothing Form = LabelSmoothing.OverOthers, int PaddingIndex = -1, bool Bias = false);

public sealed class CrossEntropyTests : OpTests<CrossEntropyCase>
{
    protected override IEnumerable<CrossEntropyCase> Cases
    {
        get
        {
            foreach (int v in (int[])[1, 3, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65, 129])
                yield return new CrossEntropyCase((v * 3 % 13) + 1, (v * 5 % 19) + 1, v);
            foreach (var form in Enum.GetValues<LabelSmoothing>())
            {
                foreach (float smoothing in (float[])[0, 0.1f, 0.3f, 1])
                {
                    yield return new CrossEntropyCase(5, 9, 33, smoothing, form);
                    yield return new CrossEntropyCase(12, 16, 70, smoothing, form, PaddingIndex: 1, Bias: true);
                }
            }

            yield return new CrossEntropyCase(70, 33, 300, 0.1f, PaddingIndex: 0);
            yield return new CrossEntropyCase(1, 8, 1000, 0.1f, Bias: true);
            yield return new CrossEntropyCase(0, 4, 5, 0.1f);
            yield return new CrossEntropyCase(3, 0, 5);
        }
    }

    protected override Input[] Inputs(CrossEntropyCase c, Random random)
    {
        var x = Input.Random(random, [c.N, c.C]);
        var weight = Input.Random(random, [c.V, c.C], 1 / Math.Sqrt(Math.Max(1, c.C)), parameter: true);
        var targets = Input.Ints([c.N], Enumerable.Range(0, c.N).Select(n => n % 3 == 1 && c.PaddingIndex >= 0 ? c.PaddingIndex : random.Next(c.V)));
        return c.Bias ? [x, weight, targets, Input.Random(random, [c.V], parameter: true)] : [x, weight, targets];
    }

    protected override Tensor Call(CrossEntropyCase c, Tensor[] inputs)
        => Ops.CrossEntropy(inputs[0], inputs[1], inputs[2], c.Smoothing, c.PaddingIndex, c.Form, c.Bias ? inputs[3] : null).Loss;

    protected override T[] Reference<T>(CrossEntropyCase c, T[][] inputs)
    {
        T smoothing = T.CreateChecked(c.Smoothing), loss = T.Zero;
        T onEvery = c.Smoothing == 0 ? T.Zero : smoothing / T.CreateChecked(c.Form == LabelSmoothing.Uniform ? c.V : c.V - 1);
        T onTarget = T.One - smoothing - (c.Form == LabelSmoothing.Uniform ? T.Zero : onEvery);
        for (int n = 0; n < c.N; n++)
        {
            int target = int.CreateChecked(inputs[2][n]);
            if (target == c.PaddingIndex)
                continue;
            var logits = new T[c.V];
            for (int v = 0; v < c.V; v++)
            {
                logits[v] = c.Bias ? inputs[3][v] : T.Zero;
                for (int i = 0; i < c.C; i++)
                    logits[v] += inputs[0][(n * c.C) + i] * inputs[1][(v * c.C) + i];
            }

            T max = logits.Max(), sum = T.Zero;
            foreach (var logit in logits)
                sum += T.Exp(logit - max);
            T log = max + T.Log(sum);
            for (int v = 0; v < c.V; v++)
                loss += (onEvery + (v == target ? onTarget : T.Zero)) * (log - logits[v]);
        }

        return [loss];
    }

    // Logits ln 1 .. ln 4, so p = 0.1 .. 0.4, target 3, eps 0.1, by hand: fairseq, label_smoothed_cross_entropy.py since 2021 (eps / (V - 1)),
    // and Szegedy et al. 2016, section 7 (eps / V).
    [Theory, Devices]
    public void BothFormsOfSmoothingGiveTheirNumbers(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var x = Tensor.From(device, [1f], [1, 1]);
        var weight = Tensor.From(device, [0f, MathF.Log(2), MathF.Log(3), MathF.Log(4)], [4, 1]);
        var targets = Tensor.From(device, [3]);
        foreach (var (form, eps, want) in (ReadOnlySpan<(LabelSmoothing, float, double)>)
            [
                (LabelSmoothing.OverOthers, 0, 0.916290731874155),
                (LabelSmoothing.Uniform, 0, 0.916290731874155),
                (LabelSmoothing.OverOthers, 0.1f, 0.995194852345209),
                (LabelSmoothing.Uniform, 0.1f, 0.975468822227446),
            ])
        {
            var (loss, nll) = Ops.CrossEntropy(x, weight, targets, eps, form: form);
            Assert.Equal(want, loss.Item(), 2e-7);
            Assert.Equal(0.916290731874155, nll.Item(), 2e-7);
        }
    }

    [Theory, Devices]
    public void PaddingContributesNothing(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var random = new Random(5);
        float[] values = Input.Random(random, [6, 8]).Values;
        using var weight = Tensor.From(device, Input.Random(random, [20, 8]).Values, [20, 8]).AsParameter();
        using var x = Tensor.From(device, values, [6, 8]).AsParameter();
        var (loss, nll) = Ops.CrossEntropy(x, weight, Tensor.From(device, [4, 1, 7, 1, 1, 19]), 0.1f, paddingIndex: 1);
        loss.Backward();
        using var dense = Tensor.From(device, [.. values[..8], .. values[16..24], .. values[40..]], [3, 8]).AsParameter();
        using var same = Tensor.From(device, weight.ToArray(), [20, 8]).AsParameter();
        var (expected, expectedNll) = Ops.CrossEntropy(dense, same, Tensor.From(device, [4, 7, 19]), 0.1f, paddingIndex: 1);
        expected.Backward();
        Assert.Equal(expected.Item(), loss.Item());
        Assert.Equal(expectedNll.Item(), nll.Item());
        Assert.Equal(same.Grad!.ToArray(), weight.Grad!.ToArray());
        float[] dx = x.Grad!.ToArray(), rows = dense.Grad!.ToArray();
        Assert.Equal([.. rows[..8], .. new float[8], .. rows[8..16], .. new float[16], .. rows[16..]], dx);
    }

    [Theory, Devices]
    public void NothingButPaddingGivesZero(string name)
    {
        using var device = TestDevices.Open(name);
        using var x = Tensor.Full(device, [2, 3], 1).AsParameter();
        using var weight = Tensor.Full(device, [4, 3], 1).AsParameter();
        using var bias = Tensor.Full(device, [4], 1).AsParameter();
        using var scope = TensorScope.Begin();
        var (loss, nll) = Ops.CrossEntropy(x, weight, Tensor.From(device, [2, 2]), 0.1f, 2, bias: bias);
        loss.Backward();
        Assert.Equal(0, loss.Item());
        Assert.Equal(0, nll.Item());
        Assert.All([x, weight, bias], p => Assert.All(p.Grad!.ToArray(), g => Assert.Equal(0, g)));
    }

    // So many rows and classes that the logits are computed in several blocks.
    [Theory, Devices]
    public void BlocksAddUp(string name)
    {
        using var device = TestDevices.Open(name);
        const int N = 900, C = 3, V = 23_000;
        var random = new Random(6);
        float[] values = Input.Random(random, [N, C]).Values;
        int[] targets = [.. Enumerable.Range(0, N).Select(n => n % 10 == 3 ? 0 : random.Next(1, V))];
        using var weight = Tensor.From(device, Input.Random(random, [V, C]).Values, [V, C]).AsParameter();
        using var bias = Tensor.From(device, Input.Random(random, [V]).Values, [V]).AsParameter();
        double sum = 0;
        float[] whole = Loss(0, N, out double all), rest = new float[whole.Length];
        for (int start = 0; start < N; start += 300)
        {
            float[] part = Loss(start, 300, out double loss);
            for (int i = 0; i < rest.Length; i++)
                rest[i] += part[i];
            sum += loss;
        }

        Assert.Equal(sum, all, 1e-6 * sum);
        for (int i = 0; i < rest.Length; i++)
            Assert.True(Math.Abs(whole[i] - rest[i]) <= 1e-5 + (1e-4 * Math.Abs(rest[i])), $"gradient {i}: {whole[i]} and {rest[i]}");

        // The gradients of x (others stay 0), weight and bias.
        float[] Loss(int start, int count, out double value)
        {
            using var scope = TensorScope.Begin();
            var x = Tensor.From(device, values.AsSpan(start * C, count * C), [count, C]).AsParameter();
            var (loss, _) = Ops.CrossEntropy(x, weight, Tensor.From(device, targets.AsSpan(start, count)), 0.1f, 0, bias: bias);
            loss.Backward();
            value = loss.Item();
            float[] all = [.. new float[start * C], .. x.Grad!.ToArray(), .. new float[(N - start - count) * C], .. weight.Grad!.ToArray(), .. bias.Grad!.ToArray()];
            weight.ZeroGrad();
            bias.ZeroGrad();
            return all;
        }
    }

    [Theory, Devices]
    public void HugeLogitsStayFinite(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var (loss, _) = Ops.CrossEntropy(
            Tensor.From(device, [1000f], [1, 1]), Tensor.From(device, [1f, -1, 0.5f], [3, 1]), Tensor.From(device, [1]));
        Assert.Equal(2000, loss.Item());
    }

    [Theory, Devices]
    public void EvaluationKeepsNothing(string name)
    {
        using var device = TestDevices.Open(name);
        using var x = Tensor.Full(device, [4, 3], 1).AsParameter();
        using var weight = Tensor.Full(device, [5, 3], 1).AsParameter();
        using var scope = TensorScope.Begin();
        var targets = Tensor.From(device, [0, 1, 2, 3]);
        using var _ = new NoGrad();
        long before = device.LiveBytes;
        var (loss, nll) = Ops.CrossEntropy(x, weight, targets);
        Assert.False(loss.RequiresGrad);
        loss.Dispose();
        nll.Dispose();
        Assert.Equal(before, device.LiveBytes);
    }

    [Theory, Devices]
    public void ARefusedTargetHoldsNoMemory(string name)
    {
        using var device = TestDevices.Open(name);
        using var x = Tensor.Full(device, [4, 3], 1).AsParameter();
        using var weight = Tensor.Full(device, [5, 3], 1).AsParameter();
        using var targets = Tensor.From(device, [-1, 1, -1, -2]);
        long before = device.LiveBytes;
        string message = Assert.Throws<ArgumentException>(() => Ops.CrossEntropy(x, weight, targets)).Message;
        Assert.Equal("CrossEntropy: targets must be in 0 .. 4 or the padding -1, got -2 at [n = 3].", message);
        Assert.Equal(before, device.LiveBytes);
    }

    [Theory, Devices]
    public void RefusesWhatDoesNotFit(string name)
    {
        using var device = TestDevices.Open(name);
        Tensor Of(params int[] shape) => Tensor.Zeros(device, new Shape(shape));
        Tensor Targets(params int[] values) => Tensor.From(device, values);
        Refuses<ArgumentException>(
            "CrossEntropy: inputs must be x [N, C], weight [V, C], targets [N], V > 0, got x [2, 3], weight [5, 4], targets [2].",
            () => Ops.CrossEntropy(Of(2, 3), Of(5, 4), Targets(0, 1)));
        Refuses<ArgumentException>(
            $"CrossEntropy: targets must be integers, got Zeros [2] Float32 on {device}.", () => Ops.CrossEntropy(Of(2, 3), Of(5, 3), Of(2)));
        Refuses<ArgumentException>(
            "CrossEntropy: bias must be [V], got bias [4], weight [5, 3].", () => Ops.CrossEntropy(Of(2, 3), Of(5, 3), Targets(0, 1), bias: Of(4)));
        Refuses<ArgumentException>(
            "CrossEntropy: form must be one of OverOthers, Uniform, got 5.",
            () => Ops.CrossEntropy(Of(2, 3), Of(5, 3), Targets(0, 1), form: (LabelSmoothing)5));
        Refuses<ArgumentException>(
            "CrossEntropy: smoothing must be in 0 .. 1, got 1.5.", () => Ops.CrossEntropy(Of(2, 3), Of(5, 3), Targets(0, 1), 1.5f));
        Refuses<ArgumentException>(
            "CrossEntropy: smoothing over the other classes needs at least two, got weight [1, 3].",
            () => Ops.CrossEntropy(Of(2, 3), Of(1, 3), Targets(0, 0), 0.1f));
        Refuses<ArgumentException>(
            "CrossEntropy: targets must be in 0 .. 4 or the padding 7, got 5 at [n = 2].",
            () => Ops.CrossEntropy(Of(3, 3), Of(5, 3), Targets(0, 7, 5), paddingIndex: 7));
    }
}
