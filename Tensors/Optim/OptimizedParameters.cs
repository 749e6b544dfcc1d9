using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

/// <summary>The parameters of an optimiser with what it remembers of each: up to two tensors of the parameter's shape, zero at first.</summary>
internal sealed class OptimizedParameters : IDisposable
{
    private readonly string _optimizer;
    private readonly Tensor[] _parameters;
    private readonly UpdateSlot[] _slots;

    /// <param name="optimizer">For messages.</param>
    /// <param name="parameters">Float tensors on one device, each once.</param>
    /// <param name="states">The names of what is remembered, as in a checkpoint.</param>
    /// <exception cref="ArgumentException">A parameter appears twice or is not like the others.</exception>
    public OptimizedParameters(string optimizer, IReadOnlyList<Tensor> parameters, params string[] states)
    {
        _optimizer = optimizer;
        _parameters = Check.Optimized(optimizer, parameters);
        _slots = new UpdateSlot[_parameters.Length];
        State = [.. states.Select(name => (name, (IReadOnlyList<Tensor>)[.. _parameters.Select(p => Tensor.Zeros(p.Device, p.Shape))]))];
    }

    /// <summary>In the order of the names.</summary>
    public IReadOnlyList<(string Name, IReadOnlyList<Tensor> Tensors)> State { get; }

    /// <summary>The factor of an update that is still being computed.</summary>
    /// <exception cref="ArgumentException">Not a single float on the parameters' device.</exception>
    public DeviceSpan Scale(Tensor gradientScale)
    {
        Check.GradientScale(_optimizer, _parameters, gradientScale);
        return gradientScale.Data;
    }

    /// <summary>Updates every parameter that has a gradient; the others and what is remembered of them stay as they are.</summary>
    /// <param name="rule">With the factors of this update.</param>
    /// <param name="scale">[1], a further factor of the gradients; NaN leaves everything as it is.</param>
    /// <exception cref="ObjectDisposedException">A parameter is dead; none has changed.</exception>
    public void Step<TRule>(TRule rule, DeviceSpan? scale)
        where TRule : struct, IUpdateRule<TRule>
    {
        int count = 0;
        for (int i = 0; i < _parameters.Length; i++)
        {
            // Also of parameters without a gradient: a dead one must not pass for one that was left out.
            var parameter = _parameters[i].Data;
            if (_parameters[i].Grad is { } gradient)
                _slots[count++] = new UpdateSlot(parameter, gradient.Data, Remembered(0, i), Remembered(1, i), _parameters[i].CurrentCopy(DType.BFloat16));
        }

        ParameterUpdateKernel.Step(rule, _slots.AsSpan(0, count), scale);
        foreach (var parameter in _parameters)
        {
            if (parameter.Grad is not null)
                parameter.Overwritten(withCopy: DType.BFloat16);
        }

        Array.Clear(_slots);
    }

    /// <summary>Frees what is remembered.</summary>
    public void Dispose()
    {
        foreach (var tensor in State.SelectMany(s => s.Tensors))
            tensor.Dispose();
    }

    private DeviceSpan? Remembered(int state, int parameter) => state < State.Count ? State[state].Tensors[parameter].Data : null;
}
