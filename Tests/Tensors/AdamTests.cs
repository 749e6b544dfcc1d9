using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed class AdamTests : OptimizerTests<AdamOptions>
{
    protected override IReadOnlyList<AdamOptions> Forms =>
        [new() { Form = AdamForm.Fairseq, WeightDecay = 0.01f, Epsilon = 1e-6f }, new() { Form = AdamForm.PyTorch, WeightDecay = 0.01f, Epsilon = 1e-6f }];

    protected override float Rate => 0.01f;

    [Theory, Devices]
    public void TheFormsDifferWhereEpsilonAndDecayMatter(string name)
    {
        var options = new AdamOptions { Epsilon = 0.1f, WeightDecay = 0.1f };
        Assert.NotEqual(Train(name, 2, options, 2)[5], Train(name, 2, options with { Form = AdamForm.PyTorch }, 2)[5]);
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
    public void TheScaleIsAppliedToTheGradientFirst(string name)
    {
        using var device = TestDevices.Open(name);
        using var p = Parameter(device, [5f], [8f]);
        using var adam = new Adam([p], new AdamOptions());
        adam.Step(0.5f, gradientScale: 0.125f);
        Assert.Equal(0.1f, adam.FirstMoments[0].Item());
    }

    [Theory, Devices]
    public void Refusals(string name)
    {
        using var device = TestDevices.Open(name);
        using var p = Tensor.From(device, [1f]).AsParameter();
        RefusesOptions("Adam: Form must be one of Fairseq, PyTorch, got 7.", new() { Form = (AdamForm)7 });
        RefusesOptions("Adam: Beta1 must be at least 0 and below 1, got 1.", new() { Beta1 = 1 });
        RefusesOptions("Adam: Beta2 must be at least 0 and below 1, got -0.1.", new() { Beta2 = -0.1f });
        RefusesOptions("Adam: Epsilon must be at least 0, got NaN.", new() { Epsilon = float.NaN });
        RefusesOptions("Adam: WeightDecay must be at least 0, got -1.", new() { WeightDecay = -1 });

        void RefusesOptions(string message, AdamOptions options) => Refuses(message, () => Make([p], options));
    }

    protected override IOptimizer Make(IReadOnlyList<Tensor> parameters, AdamOptions options) => new Adam(parameters, options);

    protected override double Exact(AdamOptions options, int update, double rate, double p, double gradient, ref double first, ref double second)
    {
        double correction1 = 1 - Math.Pow(0.9, update), correction2 = 1 - Math.Pow(0.98, update), decay = options.WeightDecay;
        bool fairseq = options.Form == AdamForm.Fairseq;
        double g = gradient + (fairseq ? 0 : decay * p);
        first = (0.9 * first) + (0.1 * g);
        second = (0.98 * second) + (0.02 * g * g);
        return fairseq
            ? p - (rate * decay * p) - (rate * Math.Sqrt(correction2) / correction1 * first / (Math.Sqrt(second) + options.Epsilon))
            : p - (rate / correction1 * first / (Math.Sqrt(second / correction2) + options.Epsilon));
    }
}
