using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

/// <summary>A step as a graph: what it made and what it left at the parameters, by their places in memory.</summary>
internal sealed class CapturedStep : IDisposable
{
    private readonly CudaDevice _cuda;
    private readonly CudaGraphExec _graph;
    private readonly IndexGate[] _gates;
    private readonly Tensor[] _outputs;
    private readonly Tensor?[] _gradients;
    private readonly ulong _firstStream;
    private readonly ulong _streams;

    private CapturedStep(CudaDevice cuda, CudaGraphExec graph, IndexGate[] gates, Tensor[] outputs, Tensor?[] gradients, RandomSource random, ulong firstStream)
    {
        _cuda = cuda;
        _graph = graph;
        _gates = gates;
        _outputs = outputs;
        _gradients = gradients;
        Seed = random.Seed;
        _firstStream = firstStream;
        _streams = random.Position - firstStream;
    }

    /// <summary>The seed its masks are drawn with.</summary>
    public ulong Seed { get; }

    /// <summary>Whether all indices are where the gates found them when they were passed.</summary>
    public bool GatesHold
    {
        get
        {
            foreach (var gate in _gates)
            {
                if (!gate.Holds)
                    return false;
            }

            return true;
        }
    }

    /// <summary>Writes work down. The scope it is called in frees what the work made.</summary>
    /// <exception cref="CudaException">It does something that cannot be captured.</exception>
    public static CapturedStep Capture(CudaGraphMemory memory, RandomSource random, Tensor[] parameters, Func<Tensor[]> work)
    {
        var cuda = (CudaDevice)memory.Shift.Device;
        ulong first = random.Position;
        cuda.BeginCapture(memory);
        Tensor[] outputs;
        Tensor?[] gradients;
        try
        {
            outputs = [.. work().Select(o => o.Alias())];
            gradients = [.. parameters.Select(p => p.Grad?.Alias())];
        }
        catch
        {
            cuda.AbandonCapture();
            throw;
        }

        var graph = cuda.EndCapture(out var gates);
        return new CapturedStep(cuda, graph, gates, outputs, gradients, random, first);
    }

    /// <summary>Queues the graph; the random source moves on as if the work had drawn from it.</summary>
    public Tensor[] Launch(CudaGraphMemory memory, RandomSource random, Tensor[] parameters)
    {
        // A dead parameter is an error here as it is in the work itself.
        foreach (var parameter in parameters)
            _ = parameter.Data;
        _cuda.Launch(_graph, memory, random.Position - _firstStream);
        random.MoveTo(random.Position + _streams);
        for (int i = 0; i < parameters.Length; i++)
        {
            if (_gradients[i] is { } gradient)
                parameters[i].LendGrad(gradient);
        }

        return _outputs;
    }

    /// <inheritdoc/>
    public void Dispose() => _graph.Dispose();
}
