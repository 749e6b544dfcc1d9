using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed class SgdTests : OptimizerTests<SgdOptions>
{
    protected override IReadOnlyList<SgdOptions> Forms =>
    [
        new(), new() { WeightDecay = 0.1f }, new() { Momentum = 0.9f }, new() { Momentum = 0.5f, Nesterov = true, WeightDecay = 0.01f },
    ];

    protected override float Rate => 0.01f;

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

    [Fact]
    public void WithoutMomentumAnotherKernelRuns()
    {
        foreach (var (momentum, kernel) in ((float, string)[])[(0, "sgd_step_f32"), (0.5f, "sgd_step_momentum_f32")])
        {
            using var device = TestDevices.OpenCuda();
            using var p = Parameter(device, [5f], [8f]);
            using var sgd = new Sgd([p], new() { Momentum = momentum });
            sgd.Step(0.5f);
            Assert.Equal([kernel], CudaKernel.All.Where(k => device.LaunchesOf(k) > 0 && k.Symbol.StartsWith("sgd_", StringComparison.Ordinal)).Select(k => k.Symbol));
        }
    }

    [Theory, Devices]
    public void Refusals(string name)
    {
        using var device = TestDevices.Open(name);
        using var p = Tensor.From(device, [1f]).AsParameter();
        RefusesOptions("Sgd: Momentum must be at least 0 and below 1, got 1.", new() { Momentum = 1 });
        RefusesOptions("Sgd: WeightDecay must be at least 0, got NaN.", new() { WeightDecay = float.NaN });
        RefusesOptions("Sgd: Nesterov needs a Momentum above 0, got 0.", new() { Nesterov = true });

        void RefusesOptions(string message, SgdOptions options) => Refuses(message, () => Make([p], options));
    }

    protected override IOptimizer Make(IReadOnlyList<Tensor> parameters, SgdOptions options) => new Sgd(parameters, options);

    protected override double Exact(SgdOptions options, int update, double rate, double p, double gradient, ref double first, ref double second)
    {
        double g = gradient + (options.WeightDecay * p);
        first = (options.Momentum * first) + g;
        return p - (rate * (options.Nesterov ? g + (options.Momentum * first) : first));
    }
}
