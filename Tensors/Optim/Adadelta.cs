using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

/// <summary>
/// The optimiser Adadelta: a = rho a + (1 - rho) g^2, d = g sqrt(b + epsilon) / sqrt(a + epsilon), b = rho b + (1 - rho) d^2, a = b = 0 at first, and p = p - rate d. A step has the unit of the parameter, so
/// that the paper has no rate: 1 is its form. These are PyTorch's formulas too. All parameters are updated in one parallel pass; the result does not depend on the number of threads.
/// Source: Zeiler, "ADADELTA: an adaptive learning rate method", 2012, algorithm 1.
/// </summary>
public sealed class Adadelta : IOptimizer
{
    private readonly OptimizedParameters _parameters;

    /// <summary>Starts with averages of zero, made where the parameters live. Make it outside of any scope that closes before training ends.</summary>
    /// <param name="parameters">Float tensors on one device, each once.</param>
    /// <param name="options">Rho, epsilon and weight decay.</param>
    /// <exception cref="ArgumentException">A parameter appears twice or is not like the others, or an option is out of its range.</exception>
    public Adadelta(IReadOnlyList<Tensor> parameters, AdadeltaOptions options)
    {
        Check.Fraction(nameof(Adadelta), nameof(options.Rho), options.Rho);
        Check.Positive(nameof(Adadelta), nameof(options.Epsilon), options.Epsilon);
        Check.NotNegative(nameof(Adadelta), nameof(options.WeightDecay), options.WeightDecay);
        _parameters = new(nameof(Adadelta), parameters, "squared_gradient", "squared_change");
        Options = options;
    }

    /// <summary>What it was made with.</summary>
    public AdadeltaOptions Options { get; }

    /// <summary>Averages of the squared gradients, in the order of the parameters; part of a checkpoint.</summary>
    public IReadOnlyList<Tensor> SquaredGradients => State[0].Tensors;

    /// <summary>Averages of the squared changes before the rate, in the order of the parameters; part of a checkpoint.</summary>
    public IReadOnlyList<Tensor> SquaredChanges => State[1].Tensors;

    /// <inheritdoc/>
    public IReadOnlyList<(string Name, IReadOnlyList<Tensor> Tensors)> State => _parameters.State;

    /// <summary>Updates made so far; no formula needs their number.</summary>
    public long Updates { get; set; }

    /// <summary>Updates every parameter that has a gradient, in place; the others and their averages stay as they are.</summary>
    /// <param name="learningRate">The rate of this update, a factor of the change.</param>
    /// <param name="gradientScale">Factor of every gradient, applied before anything else: one over the number of tokens or of sentences, or the clipping factor.</param>
    /// <exception cref="ObjectDisposedException">A parameter is dead; none has changed.</exception>
    public void Step(float learningRate, float gradientScale = 1) => Step(learningRate, gradientScale, null);

    /// <summary>The same with a factor that is still being computed: nobody waits for it.</summary>
    /// <param name="learningRate">The rate of this update, a factor of the change.</param>
    /// <param name="gradientScale">[1], factor of every gradient; NaN leaves parameters and averages as they are, see <see cref="PendingUpdates.Factor"/>.</param>
    /// <exception cref="ArgumentException">Not a single float on the parameters' device.</exception>
    /// <exception cref="ObjectDisposedException">A parameter is dead; none has changed.</exception>
    public void Step(float learningRate, Tensor gradientScale) => Step(learningRate, 1, _parameters.Scale(gradientScale));

    /// <summary>Frees the averages.</summary>
    public void Dispose() => _parameters.Dispose();

    private void Step(float learningRate, float gradientScale, DeviceSpan? deviceScale)
    {
        double rho = DecimalFraction.Of(Options.Rho);
        _parameters.Step(new AdadeltaRule(gradientScale, Options.WeightDecay, (float)rho, (float)(1 - rho), Options.Epsilon, learningRate), deviceScale);
        Updates++;
    }
}
