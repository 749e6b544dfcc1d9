using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

/// <summary>
/// What is computed of parameters alone, such as a normalised weight: where no gradient is wanted it is computed once and kept until a parameter changes; where one is, it is computed anew
/// and lives as any other tensor, as its gradient must go to the parameters. Quantized where its first parameter is. May be asked on several threads. Costs the memory of the result until it is disposed.
/// </summary>
/// <param name="compute">Computes a new float32 tensor of the parameters it is given, and of nothing else.</param>
public sealed class KeptTensor(Func<Tensor, Tensor, Tensor> compute) : IDisposable
{
    private readonly Lock _computing = new();
    private (Tensor Tensor, long Version) _first;
    private (Tensor Tensor, long Version) _second;
    private Tensor? _kept;

    /// <summary>The result for the parameters as they are.</summary>
    /// <param name="first">A parameter.</param>
    /// <param name="second">Another one.</param>
    /// <returns>The kept tensor, which its user must not dispose and nobody overwrites but this; a new one where a gradient is wanted.</returns>
    public Tensor Of(Tensor first, Tensor second)
    {
        if (Tape.Records(first, second))
            return Compute(first, second);
        lock (_computing)
        {
            var now = ((first, first.Data.Buffer.Version), (second, second.Data.Buffer.Version));
            if (_kept is { IsAlive: true } && now == (_first, _second))
            {
                _kept.IsQuantized = first.IsQuantized;
                return _kept;
            }

            // What a graph captures has not happened yet: nothing of it can be kept.
            if (first.Device is CudaDevice { IsCapturing: true })
                return Compute(first, second);
            using var scope = TensorScope.Begin();
            var computed = Compute(first, second);
            if (_kept is { IsAlive: true } && _kept.Shape == computed.Shape && ReferenceEquals(_kept.Device, computed.Device))
            {
                // In its place, where a graph may read it.
                _kept.CopyFrom(computed);
                _kept.IsQuantized = first.IsQuantized;
            }
            else
            {
                _kept?.Dispose();
                scope.Disown(computed);
                _kept = computed;
            }

            (_first, _second) = now;
            return _kept;
        }
    }

    private Tensor Compute(Tensor first, Tensor second)
    {
        var computed = compute(first, second);
        computed.IsQuantized = first.IsQuantized;
        return computed;
    }

    /// <summary>Frees what is kept.</summary>
    public void Dispose()
    {
        _kept?.Dispose();
        _kept = null;
    }
}
