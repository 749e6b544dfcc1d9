using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

/// <summary>What every optimiser must hold, whatever its formula.</summary>
public abstract class OptimizerTests<TOptions>
{
    // Lengths on both sides of a vector and of a block, and none.
    private static readonly int[] Sizes = [1, 0, 7, 16, 33, 8192, 8193, 20_000];

    /// <summary>Choices that take every branch of the formula; the last remembers something and decays.</summary>
    protected abstract IReadOnlyList<TOptions> Forms { get; }

    /// <summary>The rate of the first update; the later ones have its multiples.</summary>
    protected abstract float Rate { get; }

    protected abstract IOptimizer Make(IReadOnlyList<Tensor> parameters, TOptions options);

    /// <summary>One element after one update, in float64.</summary>
    /// <param name="options">One of the forms.</param>
    /// <param name="update">From 1.</param>
    /// <param name="rate">Of this update.</param>
    /// <param name="p">Before it.</param>
    /// <param name="gradient">With its scale.</param>
    /// <param name="first">What is remembered, 0 at first.</param>
    /// <param name="second">Likewise.</param>
    protected abstract double Exact(TOptions options, int update, double rate, double p, double gradient, ref double first, ref double second);

    [Theory, Devices]
    public void MatchesTheFormulasInFloat64(string name)
    {
        foreach (var options in Forms)
        {
            var (got, exact) = (Train(name, 2, options, 5), Exact(options, 5));
            for (int i = 0; i < Sizes.Length; i++)
            {
                for (int j = 0; j < Sizes[i]; j++)
                    Assert.True(Math.Abs(got[i][j] - exact[i][j]) <= 1e-6 * (1 + Math.Abs(exact[i][j])), $"{options}, parameter {i}, element {j}: {got[i][j]} and {exact[i][j]}");
            }
        }
    }

    [Theory, Devices]
    public void RepeatsBitForBitWithAnyNumberOfThreads(string name)
    {
        var first = Train(name, 1, Forms[^1], 3);
        foreach (int threads in (int[])[1, 2, 3])
            Assert.Equal(first, Train(name, threads, Forms[^1], 3));
    }

    [Theory, Devices]
    public void AFactorOfTheDeviceIsAppliedAndNaNLeavesAllAsItIs(string name)
    {
        using var device = TestDevices.Open(name);
        using Tensor quarter = Tensor.From(device, [0.25f]), nan = Tensor.From(device, [float.NaN]);
        foreach (var options in Forms)
        {
            using Tensor p = Parameter(device, [5f], [8f]), q = Parameter(device, [5f], [8f]);
            using IOptimizer guarded = Make([p], options), plain = Make([q], options);
            guarded.Step(Rate, nan);
            Assert.Equal(5f, p.Item());
            Assert.All(guarded.State, s => Assert.Equal(0f, s.Tensors[0].Item()));
            guarded.Updates = 0;
            guarded.Step(Rate, quarter);
            plain.Step(Rate, 0.25f);
            Assert.NotEqual(5f, p.Item());
            Assert.Equal(q.Item(), p.Item());
            Assert.Equal(Remembered(plain), Remembered(guarded));
        }
    }

    [Theory, Devices]
    public void ParametersWithoutAGradientAreSkipped(string name)
    {
        using var device = TestDevices.Open(name);
        using var p = Parameter(device, [5f], [1f]);
        using var idle = Tensor.From(device, [7f]).AsParameter();
        using var optimizer = Make([idle, p], Forms[^1]);
        optimizer.Step(Rate);
        Assert.Equal(7f, idle.Item());
        Assert.All(optimizer.State, s => Assert.Equal(0f, s.Tensors[0].Item()));
        Assert.NotEqual(5f, p.Item());
        p.ZeroGrad();
        float before = p.Item();
        optimizer.Step(Rate);
        Assert.Equal(before, p.Item());
        Assert.Equal(2, optimizer.Updates);
    }

    [Theory, Devices]
    public void ADeadParameterIsRefusedAndNothingChanges(string name)
    {
        using var device = TestDevices.Open(name);
        using var p = Parameter(device, [5f], [1f]);
        var dead = Parameter(device, [5f], [1f]);
        using var optimizer = Make([p, dead], Forms[^1]);
        dead.Dispose();
        Assert.Throws<ObjectDisposedException>(() => optimizer.Step(Rate));
        Assert.Equal([5f], p.ToArray());
        Assert.Equal(0f, optimizer.State[0].Tensors[0].Item());
        Assert.Equal(0, optimizer.Updates);
    }

    [Theory, Devices]
    public void AResumedRunGoesOnBitForBit(string name)
    {
        using var device = TestDevices.Open(name);
        foreach (var options in Forms)
        {
            using Tensor p = Parameter(device, [1f, 2f, 3f], [0.3f, -2f, 0f]), q = Parameter(device, [1f, 2f, 3f], [0.3f, -2f, 0f]);
            using IOptimizer whole = Make([p], options), first = Make([q], options), second = Make([q], options);
            for (int i = 0; i < 4; i++)
                whole.Step(Rate);
            first.Step(Rate);
            first.Step(Rate);
            foreach (var (from, to) in first.State.Zip(second.State))
                to.Tensors[0].CopyFrom(from.Tensors[0].ToArray());
            second.Updates = first.Updates;
            second.Step(Rate);
            second.Step(Rate);
            Assert.Equal(p.ToArray(), q.ToArray());
        }
    }

    [Fact]
    public void TheCopyInBFloat16FollowsOnCuda()
    {
        using var device = TestDevices.OpenCuda();
        foreach (var options in Forms)
        {
            foreach (int size in (int[])[8, 9, 8195])
            {
                using var scope = TensorScope.Begin();
                var p = Parameter(device, Values(0, size, 0), Values(0, size, 1));
                _ = p.As(DType.BFloat16);
                using var optimizer = Make([p], options);
                optimizer.Step(0.1f);
                Assert.NotNull(p.CurrentCopy(DType.BFloat16));
                float[] expected = Array.ConvertAll(p.ToArray(), v => Narrow.Round(DType.BFloat16, v));
                Assert.Equal(expected, p.To(DType.BFloat16).ToArray());
            }
        }
    }

    [Theory, Devices]
    public void NothingIsAllocatedInSteadyState(string name)
    {
        using var device = TestDevices.Open(name);
        using var p = Parameter(device, new float[50_000], new float[50_000]);
        using var optimizer = Make([p], Forms[^1]);
        optimizer.Step(0.1f);
        long before = device.Allocations, live = device.LiveBytes;
        for (int i = 0; i < 10; i++)
            optimizer.Step(0.1f);
        Assert.Equal(before, device.Allocations);
        Assert.Equal(live, device.LiveBytes);
    }

    [Theory, Devices]
    public void NoParametersIsNoWork(string name)
    {
        using var device = TestDevices.Open(name);
        using var optimizer = Make([], Forms[^1]);
        optimizer.Step(1);
        Assert.Equal(1, optimizer.Updates);
    }

    [Theory, Devices]
    public void StrangeParametersAreRefused(string name)
    {
        using var device = TestDevices.Open(name);
        using var p = Tensor.From(device, [1f]).AsParameter();
        using var ids = Tensor.From(device, [1]);
        using var optimizer = Make([p], Forms[^1]);
        string type = optimizer.GetType().Name;
        Refuses($"{type}: parameters must be distinct, got From [1] Float32 on {device} twice.", () => Make([p, p], Forms[0]));
        Refuses($"{type}: inputs must be floats, got From [1] Int32 on {device}.", () => Make([ids], Forms[0]));
        using var two = Tensor.From(device, [1f, 1f]);
        Refuses($"{type}: the gradients' scale must be a single number, got {two}.", () => optimizer.Step(1, two));
    }

    protected static void Refuses(string message, Action action) => Assert.Equal(message, Assert.Throws<ArgumentException>(action).Message);

    /// <summary>A parameter that has its gradient.</summary>
    protected static Tensor Parameter(Device device, float[] values, float[] gradient)
    {
        var p = Tensor.From(device, values).AsParameter();
        using var scope = TensorScope.Begin();
        Ops.Scale(p, 1).Backward(Tensor.From(device, gradient));
        return p;
    }

    /// <summary>Parameters of many sizes after some updates with gradients of half their size.</summary>
    protected float[][] Train(string name, int threads, TOptions options, int updates)
    {
        using var device = TestDevices.Open(name, threads);
        var parameters = Sizes.Select((n, i) => Tensor.From(device, Values(i, n, 0)).AsParameter()).ToArray();
        using var optimizer = Make(parameters, options);
        for (int update = 1; update <= updates; update++)
        {
            using var scope = TensorScope.Begin();
            for (int i = 0; i < parameters.Length; i++)
            {
                parameters[i].ZeroGrad();
                Ops.Scale(parameters[i], 1).Backward(Tensor.From(device, Values(i, Sizes[i], update)));
            }

            optimizer.Step(Rate * update, gradientScale: 0.5f);
        }

        return [.. parameters.Select(p => p.ToArray())];
    }

    private static float[] Remembered(IOptimizer optimizer) => [.. optimizer.State.Select(s => s.Tensors[0].Item())];

    private static float[] Values(int parameter, int size, int salt)
    {
        var random = new Random((parameter * 1000) + salt);
        return [.. Enumerable.Range(0, size).Select(_ => (float)Input.Normal(random))];
    }

    private double[][] Exact(TOptions options, int updates) => [.. Sizes.Select((n, i) =>
    {
        double[] p = Array.ConvertAll(Values(i, n, 0), x => (double)x), first = new double[n], second = new double[n];
        for (int update = 1; update <= updates; update++)
        {
            var g = Values(i, n, update);
            for (int j = 0; j < n; j++)
                p[j] = Exact(options, update, Rate * update, p[j], 0.5 * g[j], ref first[j], ref second[j]);
        }

        return p;
    })];
}
