using System.Diagnostics.CodeAnalysis;
using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

/// <summary>
/// A forward and backward that is done again and again with tensors of the same shapes in the same places. On a GPU it is run as it is the first time, captured as a CUDA
/// graph the second, and from then on launched as a whole, which costs the host one call in place of a thousand. Masks go on as they would have: seed and position of the
/// random source are those of an eager run, and so is every bit. Elsewhere it is always run as it is.
/// </summary>
public sealed class RepeatedStep : IDisposable
{
    // The first attempt may meet something that is made at the first use, after which the second succeeds.
    private const int Attempts = 3;

    private readonly StepMemory _memory;
    private readonly Tensor[] _parameters;
    private readonly RandomSource _nothing = new(0);
    private CapturedStep? _captured;
    private int _runs;
    private bool _disposed;

    /// <summary>Prepares a step.</summary>
    /// <param name="memory">Where it runs, and what it shares with others; it must outlive the step.</param>
    /// <param name="parameters">What it leaves gradients at.</param>
    public RepeatedStep(StepMemory memory, IReadOnlyList<Tensor> parameters)
    {
        _memory = memory;
        _parameters = [.. parameters];
    }

    /// <summary>Whether the step is launched as a graph from now on.</summary>
    [MemberNotNullWhen(true, nameof(_captured))]
    public bool IsCaptured => _captured is not null;

    /// <summary>Why the last attempt to capture it failed; null when none has.</summary>
    public string? Obstacle { get; private set; }

    /// <summary>Does work that draws nothing at random, or what was captured of it.</summary>
    /// <inheritdoc cref="Run(RandomSource, Func{Tensor[]})"/>
    public Tensor[] Run(Func<Tensor[]> work) => Run(_nothing, work);

    /// <summary>Does the work, or what was captured of it. With gradients that are already there, or indices that a gate must look at again, it is run as it is.</summary>
    /// <param name="random">What the work draws its masks from.</param>
    /// <param name="work">
    /// Forward and backward. It reads the same tensors every time, whose elements may have changed, copies nothing to or from the host, and returns what it made.
    /// </param>
    /// <returns>What the work returned. After a graph it is good, as the gradients are, until the next step of the same memory; the step owns it.</returns>
    public Tensor[] Run(RandomSource random, Func<Tensor[]> work)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);

        // Gradients that are already there would have to be added to.
        if (_memory.Graphs is not { } graphs || _parameters.Any(p => p.Grad is not null))
            return work();
        if (_captured is { } other && other.Seed != random.Seed)
        {
            other.Dispose();
            _captured = null;
            _runs = 1;
        }

        foreach (var parameter in _parameters)
            parameter.RenewCopies();
        if (!IsCaptured && (_runs++ is 0 or > Attempts || !TryCapture(graphs, random, work)))
            return work();
        return _captured!.GatesHold ? _captured.Launch(graphs, random, _parameters) : work();
    }

    /// <summary>Frees the graph.</summary>
    public void Dispose()
    {
        _disposed = true;
        _captured?.Dispose();
        _captured = null;
    }

    private bool TryCapture(CudaGraphMemory graphs, RandomSource random, Func<Tensor[]> work)
    {
        ulong first = random.Position;
        using var scope = TensorScope.Begin();
        try
        {
            _captured = CapturedStep.Capture(graphs, random, _parameters, work);
            return true;
        }
        catch (CudaException e)
        {
            Obstacle = e.Message;
            return false;
        }
        finally
        {
            random.MoveTo(first);
            foreach (var parameter in _parameters)
                parameter.ZeroGrad();
        }
    }
}
