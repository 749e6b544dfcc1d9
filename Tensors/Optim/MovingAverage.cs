using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

/// <summary>
/// The exponential moving average of parameters: a = decay a + (1 - decay) p after every update, a = p at first; float32 on the parameters' device.
/// It is computed as a - (1 - decay) (a - p), which is the step of gradient descent with the rate 1 - decay towards p, in one pass over all parameters.
/// Source: Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", SIAM J. Control Optim. 30, 1992; the exponential form: Kingma and Ba, ICLR 2015, section 7.2.
/// </summary>
public sealed class MovingAverage : IDisposable
{
    private readonly Tensor[] _parameters;
    private readonly Tensor[] _averages;
    private readonly UpdateSlot[] _slots;
    private readonly SgdRule _rule;
    private readonly Tensor _one;
    private readonly Tensor _guard;

    /// <summary>Starts with the parameters as they are. Make it outside of any scope that closes before training ends.</summary>
    /// <param name="parameters">Float tensors on one device, each once.</param>
    /// <param name="decay">Share of the old average kept at each update, 0 .. 1, below 1.</param>
    /// <exception cref="ArgumentException">A parameter appears twice or is not like the others, there is none, or the decay is out of its range.</exception>
    public MovingAverage(IReadOnlyList<Tensor> parameters, float decay)
    {
        Check.Fraction(nameof(MovingAverage), nameof(Decay), decay);
        _parameters = Check.Optimized(nameof(MovingAverage), parameters);
        if (_parameters.Length == 0)
            throw new ArgumentException("MovingAverage: there must be parameters, got none.");
        Decay = decay;
        _rule = new SgdRule(GradientScale: -1, L2: 1, StepSize: (float)(1 - DecimalFraction.Of(decay)));
        _averages = new Tensor[_parameters.Length];
        try
        {
            for (int i = 0; i < _averages.Length; i++)
            {
                _averages[i] = Tensor.Zeros(_parameters[i].Device, _parameters[i].Shape);
                _averages[i].CopyFrom(_parameters[i].Detach());
            }
        }
        catch
        {
            foreach (var average in _averages)
                average?.Dispose();
            throw;
        }

        _slots = new UpdateSlot[_parameters.Length];
        _one = Tensor.Full(_parameters[0].Device, [1], 1);
        _guard = Tensor.Zeros(_parameters[0].Device, [1]);
    }

    /// <summary>Share of the old average kept at each update.</summary>
    public float Decay { get; }

    /// <summary>The averages in the order of the parameters; part of a checkpoint. While exchanged, the parameters as training left them.</summary>
    public IReadOnlyList<Tensor> Averages => _averages;

    /// <summary>Follows one update of the parameters. Nobody waits for it.</summary>
    /// <param name="gradientScale">[1], what the update multiplied the gradients by: NaN, where it was not made, leaves the averages as they are.</param>
    /// <exception cref="ArgumentException">Not a single float on the parameters' device.</exception>
    public void Step(Tensor gradientScale)
    {
        Check.GradientScale(nameof(MovingAverage), _parameters, gradientScale);

        // 1, or NaN.
        ScaleKernel.Forward(gradientScale.Data, 0, _guard.Data);
        AddKernel.Accumulate(_guard.Data, _one.Data);
        for (int i = 0; i < _slots.Length; i++)
            _slots[i] = new UpdateSlot(_averages[i].Data, _parameters[i].Data);
        ParameterUpdateKernel.Step(_rule, _slots, _guard.Data);
        Array.Clear(_slots);
    }

    /// <summary>Exchanges averages and parameters, in place: once to use the averages in the model, once more to train on.</summary>
    public void Exchange()
    {
        long most = _parameters.Max(p => p.Shape.Count);
        using var scratch = new CallScratch(_parameters[0].Device, most * sizeof(float));
        for (int i = 0; i < _parameters.Length; i++)
        {
            var (p, a) = (_parameters[i].Data, _averages[i].Data);
            var spare = scratch.Span(0, p.Length);
            p.Buffer.Touch();
            a.Buffer.Touch();
            CopyKernel.Copy(p, spare);
            CopyKernel.Copy(a, p);
            CopyKernel.Copy(spare, a);
        }
    }

    /// <summary>Frees the averages.</summary>
    public void Dispose()
    {
        foreach (var average in _averages)
            average.Dispose();
        _one.Dispose();
        _guard.Dispose();
    }
}
