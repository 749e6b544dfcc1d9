using System.Buffers;
using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

/// <summary>The gradients of those parameters that have one, in memory that is lent for the moment.</summary>
internal readonly ref struct GradientSpans
{
    private readonly DeviceSpan[] _lent;
    private readonly int _count;

    /// <summary>Looks at parameters on one device.</summary>
    /// <param name="parameters">All of them.</param>
    public GradientSpans(IReadOnlyList<Tensor> parameters)
    {
        _lent = ArrayPool<DeviceSpan>.Shared.Rent(parameters.Count);
        for (int i = 0; i < parameters.Count; i++)
        {
            if (parameters[i].Grad is not { } gradient)
                continue;
            Check.SameDevice(nameof(GradientNorm), parameters[0], gradient);
            _lent[_count++] = gradient.Data;
        }
    }

    /// <summary>The gradients, in order.</summary>
    public ReadOnlySpan<DeviceSpan> Spans => _lent.AsSpan(0, _count);

    /// <summary>Gives the memory back.</summary>
    public void Dispose() => ArrayPool<DeviceSpan>.Shared.Return(_lent, clearArray: true);
}
