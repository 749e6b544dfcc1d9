using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed class AdamTests
{
    private static readonly int[] Sizes = [1, 0, 7, 16, 33, 8192, 8193, 20_000];

    [Theory, Devices]
    public void MatchesTheFormulasInFloat64(string name)
    {
        foreach (var form in Enum.GetValues<AdamForm>())
        {
            var options = new AdamOptions { Form = form, WeightDecay = 0.01f, Epsilon = 1e-6f };
            var (got, exact) = (Train(name, 2, options, 5), Exact(options, 5));
            for (int i = 0; i < Sizes.Length; i++)
            {
                for (int j = 0; j < Sizes[i]; j++)
                    Assert.True(Math.Abs(got[i][j] - exact[i][j]) <= 1e-6 * (1 + Math.Abs(exact[i][j])), $"{form}, parameter {i}, element {j}: {got[i][j]} and {exact[i][j]}");
            }
        }
    }

    [Theory, Devices]
    public void TheFormsDifferWhereEpsilonAndDecayMatter(string name)
    {
        var options = new AdamOptions { Epsilon = 0.1f, WeightDecay = 0.1f };
        Assert.NotEqual(Train(name, 2, options, 2)[5], Train(name, 2, options with { Form = AdamForm.PyTorch }, 2)[5]);
    }

    [Theory, Devices]
    public void RepeatsBitForBitWithAnyNumberOfThreads(string name)
    {
        var options = new AdamOptions { WeightDecay = 0.01f };
        var first = Train(name, 1, options, 3);
        foreach (int threads in (int[])[1, 2, 3])
            Assert.Equal(first, Train(name, threads, options, 3));
    }

    // One update by hand: with a gradient of 1, m = 0.1 and v = 0.02; both corrections make the step the learning rate itself.
    [Theory, Devices]
    public void TheFirstStepIsTheLearningRate(string name)
    {
        foreach (var form in Enum.GetValues<AdamForm>())
        {
            using var device = TestDevices.Open(name);
            using var p = Parameter(device, [5f, 5f], [1f, -1f]);
            using var adam = new Adam([p], new AdamOptions { Form = form });
            adam.Step(0.5f);
            Assert.Equal([4.5f, 5.5f], p.ToArray());
            Assert.Equal([0.1f, -0.1f], adam.FirstMoments[0].ToArray());
            Assert.Equal([0.02f, 0.02f], adam.SecondMoments[0].ToArray());
            Assert.Equal(1, adam.Updates);
        }
    }

    [Theory, Devices]
    public void ADeadParameterIsRefusedAndNothingChanges(string name)
    {
        using var device = TestDevices.Open(name);
        using var p = Parameter(device, [5f], [1f]);
        var dead = Parameter(device, [5f], [1f]);
        using var adam = new Adam([p, dead], new());
        dead.Dispose();
        Assert.Throws<ObjectDisposedException>(() => adam.Step(0.5f));
        Assert.Equal([5f], p.ToArray());
        Assert.Equal(0, adam.Updates);
    }

    [Theory, Devices]
    public void TheScaleIsAppliedToTheGradientFirst(string name)
    {
        using var device = TestDevices.Open(name);
        using var p = Parameter(device, [5f], [8f]);
        using var adam = new Adam([p], new AdamOptions());
        adam.Step(0.5f, gradientScale: 0.125f);
        Assert.Equal(0.1f, adam.FirstMoments[0].Item());
    }

    [Theory, Devices]
    public void ParametersWithoutAGradientAreSkipped(string name)
    {
        using var device = TestDevices.Open(name);
        using var p = Parameter(device, [5f], [1f]);
        using var idle = Tensor.From(device, [7f]).AsParameter();
        using var adam = new Adam([idle, p], new AdamOptions { WeightDecay = 0.1f });
        adam.Step(0.5f);
        Assert.Equal(7f, idle.Item());
        Assert.Equal(0f, adam.SecondMoments[0].Item());
        Assert.NotEqual(5f, p.Item());
        p.ZeroGrad();
        float before = p.Item();
        adam.Step(0.5f);
        Assert.Equal(before, p.Item());
        Assert.Equal(2, adam.Updates);
    }

    [Theory, Devices]
    public void AResumedRunGoesOnBitForBit(string name)
    {
        using var device = TestDevices.Open(name);
        var options = new AdamOptions { WeightDecay = 0.01f };
        using var p = Parameter(device, [1f, 2f, 3f], [0.3f, -2f, 0f]);
        using var q = Parameter(device, [1f, 2f, 3f], [0.3f, -2f, 0f]);
        using var whole = new Adam([p], options);
        for (int i = 0; i < 4; i++)
            whole.Step(0.1f);
        using var first = new Adam([q], options);
        first.Step(0.1f);
        first.Step(0.1f);
        using var second = new Adam([q], options);
        second.FirstMoments[0].CopyFrom(first.FirstMoments[0].ToArray());
        second.SecondMoments[0].CopyFrom(first.SecondMoments[0].ToArray());
        second.Updates = first.Updates;
        second.Step(0.1f);
        second.Step(0.1f);
        Assert.Equal(p.ToArray(), q.ToArray());
    }

    [Theory, Devices]
    public void NothingIsAllocatedInSteadyState(string name)
    {
        using var device = TestDevices.Open(name);
        using var p = Parameter(device, new float[50_000], new float[50_000]);
        using var adam = new Adam([p], new AdamOptions());
        adam.Step(0.1f);
        long before = device.Allocations, live = device.LiveBytes;
        for (int i = 0; i < 10; i++)
            adam.Step(0.1f);
        Assert.Equal(before, device.Allocations);
        Assert.Equal(live, device.LiveBytes);
    }

    [Theory, Devices]
    public void NoParametersIsNoWork(string name)
    {
        using var device = TestDevices.Open(name);
        using var adam = new Adam([], new AdamOptions());
        adam.Step(1);
        Assert.Equal(0f, GradientNorm.Compute([]));
    }

    [Theory, Devices]
    public void Refusals(string name)
    {
        using var device = TestDevices.Open(name);
        using var p = Tensor.From(device, [1f]).AsParameter();
        using var ids = Tensor.From(device, [1]);
        Refuses($"Adam: parameters must be distinct, got From [1] Float32 on {device} twice.", [p, p], new());
        Refuses($"Adam: inputs must be floats, got From [1] Int32 on {device}.", [ids], new());
        Refuses("Adam: Form must be one of Fairseq, PyTorch, got 7.", [p], new() { Form = (AdamForm)7 });
        Refuses("Adam: Beta1 must be at least 0 and below 1, got 1.", [p], new() { Beta1 = 1 });
        Refuses("Adam: Beta2 must be at least 0 and below 1, got -0.1.", [p], new() { Beta2 = -0.1f });
        Refuses("Adam: Epsilon must be at least 0, got NaN.", [p], new() { Epsilon = float.NaN });
        Refuses("Adam: WeightDecay must be at least 0, got -1.", [p], new() { WeightDecay = -1 });

        static void Refuses(string message, Tensor[] parameters, AdamOptions options)
            => Assert.Equal(message, Assert.Throws<ArgumentException>(() => new Adam(parameters, options)).Message);
    }

    private static Tensor Parameter(Device device, float[] values, float[] gradient)
    {
        var p = Tensor.From(device, values).AsParameter();
        using var scope = TensorScope.Begin();
        Ops.Scale(p, 1).Backward(Tensor.From(device, gradient));
        return p;
    }

    private static float[] Values(int parameter, int size, int salt)
    {
        var random = new Random((parameter * 1000) + salt);
        return [.. Enumerable.Range(0, size).Select(_ => (float)Input.Normal(random))];
    }

    private static float[][] Train(string name, int threads, AdamOptions options, int updates)
    {
        using var device = TestDevices.Open(name, threads);
        var parameters = Sizes.Select((n, i) => Tensor.From(device, Values(i, n, 0)).AsParameter()).ToArray();
        using var adam = new Adam(parameters, options);
        for (int update = 1; update <= updates; update++)
        {
            using var scope = TensorScope.Begin();
            for (int i = 0; i < parameters.Length; i++)
            {
                parameters[i].ZeroGrad();
                Ops.Scale(parameters[i], 1).Backward(Tensor.From(device, Values(i, Sizes[i], update)));
            }

            adam.Step(0.01f * update, gradientScale: 0.5f);
        }

        return [.. parameters.Select(p => p.ToArray())];
    }

    private static double[][] Exact(AdamOptions options, int updates) => [.. Sizes.Select((n, i) =>
    {
        double[] p = Array.ConvertAll(Values(i, n, 0), x => (double)x), m = new double[n], v = new double[n];
        double decay = options.WeightDecay;
        for (int update = 1; update <= updates; update++)
        {
            var g = Values(i, n, update);
            double rate = 0.01f * update, correction1 = 1 - Math.Pow(0.9, update), correction2 = 1 - Math.Pow(0.98, update);
            for (int j = 0; j < n; j++)
            {
                double gradient = 0.5 * g[j];
                if (options.Form == AdamForm.PyTorch)
                    gradient += decay * p[j];
                m[j] = (0.9 * m[j]) + (0.1 * gradient);
                v[j] = (0.98 * v[j]) + (0.02 * gradient * gradient);
                if (options.Form == AdamForm.PyTorch)
                {
                    p[j] -= rate / correction1 * m[j] / (Math.Sqrt(v[j] / correction2) + options.Epsilon);
                }
                else
                {
                    p[j] -= rate * decay * p[j];
                    p[j] -= rate * Math.Sqrt(correction2) / correction1 * m[j] / (Math.Sqrt(v[j]) + options.Epsilon);
                }
            }
        }

        return p;
    })];
}
