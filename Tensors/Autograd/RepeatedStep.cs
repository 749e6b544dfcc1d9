using System.Diagnostics.CodeAnalysis;
using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

/// <summary>
/// A forward and backward that is done again and again with tensors of the same shapes in the same places. On a GPU it is run as it is the first time, captured as a CUDA
/// graph the second, and from then on launched as a whole, which costs the host one call in place of a thousand. Masks go on as they would have: seed and position of the
/// random source are those of an eager run, and so is every bit. Where it cannot be captured, and on other devices, it is run as it is.
/// </summary>
public sealed class RepeatedStep : IDisposable
{
    // A capture must find all memory cached; each eager run leaves more of it behind.
    private const int Attempts = 3;

    private readonly CudaDevice? _cuda;
    private readonly Tensor[] _parameters;
    private CudaGraphExec? _graph;
    private Tensor[] _outputs = [];
    private Tensor?[] _gradients = [];
    private ulong _firstStream;
    private ulong _streams;
    private int _runs;

    /// <summary>Prepares a step.</summary>
    /// <param name="device">Where it runs.</param>
    /// <param name="parameters">What it leaves gradients at.</param>
    public RepeatedStep(Device device, IReadOnlyList<Tensor> parameters)
    {
        _cuda = device as CudaDevice;
        _parameters = [.. parameters];
    }

    /// <summary>Whether the step is launched as a graph from now on.</summary>
    [MemberNotNullWhen(true, nameof(_graph))]
    public bool IsCaptured => _graph is not null;

    /// <summary>Why it cannot be captured; null while it can, or is.</summary>
    public string? Obstacle { get; private set; }

    /// <summary>Whether steps on a device can be captured at all.</summary>
    public static bool Serves(Device device) => device is CudaDevice;

    /// <summary>Does the work, or what was captured of it.</summary>
    /// <param name="random">What the work draws its masks from.</param>
    /// <param name="work">
    /// Forward and backward. It reads the same tensors every time, whose elements may have changed, copies nothing to or from the host, and returns what it made.
    /// </param>
    /// <returns>What the work returned. After a graph it is good until the next step of any shape; the step owns it.</returns>
    public Tensor[] Run(RandomSource random, Func<Tensor[]> work)
    {
        // Gradients that are already there would have to be added to.
        if (_cuda is null || Obstacle is not null || _parameters.Any(p => p.Grad is not null))
            return work();
        if (!IsCaptured && (_runs++ == 0 || !Capture(random, work)))
        {
            _cuda.BeginGraphMemory();
            try
            {
                return work();
            }
            finally
            {
                _cuda.EndGraphMemory();
            }
        }

        _cuda.Launch(_graph!, random.Position - _firstStream);
        random.MoveTo(random.Position + _streams);
        for (int i = 0; i < _parameters.Length; i++)
        {
            if (_gradients[i] is { } gradient)
                _parameters[i].LendGrad(gradient);
        }

        return _outputs;
    }

    /// <summary>Frees the graph.</summary>
    public void Dispose()
    {
        _graph?.Dispose();
        _graph = null;
        Obstacle ??= "it was disposed";
    }

    private bool Capture(RandomSource random, Func<Tensor[]> work)
    {
        ulong first = random.Position;
        using var scope = TensorScope.Begin();
        _cuda!.BeginGraphMemory();
        try
        {
            _cuda.BeginCapture();
            Tensor[] outputs;
            try
            {
                outputs = work();
            }
            catch
            {
                _cuda.AbandonCapture();
                throw;
            }

            _graph = _cuda.EndCapture();
            _outputs = [.. outputs.Select(o => o.Alias())];
            _gradients = [.. _parameters.Select(p => p.Grad?.Alias())];
            (_firstStream, _streams) = (first, random.Position - first);
            return true;
        }
        catch (CudaException e)
        {
            if (_runs > Attempts)
                Obstacle = e.Message;
            return false;
        }
        finally
        {
            random.MoveTo(first);
            foreach (var parameter in _parameters)
                parameter.ZeroGrad();
            _cuda.EndGraphMemory();
        }
    }
}
