using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

/// <summary>
/// Stochastic gradient descent with g = gradient + decay p and v = momentum v + g, v = 0 at first: p = p - rate v, or p = p - rate (g + momentum v) in
/// Nesterov's form; these are PyTorch's formulas with no dampening. All parameters are updated in one parallel pass; the result does not depend on the number
/// of threads. Source: Sutskever, Martens, Dahl and Hinton, "On the importance of initialization and momentum in deep learning", ICML 2013, section 2.
/// </summary>
public sealed class Sgd : IOptimizer
{
    private readonly OptimizedParameters _parameters;

    /// <summary>Starts with velocities of zero, made where the parameters live. Make it outside of any scope that closes before training ends.</summary>
    /// <param name="parameters">Float tensors on one device, each once.</param>
    /// <param name="options">Momentum, form and weight decay.</param>
    /// <exception cref="ArgumentException">A parameter appears twice or is not like the others, or an option is out of its range.</exception>
    public Sgd(IReadOnlyList<Tensor> parameters, SgdOptions options)
    {
        Check.Fraction(nameof(Sgd), nameof(options.Momentum), options.Momentum);
        Check.NotNegative(nameof(Sgd), nameof(options.WeightDecay), options.WeightDecay);
        if (options is { Nesterov: true, Momentum: 0 })
            throw new ArgumentException("Sgd: Nesterov needs a Momentum above 0, got 0.");
        _parameters = new(nameof(Sgd), parameters, options.Momentum > 0 ? ["velocity"] : []);
        Options = options;
    }

    /// <summary>What it was made with.</summary>
    public SgdOptions Options { get; }

    /// <summary>Sums of the gradients so far, each decayed, in the order of the parameters; part of a checkpoint. None without momentum.</summary>
    public IReadOnlyList<Tensor> Velocities => State.Count > 0 ? State[0].Tensors : [];

    /// <inheritdoc/>
    public IReadOnlyList<(string Name, IReadOnlyList<Tensor> Tensors)> State => _parameters.State;

    /// <summary>Updates made so far; no formula needs their number.</summary>
    public long Updates { get; set; }

    /// <summary>Updates every parameter that has a gradient, in place; the others and their velocities stay as they are.</summary>
    /// <param name="learningRate">The rate of this update.</param>
    /// <param name="gradientScale">Factor of every gradient, applied before anything else: one over the number of tokens or of sentences, or the clipping factor.</param>
    /// <exception cref="ObjectDisposedException">A parameter is dead; none has changed.</exception>
    public void Step(float learningRate, float gradientScale = 1) => Step(learningRate, gradientScale, null);

    /// <summary>The same with a factor that is still being computed: nobody waits for it.</summary>
    /// <param name="learningRate">The rate of this update.</param>
    /// <param name="gradientScale">[1], factor of every gradient; NaN leaves parameters and velocities as they are, see <see cref="PendingUpdates.Factor"/>.</param>
    /// <exception cref="ArgumentException">Not a single float on the parameters' device.</exception>
    /// <exception cref="ObjectDisposedException">A parameter is dead; none has changed.</exception>
    public void Step(float learningRate, Tensor gradientScale) => Step(learningRate, 1, _parameters.Scale(gradientScale));

    /// <summary>Frees the velocities.</summary>
    public void Dispose() => _parameters.Dispose();

    private void Step(float learningRate, float gradientScale, DeviceSpan? deviceScale)
    {
        if (Options.Momentum > 0)
            _parameters.Step(new MomentumRule(gradientScale, Options.WeightDecay, Options.Momentum, learningRate, Options.Nesterov), deviceScale);
        else
            _parameters.Step(new SgdRule(gradientScale, Options.WeightDecay, learningRate), deviceScale);
        Updates++;
    }
}
