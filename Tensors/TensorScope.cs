namespace CudaSeq.Tensors;

/// <summary>
/// Owns the tensors made on this thread while it is open and frees them when it is disposed; scopes nest, and
/// <see cref="Tensor.Keep"/> moves a tensor to the outer one. What the tape recorded inside is forgotten with the scope.
/// A scope belongs to its thread: it must not live across an <c>await</c>.
/// </summary>
public sealed class TensorScope : IDisposable
{
    [ThreadStatic]
    private static TensorScope? _current;

    private readonly int _thread = Environment.CurrentManagedThreadId;
    private readonly int _tapeMark;
    private Tensor? _first;
    private bool _closed;

    private TensorScope(TensorScope? outer)
    {
        Outer = outer;
        _tapeMark = Tape.Mark;
    }

    /// <summary>The innermost open scope of this thread.</summary>
    public static TensorScope? Current => _current;

    /// <summary>The scope around this one, or null for an outermost scope.</summary>
    public TensorScope? Outer { get; }

    /// <summary>Opens a scope inside the current one.</summary>
    public static TensorScope Begin() => _current = new TensorScope(_current);

    /// <summary>Frees the scope's tensors.</summary>
    /// <exception cref="InvalidOperationException">Another thread opened it, or a scope inside it is still open.</exception>
    public void Dispose()
    {
        if (_closed)
            return;
        if (_thread != Environment.CurrentManagedThreadId)
            throw new InvalidOperationException("TensorScope: must be closed on the thread that opened it; a scope must not live across an await.");
        if (_current != this)
            throw new InvalidOperationException("TensorScope: scopes must be closed innermost first.");
        _closed = true;
        _current = Outer;
        Tape.Forget(_tapeMark);
        while (_first is { } tensor)
            tensor.Kill("died with its TensorScope");
    }

    internal void Adopt(Tensor tensor)
    {
        tensor.Scope = this;
        tensor.NextInScope = _first;
        if (_first is not null)
            _first.PreviousInScope = tensor;
        _first = tensor;
    }

    internal void Disown(Tensor tensor)
    {
        if (tensor.PreviousInScope is { } previous)
            previous.NextInScope = tensor.NextInScope;
        else
            _first = tensor.NextInScope;
        if (tensor.NextInScope is { } next)
            next.PreviousInScope = tensor.PreviousInScope;
        tensor.Scope = null;
        tensor.NextInScope = null;
        tensor.PreviousInScope = null;
    }
}
