using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>What <see cref="Fit"/> needs to know.</summary>
public sealed record FitOptions
{
    /// <summary>Updates of the parameters.</summary>
    public int Updates { get; init; } = 300;

    /// <summary>The rate of Adam.</summary>
    public float LearningRate { get; init; } = 1e-3f;

    /// <summary>Updates over which the rate grows from 0.</summary>
    public int Warmup { get; init; } = 10;

    /// <summary>The largest norm of the gradients left unchanged; 0 clips nothing.</summary>
    public float MaxNorm { get; init; } = 1;

    /// <summary>Adam's weight decay, decoupled from the gradients.</summary>
    public float WeightDecay { get; init; }

    /// <summary>Draws the dropout masks.</summary>
    public ulong Seed { get; init; } = 1;
}

/// <summary>
/// Training without files: for modules that are no <see cref="SequenceModel"/> and data that fit into memory. Adam with betas 0.9 and 0.999, clipping, a short warm-up.
/// <code>
/// using var model = new DaTransformer2021(options);
/// model.Initialize(device, new RandomSource(1));
/// Fit.Run(model, new FitOptions { Updates = 300 }, (update, random) => model.Loss(texts[update], classes[update], random));
/// </code>
/// </summary>
public static class Fit
{
    /// <summary>Makes updates of a module's parameters.</summary>
    /// <param name="module">An initialised module.</param>
    /// <param name="options">How many updates, and how.</param>
    /// <param name="loss">The loss of an update, a single number, from the update's number (from 0) and what draws dropout masks; it is called in a scope of its own.</param>
    /// <param name="progress">Is told the loss of each update.</param>
    /// <param name="cancellation">Stops between updates.</param>
    /// <returns>The losses, in order.</returns>
    /// <exception cref="InvalidOperationException">A loss or gradient is NaN or infinite; the parameters are those before that update.</exception>
    public static IReadOnlyList<float> Run(
        Module module, FitOptions options, Func<int, RandomSource, Tensor> loss, IProgress<(int Update, float Loss)>? progress = null, CancellationToken cancellation = default)
    {
        using var steps = new FitSteps(module, options);
        var losses = new float[options.Updates];
        for (int update = 0; update < losses.Length; update++)
        {
            cancellation.ThrowIfCancellationRequested();
            losses[update] = steps.Step(random => [loss(update, random)]);
            progress?.Report((update, losses[update]));
        }

        return losses;
    }
}

/// <summary>Updates of a module's parameters, one by one.</summary>
internal sealed class FitSteps : IDisposable
{
    private readonly Tensor[] _parameters;
    private readonly FitOptions _options;
    private readonly Adam _adam;
    private readonly RandomSource _random;
    private readonly FixedSchedule _schedule;

    public FitSteps(Module module, FitOptions options)
    {
        _parameters = [.. module.Parameters];
        _options = options;
        _adam = new Adam(_parameters, new AdamOptions { Beta2 = 0.999f, WeightDecay = options.WeightDecay });
        _random = new RandomSource(options.Seed);
        _schedule = new FixedSchedule(options.LearningRate, options.Warmup);
    }

    /// <summary>One update along the sum of the gradients of some losses, each of which is differentiated in a scope of its own before the next is computed.</summary>
    /// <returns>The sum of the losses.</returns>
    public float Step(Func<RandomSource, IEnumerable<Tensor>> losses)
    {
        float sum = 0;
        using (TensorScope.Begin())
        {
            using var computed = losses(_random).GetEnumerator();
            while (true)
            {
                using var scope = TensorScope.Begin();
                if (!computed.MoveNext())
                    break;
                computed.Current.Backward();
                sum += computed.Current.Item();
            }
        }

        float norm = GradientNorm.Compute(_parameters);
        bool finite = float.IsFinite(sum) && float.IsFinite(norm);
        if (finite)
            _adam.Step(_schedule.At(_adam.Updates), GradientNorm.Factor(norm, _options.MaxNorm));
        foreach (var parameter in _parameters)
            parameter.ZeroGrad();
        return finite
            ? sum
            : throw new InvalidOperationException(FormattableString.Invariant($"Fit: loss and gradients must stay finite, got {sum} and a norm of {norm} at update {_adam.Updates + 1}."));
    }

    public void Dispose() => _adam.Dispose();
}
