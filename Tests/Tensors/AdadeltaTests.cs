using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed class AdadeltaTests : OptimizerTests<AdadeltaOptions>
{
    protected override IReadOnlyList<AdadeltaOptions> Forms => [new(), new() { Rho = 0.5f, Epsilon = 1e-3f, WeightDecay = 0.1f }];

    protected override float Rate => 1;

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
    public void Refusals(string name)
    {
        using var device = TestDevices.Open(name);
        using var p = Tensor.From(device, [1f]).AsParameter();
        RefusesOptions("Adadelta: Rho must be at least 0 and below 1, got 1.", new() { Rho = 1 });
        RefusesOptions("Adadelta: Epsilon must be above 0, got 0.", new() { Epsilon = 0 });
        RefusesOptions("Adadelta: WeightDecay must be at least 0, got NaN.", new() { WeightDecay = float.NaN });

        void RefusesOptions(string message, AdadeltaOptions options) => Refuses(message, () => Make([p], options));
    }

    protected override IOptimizer Make(IReadOnlyList<Tensor> parameters, AdadeltaOptions options) => new Adadelta(parameters, options);

    protected override double Exact(AdadeltaOptions options, int update, double rate, double p, double gradient, ref double first, ref double second)
    {
        double g = gradient + (options.WeightDecay * p), rho = (double)(decimal)options.Rho;
        first = (rho * first) + ((1 - rho) * g * g);
        double change = g * Math.Sqrt(second + options.Epsilon) / Math.Sqrt(first + options.Epsilon);
        second = (rho * second) + ((1 - rho) * change * change);
        return p - (rate * change);
    }
}
