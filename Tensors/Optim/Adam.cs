using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

/// <summary>
/// The optimiser Adam: m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g^2, and a step along m / sqrt(v), in one of two forms (<see cref="AdamForm"/>).
/// All parameters are updated in one parallel pass; the result does not depend on the number of threads.
/// Source: Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1; decoupled decay: Loshchilov and Hutter, ICLR 2019.
/// </summary>
public sealed class Adam : IOptimizer
{
    private readonly OptimizedParameters _parameters;

    /// <summary>Starts with moments of zero, made where the parameters live. Make it outside of any scope that closes before training ends.</summary>
    /// <param name="parameters">Float tensors on one device, each once.</param>
    /// <param name="options">Both betas, epsilon, weight decay and form.</param>
    /// <exception cref="ArgumentException">A parameter appears twice or is not like the others, or an option is out of its range.</exception>
    public Adam(IReadOnlyList<Tensor> parameters, AdamOptions options)
    {
        Check.Defined(nameof(Adam), nameof(options.Form), options.Form);
        CheckOptions(options);
        _parameters = new(nameof(Adam), parameters, "first_moment", "second_moment");
        Options = options;
    }

    /// <summary>What it was made with.</summary>
    public AdamOptions Options { get; }

    /// <summary>Averages of the gradients, in the order of the parameters; part of a checkpoint.</summary>
    public IReadOnlyList<Tensor> FirstMoments => State[0].Tensors;

    /// <summary>Averages of the squared gradients, in the order of the parameters; part of a checkpoint.</summary>
    public IReadOnlyList<Tensor> SecondMoments => State[1].Tensors;

    /// <inheritdoc/>
    public IReadOnlyList<(string Name, IReadOnlyList<Tensor> Tensors)> State => _parameters.State;

    /// <summary>Updates made so far, the t of the bias corrections; part of a checkpoint.</summary>
    public long Updates { get; set; }

    /// <summary>Updates every parameter that has a gradient, in place; the others and their moments stay as they are.</summary>
    /// <param name="learningRate">The rate of this update.</param>
    /// <param name="gradientScale">Factor of every gradient, applied before anything else: one over the number of tokens or of sentences, or the clipping factor.</param>
    /// <exception cref="ObjectDisposedException">A parameter is dead; none has changed.</exception>
    public void Step(float learningRate, float gradientScale = 1) => Step(learningRate, gradientScale, null);

    /// <summary>The same with a factor that is still being computed: nobody waits for it.</summary>
    /// <param name="learningRate">The rate of this update.</param>
    /// <param name="gradientScale">[1], factor of every gradient; NaN leaves parameters and moments as they are, see <see cref="PendingUpdates.Factor"/>.</param>
    /// <exception cref="ArgumentException">Not a single float on the parameters' device.</exception>
    /// <exception cref="ObjectDisposedException">A parameter is dead; none has changed.</exception>
    public void Step(float learningRate, Tensor gradientScale) => Step(learningRate, 1, _parameters.Scale(gradientScale));

    /// <summary>Frees the moments.</summary>
    public void Dispose() => _parameters.Dispose();

    private void Step(float learningRate, float gradientScale, DeviceSpan? deviceScale)
    {
        // A refused update does not count.
        _parameters.Step(Rule(learningRate, gradientScale, Updates + 1), deviceScale);
        Updates++;
    }

    private static void CheckOptions(AdamOptions options)
    {
        Check.Fraction(nameof(Adam), nameof(options.Beta1), options.Beta1);
        Check.Fraction(nameof(Adam), nameof(options.Beta2), options.Beta2);
        Check.NotNegative(nameof(Adam), nameof(options.Epsilon), options.Epsilon);
        Check.NotNegative(nameof(Adam), nameof(options.WeightDecay), options.WeightDecay);
    }

    private AdamRule Rule(float learningRate, float gradientScale, long update)
    {
        double beta1 = DecimalFraction.Of(Options.Beta1), beta2 = DecimalFraction.Of(Options.Beta2), rate = learningRate;
        double correction1 = 1 - Math.Pow(beta1, update), root = Math.Sqrt(1 - Math.Pow(beta2, update));
        bool fairseq = Options.Form == AdamForm.Fairseq;
        return new AdamRule(
            GradientScale: gradientScale,
            L2: fairseq ? 0 : Options.WeightDecay,
            Beta1: (float)beta1,
            Gain1: (float)(1 - beta1),
            Beta2: (float)beta2,
            Gain2: (float)(1 - beta2),
            StepSize: (float)(fairseq ? rate * root / correction1 : rate / correction1),
            RootScale: (float)(fairseq ? 1 : 1 / root),
            Epsilon: Options.Epsilon,
            Decay: (float)(fairseq ? rate * Options.WeightDecay : 0));
    }
}
