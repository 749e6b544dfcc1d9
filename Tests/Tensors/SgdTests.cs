using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed class SgdTests
{
    private static readonly int[] Sizes = [1, 0, 7, 16, 33, 8192, 8193, 20_000];

    private static readonly SgdOptions[] Forms =
    [
        new(), new() { WeightDecay = 0.1f }, new() { Momentum = 0.9f }, new() { Momentum = 0.5f, Nesterov = true, WeightDecay = 0.01f },
    ];

    [Theory, Devices]
    public void MatchesTheFormulasInFloat64(string name)
    {
        foreach (var options in Forms)
        {
            var (got, exact) = (Train(name, 2, options, 4), Exact(options, 4));
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

    // By hand: g = 1, so v = 1, then 0.5 + 1; Nesterov's steps are 1 + 0.5 * 1, then 1 + 0.5 * 1.5.
    [Theory, Devices]
    public void TwoStepsByHand(string name)
    {
        using var device = TestDevices.Open(name);
        foreach (var (nesterov, after) in ((bool, float[])[])[(false, [4, 2.5f]), (true, [3.5f, 1.75f])])
        {
            using var p = Parameter(device, [5f], [1f]);
            using var sgd = new Sgd([p], new SgdOptions { Momentum = 0.5f, Nesterov = nesterov });
            sgd.Step(1);
            Assert.Equal(after[0], p.Item());
            sgd.Step(1);
            Assert.Equal(after[1], p.Item());
            Assert.Equal(1.5f, sgd.Velocities[0].Item());
        }
    }

    [Theory, Devices]
    public void WithoutMomentumThereIsNoVelocity(string name)
    {
        using var device = TestDevices.Open(name);
        using var p = Parameter(device, [5f], [8f]);
        using var sgd = new Sgd([p], new());
        sgd.Step(0.5f, gradientScale: 0.25f);
        Assert.Equal(4f, p.Item());
        Assert.Empty(sgd.Velocities);
    }

    [Theory, Devices]
    public void AFactorOfTheDeviceIsAppliedAndNaNLeavesAllAsItIs(string name)
    {
        using var device = TestDevices.Open(name);
        using var p = Parameter(device, [5f], [8f]);
        using var sgd = new Sgd([p], new() { Momentum = 0.5f });
        using Tensor quarter = Tensor.From(device, [0.25f]), nan = Tensor.From(device, [float.NaN]);
        sgd.Step(0.5f, nan);
        Assert.Equal(5f, p.Item());
        Assert.Equal(0f, sgd.Velocities[0].Item());
        sgd.Step(0.5f, quarter);
        Assert.Equal(4f, p.Item());
        Assert.Equal(2f, sgd.Velocities[0].Item());
    }

    [Theory, Devices]
    public void ParametersWithoutAGradientAreSkippedAndDeadOnesRefused(string name)
    {
        using var device = TestDevices.Open(name);
        using var p = Parameter(device, [5f], [1f]);
        using var idle = Tensor.From(device, [7f]).AsParameter();
        var dead = Parameter(device, [5f], [1f]);
        using (var sgd = new Sgd([idle, p], new() { WeightDecay = 0.1f }))
            sgd.Step(1);
        Assert.Equal(7f, idle.Item());
        Assert.Equal(3.5f, p.Item());
        using var refusing = new Sgd([p, dead], new());
        dead.Dispose();
        Assert.Throws<ObjectDisposedException>(() => refusing.Step(1));
        Assert.Equal(3.5f, p.Item());
    }

    [Fact]
    public void TheCopyInBFloat16FollowsOnCuda()
    {
        using var device = TestDevices.OpenCuda();
        foreach (int size in (int[])[8, 9, 8195])
        {
            using var scope = TensorScope.Begin();
            var p = Parameter(device, Values(0, size, 0), Values(0, size, 1));
            var ones = Tensor.Full(device, [size], 1).AsParameter();
            _ = p.As(DType.BFloat16);
            using var sgd = new Sgd([p], new() { Momentum = 0.9f });
            sgd.Step(0.1f);
            Assert.NotNull(p.CurrentCopy(DType.BFloat16));
            float[] expected = Array.ConvertAll(p.ToArray(), v => Narrow.Round(DType.BFloat16, v));
            Assert.Equal(expected, p.To(DType.BFloat16).ToArray());
        }
    }

    [Theory, Devices]
    public void NothingIsAllocatedInSteadyState(string name)
    {
        using var device = TestDevices.Open(name);
        using var p = Parameter(device, new float[50_000], new float[50_000]);
        using var sgd = new Sgd([p], new() { Momentum = 0.9f });
        sgd.Step(0.1f);
        long before = device.Allocations, live = device.LiveBytes;
        for (int i = 0; i < 10; i++)
            sgd.Step(0.1f);
        Assert.Equal(before, device.Allocations);
        Assert.Equal(live, device.LiveBytes);
    }

    [Theory, Devices]
    public void Refusals(string name)
    {
        using var device = TestDevices.Open(name);
        using var p = Tensor.From(device, [1f]).AsParameter();
        using var ids = Tensor.From(device, [1]);
        Refuses($"Sgd: parameters must be distinct, got From [1] Float32 on {device} twice.", [p, p], new());
        Refuses($"Sgd: inputs must be floats, got From [1] Int32 on {device}.", [ids], new());
        Refuses("Sgd: Momentum must be at least 0 and below 1, got 1.", [p], new() { Momentum = 1 });
        Refuses("Sgd: WeightDecay must be at least 0, got NaN.", [p], new() { WeightDecay = float.NaN });
        Refuses("Sgd: Nesterov needs a Momentum above 0, got 0.", [p], new() { Nesterov = true });

        static void Refuses(string message, Tensor[] parameters, SgdOptions options)
            => Assert.Equal(message, Assert.Throws<ArgumentException>(() => new Sgd(parameters, options)).Message);
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

    private static float[][] Train(string name, int threads, SgdOptions options, int updates)
    {
        using var device = TestDevices.Open(name, threads);
        var parameters = Sizes.Select((n, i) => Tensor.From(device, Values(i, n, 0)).AsParameter()).ToArray();
        using var sgd = new Sgd(parameters, options);
        for (int update = 1; update <= updates; update++)
        {
            using var scope = TensorScope.Begin();
            for (int i = 0; i < parameters.Length; i++)
            {
                parameters[i].ZeroGrad();
                Ops.Scale(parameters[i], 1).Backward(Tensor.From(device, Values(i, Sizes[i], update)));
            }

            sgd.Step(0.01f * update, gradientScale: 0.5f);
        }

        return [.. parameters.Select(p => p.ToArray())];
    }

    private static double[][] Exact(SgdOptions options, int updates) => [.. Sizes.Select((n, i) =>
    {
        double[] p = Array.ConvertAll(Values(i, n, 0), x => (double)x), v = new double[n];
        for (int update = 1; update <= updates; update++)
        {
            var g = Values(i, n, update);
            for (int j = 0; j < n; j++)
            {
                double gradient = (0.5 * g[j]) + (options.WeightDecay * p[j]);
                v[j] = (options.Momentum * v[j]) + gradient;
                p[j] -= 0.01f * update * (options.Nesterov ? gradient + (options.Momentum * v[j]) : v[j]);
            }
        }

        return p;
    })];
}
