using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

/// <summary>
/// The optimiser Adam: m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g^2, and a step along m / sqrt(v), in one of two forms (<see cref="AdamForm"/>).
/// All parameters are updated in one parallel pass; the result does not depend on the number of threads.
/// Source: Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1; decoupled decay: Loshchilov and Hutter, ICLR 2019.
/// </summary>
public sealed class Adam : IOptimizer
{
    private readonly Tensor[] _parameters;
    private readonly Tensor[] _firstMoments;
    private readonly Tensor[] _secondMoments;
    private readonly AdamSlot[] _slots;

    /// <summary>Starts with moments of zero, made where the parameters live. Make it outside of any scope that closes before training ends.</summary>
    /// <param name="parameters">Float tensors on one device, each once.</param>
    /// <param name="options">Both betas, epsilon, weight decay and form.</param>
    /// <exception cref="ArgumentException">A parameter appears twice or is not like the others, or an option is out of its range.</exception>
    public Adam(IReadOnlyList<Tensor> parameters, AdamOptions options)
    {
        Check.Defined(nameof(Adam), nameof(options.Form), options.Form);
        CheckOptions(options);
        _parameters = Check.Optimized(nameof(Adam), parameters);
        Options = options;
        _firstMoments = [.. _parameters.Select(p => Tensor.Zeros(p.Device, p.Shape))];
        _secondMoments = [.. _parameters.Select(p => Tensor.Zeros(p.Device, p.Shape))];
        _slots = new AdamSlot[_parameters.Length];
    }

    /// <summary>What it was made with.</summary>
    public AdamOptions Options { get; }

    /// <summary>Averages of the gradients, in the order of the parameters; part of a checkpoint.</summary>
    public IReadOnlyList<Tensor> FirstMoments => _firstMoments;

    /// <summary>Averages of the squared gradients, in the order of the parameters; part of a checkpoint.</summary>
    public IReadOnlyList<Tensor> SecondMoments => _secondMoments;

    /// <inheritdoc/>
    public IReadOnlyList<(string Name, IReadOnlyList<Tensor> Tensors)> State => [("first_moment", _firstMoments), ("second_moment", _secondMoments)];

    /// <summary>Updates made so far, the t of the bias corrections; part of a checkpoint.</summary>
    public long Updates { get; set; }

    /// <summary>Updates every parameter that has a gradient, in place; the others and their moments stay as they are.</summary>
    /// <param name="learningRate">The rate of this update.</param>
    /// <param name="gradientScale">Factor of every gradient, applied before anything else: one over the number of tokens, or the clipping factor.</param>
    /// <exception cref="ObjectDisposedException">A parameter is dead; none has changed.</exception>
    public void Step(float learningRate, float gradientScale = 1) => Step(learningRate, gradientScale, null);

    /// <summary>The same with a factor that is still being computed: nobody waits for it.</summary>
    /// <param name="learningRate">The rate of this update.</param>
    /// <param name="gradientScale">[1], factor of every gradient; NaN leaves parameters and moments as they are, see <see cref="PendingUpdates.Factor"/>.</param>
    /// <exception cref="ArgumentException">Not a single float on the parameters' device.</exception>
    /// <exception cref="ObjectDisposedException">A parameter is dead; none has changed.</exception>
    public void Step(float learningRate, Tensor gradientScale)
    {
        Check.GradientScale(nameof(Adam), _parameters, gradientScale);
        Step(learningRate, 1, gradientScale.Data);
    }

    /// <summary>Frees the moments.</summary>
    public void Dispose()
    {
        foreach (var moment in _firstMoments.Concat(_secondMoments))
            moment.Dispose();
    }

    private void Step(float learningRate, float gradientScale, DeviceSpan? deviceScale)
    {
        int count = 0;
        for (int i = 0; i < _parameters.Length; i++)
        {
            // Also of parameters without a gradient: a dead one must not pass for one that was left out.
            var parameter = _parameters[i].Data;
            if (_parameters[i].Grad is { } gradient)
                _slots[count++] = new AdamSlot(parameter, gradient.Data, _firstMoments[i].Data, _secondMoments[i].Data, _parameters[i].CurrentCopy(DType.BFloat16));
        }

        Updates++;
        AdamKernel.Step(Factors(learningRate, gradientScale), _slots.AsSpan(0, count), deviceScale);
        foreach (var parameter in _parameters)
        {
            if (parameter.Grad is not null)
                parameter.Overwritten(withCopy: DType.BFloat16);
        }

        Array.Clear(_slots);
    }

    private static void CheckOptions(AdamOptions options)
    {
        Check.Fraction(nameof(Adam), nameof(options.Beta1), options.Beta1);
        Check.Fraction(nameof(Adam), nameof(options.Beta2), options.Beta2);
        Check.NotNegative(nameof(Adam), nameof(options.Epsilon), options.Epsilon);
        Check.NotNegative(nameof(Adam), nameof(options.WeightDecay), options.WeightDecay);
    }

    private AdamFactors Factors(float learningRate, float gradientScale)
    {
        double beta1 = DecimalFraction.Of(Options.Beta1), beta2 = DecimalFraction.Of(Options.Beta2), rate = learningRate;
        double correction1 = 1 - Math.Pow(beta1, Updates), root = Math.Sqrt(1 - Math.Pow(beta2, Updates));
        bool fairseq = Options.Form == AdamForm.Fairseq;
        return new AdamFactors(
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
