using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed class AdadeltaTests
{
    private static readonly int[] Sizes = [1, 0, 7, 16, 33, 8192, 8193, 20_000];

    private static readonly AdadeltaOptions[] Forms = [new(), new() { Rho = 0.5f, Epsilon = 1e-3f, WeightDecay = 0.1f }];

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

    // By hand, with rho 0.5 and epsilon 1: g = 2, so a = 2 and d = 2 sqrt(1) / sqrt(3), whose square is 4/3, so b = 2/3; then a = 3, d = 2 sqrt(5/3) / sqrt(4).
    [Theory, Devices]
    public void TwoStepsByHand(string name)
    {
        using var device = TestDevices.Open(name);
        using var p = Parameter(device, [5f], [2f]);
        using var adadelta = new Adadelta([p], new AdadeltaOptions { Rho = 0.5f, Epsilon = 1 });
        adadelta.Step(1);
        Assert.Equal(5 - (2 / Math.Sqrt(3)), p.Item(), 6);
        Assert.Equal(2f, adadelta.SquaredGradients[0].Item());
        Assert.Equal(2 / 3.0, adadelta.SquaredChanges[0].Item(), 6);
        adadelta.Step(0.5f);
        Assert.Equal(5 - (2 / Math.Sqrt(3)) - (0.5 * Math.Sqrt(5.0 / 3)), p.Item(), 6);
        Assert.Equal(2, adadelta.Updates);
    }

    // Zeiler's point: a step has the parameter's unit. Gradients a thousand times as large give the same path where they are far above epsilon.
    [Theory, Devices]
    public void TheScaleOfTheGradientsHardlyMatters(string name)
    {
        using var device = TestDevices.Open(name);
        float[] ends = [.. ((float[])[1, 1000]).Select(scale =>
        {
            using var p = Parameter(device, [5f], [8f]);
            using var adadelta = new Adadelta([p], new());
            for (int i = 0; i < 20; i++)
                adadelta.Step(1, scale);
            return p.Item();
        })];
        Assert.InRange(ends[0], 4.8f, 4.999f);
        Assert.Equal(ends[0], ends[1], 5);
    }

    [Theory, Devices]
    public void AFactorOfTheDeviceIsAppliedAndNaNLeavesAllAsItIs(string name)
    {
        using var device = TestDevices.Open(name);
        using var p = Parameter(device, [5f], [8f]);
        using var adadelta = new Adadelta([p], new() { Rho = 0.5f, Epsilon = 1 });
        using Tensor quarter = Tensor.From(device, [0.25f]), nan = Tensor.From(device, [float.NaN]);
        adadelta.Step(1, nan);
        Assert.Equal((5f, 0f, 0f), (p.Item(), adadelta.SquaredGradients[0].Item(), adadelta.SquaredChanges[0].Item()));
        adadelta.Step(1, quarter);
        Assert.Equal(5 - (2 / Math.Sqrt(3)), p.Item(), 6);
        Assert.Equal(2f, adadelta.SquaredGradients[0].Item());
    }

    [Theory, Devices]
    public void ParametersWithoutAGradientAreSkippedAndDeadOnesRefused(string name)
    {
        using var device = TestDevices.Open(name);
        using var p = Parameter(device, [5f], [1f]);
        using var idle = Tensor.From(device, [7f]).AsParameter();
        var dead = Parameter(device, [5f], [1f]);
        using (var adadelta = new Adadelta([idle, p], new() { WeightDecay = 0.1f }))
        {
            adadelta.Step(1);
            Assert.Equal(0f, adadelta.SquaredGradients[0].Item());
        }

        Assert.Equal(7f, idle.Item());
        float moved = p.Item();
        Assert.NotEqual(5f, moved);
        using var refusing = new Adadelta([p, dead], new());
        dead.Dispose();
        Assert.Throws<ObjectDisposedException>(() => refusing.Step(1));
        Assert.Equal(moved, p.Item());
    }

    [Fact]
    public void TheCopyInBFloat16FollowsOnCuda()
    {
        using var device = TestDevices.OpenCuda();
        foreach (int size in (int[])[8, 9, 8195])
        {
            using var scope = TensorScope.Begin();
            var p = Parameter(device, Values(0, size, 0), Values(0, size, 1));
            _ = p.As(DType.BFloat16);
            using var adadelta = new Adadelta([p], new());
            adadelta.Step(0.1f);
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
        using var adadelta = new Adadelta([p], new());
        adadelta.Step(0.1f);
        long before = device.Allocations, live = device.LiveBytes;
        for (int i = 0; i < 10; i++)
            adadelta.Step(0.1f);
        Assert.Equal(before, device.Allocations);
        Assert.Equal(live, device.LiveBytes);
    }

    [Theory, Devices]
    public void Refusals(string name)
    {
        using var device = TestDevices.Open(name);
        using var p = Tensor.From(device, [1f]).AsParameter();
        using var ids = Tensor.From(device, [1]);
        Refuses($"Adadelta: parameters must be distinct, got From [1] Float32 on {device} twice.", [p, p], new());
        Refuses($"Adadelta: inputs must be floats, got From [1] Int32 on {device}.", [ids], new());
        Refuses("Adadelta: Rho must be at least 0 and below 1, got 1.", [p], new() { Rho = 1 });
        Refuses("Adadelta: Epsilon must be above 0, got 0.", [p], new() { Epsilon = 0 });
        Refuses("Adadelta: WeightDecay must be at least 0, got NaN.", [p], new() { WeightDecay = float.NaN });

        static void Refuses(string message, Tensor[] parameters, AdadeltaOptions options)
            => Assert.Equal(message, Assert.Throws<ArgumentException>(() => new Adadelta(parameters, options)).Message);
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

    private static float[][] Train(string name, int threads, AdadeltaOptions options, int updates)
    {
        using var device = TestDevices.Open(name, threads);
        var parameters = Sizes.Select((n, i) => Tensor.From(device, Values(i, n, 0)).AsParameter()).ToArray();
        using var adadelta = new Adadelta(parameters, options);
        for (int update = 1; update <= updates; update++)
        {
            using var scope = TensorScope.Begin();
            for (int i = 0; i < parameters.Length; i++)
            {
                parameters[i].ZeroGrad();
                Ops.Scale(parameters[i], 1).Backward(Tensor.From(device, Values(i, Sizes[i], update)));
            }

            adadelta.Step(update, gradientScale: 0.5f);
        }

        return [.. parameters.Select(p => p.ToArray())];
    }

    private static double[][] Exact(AdadeltaOptions options, int updates) => [.. Sizes.Select((n, i) =>
    {
        double[] p = Array.ConvertAll(Values(i, n, 0), x => (double)x), squares = new double[n], changes = new double[n];
        double rho = (double)(decimal)options.Rho;
        for (int update = 1; update <= updates; update++)
        {
            var g = Values(i, n, update);
            for (int j = 0; j < n; j++)
            {
                double gradient = (0.5 * g[j]) + (options.WeightDecay * p[j]);
                squares[j] = (rho * squares[j]) + ((1 - rho) * gradient * gradient);
                double change = gradient * Math.Sqrt(changes[j] + options.Epsilon) / Math.Sqrt(squares[j] + options.Epsilon);
                changes[j] = (rho * changes[j]) + ((1 - rho) * change * change);
                p[j] -= update * change;
            }
        }

        return p;
    })];
}
