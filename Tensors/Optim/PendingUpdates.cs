using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

/// <summary>What an update was like.</summary>
/// <param name="Loss">The sum of the losses that were added.</param>
/// <param name="NegativeLogLikelihood">Likewise.</param>
/// <param name="Norm">The norm of the gradients, scaled and before clipping.</param>
public readonly record struct UpdateMeasures(float Loss, float NegativeLogLikelihood, float Norm)
{
    /// <summary>Whether the update was made: one with a loss or norm that is not finite is left out, and so is every later one.</summary>
    public bool IsFinite => float.IsFinite(Loss) && float.IsFinite(Norm);
}

/// <summary>
/// Updates whose losses and norms are still on the device. A device that works through a queue is left to run: gradients are clipped, and updates that are not finite
/// left out, by numbers that it computes itself; the host asks for the measures of many updates at once.
/// </summary>
public sealed class PendingUpdates : IDisposable
{
    private const int Measures = 3;

    // Long enough that the wait at its end costs nothing, short enough to notice soon.
    private const int QueuedUpdates = 64;

    private readonly float _maxNorm;
    private readonly Tensor _measures;
    private readonly Tensor _guard;
    private readonly float[] _copy;

    /// <summary>Starts with none. Make it outside of any scope that closes before training ends.</summary>
    /// <param name="device">Where the parameters live.</param>
    /// <param name="maxNorm">The largest norm of the scaled gradients that is left unchanged; 0 clips nothing.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maxNorm"/> is negative or NaN.</exception>
    public PendingUpdates(Device device, float maxNorm)
    {
        if (!(maxNorm >= 0))
            throw new ArgumentOutOfRangeException(null, FormattableString.Invariant($"PendingUpdates: maxNorm must be at least 0, got {maxNorm}."));
        _maxNorm = maxNorm;
        Capacity = device is CpuDevice ? 1 : QueuedUpdates;
        _measures = Tensor.Zeros(device, [Capacity, Measures]);
        _guard = Tensor.Zeros(device, [2]);
        Factor = _guard.Rows(0, 1);
        _copy = new float[Capacity * Measures];
    }

    /// <summary>Updates that fit; 1 on the processor, which computes at once.</summary>
    public int Capacity { get; }

    /// <summary>Updates that were ended since the last <see cref="Take"/>.</summary>
    public int Count { get; private set; }

    /// <summary>Whether <see cref="Take"/> is due before the next update begins.</summary>
    public bool IsFull => Count == Capacity;

    /// <summary>[1], what <see cref="Adam.Step(float, Tensor)"/> multiplies the gradients of the update that was ended last by; NaN when it must not be made.</summary>
    public Tensor Factor { get; }

    /// <summary>Adds to the losses of the update under way.</summary>
    /// <param name="loss">[], summed.</param>
    /// <param name="negativeLogLikelihood">[], summed.</param>
    public void Add(Tensor loss, Tensor negativeLogLikelihood)
    {
        Check.Float(nameof(PendingUpdates), _measures, loss, negativeLogLikelihood);
        if (loss.Shape.Count != 1 || negativeLogLikelihood.Shape.Count != 1)
            throw new ArgumentException($"PendingUpdates: losses must be single numbers, got {loss} and {negativeLogLikelihood}.");
        RefuseWhenFull();
        AddKernel.Accumulate(Slot(0), loss.Data);
        AddKernel.Accumulate(Slot(1), negativeLogLikelihood.Data);
    }

    /// <summary>Ends the update under way: its gradients are all there.</summary>
    /// <param name="parameters">Those without a gradient count as 0.</param>
    /// <param name="scale">Factor of every gradient: one over the number of tokens, or of sentences.</param>
    public void End(IReadOnlyList<Tensor> parameters, float scale)
    {
        RefuseWhenFull();
        using var gradients = new GradientSpans(parameters);
        GradientNormKernel.Clip(new ClipSize(scale, _maxNorm), gradients.Spans, Slot(0), Slot(2), _guard.Data);
        Count++;
    }

    /// <summary>The measures of the pending updates, oldest first; waits for the device. After one that is not finite updates are made again.</summary>
    public UpdateMeasures[] Take()
    {
        if (Count == 0)
            return [];
        _measures.CopyTo(_copy);
        FillKernel.Zero(_measures.Data);
        var result = new UpdateMeasures[Count];
        for (int i = 0; i < result.Length; i++)
            result[i] = new UpdateMeasures(_copy[Measures * i], _copy[(Measures * i) + 1], _copy[(Measures * i) + 2]);
        Count = 0;
        if (result.Any(m => !m.IsFinite))
            FillKernel.Zero(_guard.Data);
        return result;
    }

    /// <summary>Frees the memory.</summary>
    public void Dispose()
    {
        Factor.Dispose();
        _guard.Dispose();
        _measures.Dispose();
    }

    private void RefuseWhenFull()
    {
        if (IsFull)
            throw new InvalidOperationException($"PendingUpdates: Take must come first, {Count} updates are pending.");
    }

    private DeviceSpan Slot(int measure) => _measures.Data with { Offset = _measures.Data.Offset + (Count * Measures) + measure, Length = 1 };
}
