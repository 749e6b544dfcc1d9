namespace CudaSeq.Tensors;

/// <summary>
/// While open, every op that is recorded on this thread's tape is checked for NaN and infinity, and the first output that has one is named.
/// Slow: made to run a failed step once more and find out where it failed.
/// </summary>
public sealed class NonFiniteWatch : IDisposable
{
    [ThreadStatic]
    private static NonFiniteWatch? _current;

    private readonly Dictionary<Tensor, string> _names;
    private int _ops;

    /// <summary>Starts watching this thread.</summary>
    /// <param name="parameters">The names by which parameters are reported.</param>
    /// <exception cref="InvalidOperationException">A watch is already open.</exception>
    public NonFiniteWatch(IEnumerable<KeyValuePair<string, Tensor>> parameters)
    {
        if (_current is not null)
            throw new InvalidOperationException("NonFiniteWatch: only one can be open on a thread.");
        _names = new Dictionary<Tensor, string>(ReferenceEqualityComparer.Instance);
        foreach (var (name, tensor) in parameters)
        {
            _names[tensor] = name;
            if (First is null && !Ops.IsFinite(tensor))
                First = $"parameter {name} {tensor.Shape}";
        }

        _current = this;
    }

    /// <summary>The first tensor with a NaN or an infinity: a parameter by name, or an op's output with the parameter that went into it; null if there was none.</summary>
    public string? First { get; private set; }

    /// <summary>Stops watching.</summary>
    public void Dispose()
    {
        if (_current == this)
            _current = null;
    }

    internal static void Observe(string op, Tensor output, ReadOnlySpan<Tensor> inputs) => _current?.Check(op, output, inputs);

    private void Check(string op, Tensor output, ReadOnlySpan<Tensor> inputs)
    {
        _ops++;
        if (First is not null || output.DType == Kernels.DType.Int32 || Ops.IsFinite(output))
            return;
        string parameter = string.Empty;
        foreach (var input in inputs)
        {
            if (_names.TryGetValue(input, out string? name))
            {
                parameter = $" with {name}";
                break;
            }
        }

        First = $"output {output.Shape} of {op}{parameter}, op {_ops} of the step";
    }
}
