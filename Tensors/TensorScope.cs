using System.Buffers;

namespace CudaSeq.Tensors;

/// <summary>
/// Owns the tensors made on this thread while it is open and frees them when it is disposed; scopes nest, and
/// <see cref="Tensor.Keep"/> moves a tensor to the outer one. What the tape recorded inside is forgotten with the scope.
/// A scope and its tensors belong to its thread: it must not live across an <c>await</c>.
/// </summary>
public sealed class TensorScope : IDisposable
{
    private const int Fewest = 16;

    [ThreadStatic]
    private static TensorScope? _current;

    private readonly int _thread = Environment.CurrentManagedThreadId;
    private readonly int _tapeMark;
    private Tensor?[] _tensors = [];
    private int _count;
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
        Clear();
        if (_tensors.Length > 0)
            ArrayPool<Tensor?>.Shared.Return(_tensors);
        _tensors = [];
    }

    /// <summary>Frees the scope's tensors and forgets what the tape recorded inside; the scope stays open.</summary>
    internal void Clear()
    {
        Tape.Forget(_tapeMark);
        while (_count > 0)
            _tensors[_count - 1]!.Kill(TensorEnd.Scope);
    }

    internal void Adopt(Tensor tensor)
    {
        if (_count == _tensors.Length)
            Grow();
        _tensors[_count] = tensor;
        tensor.Scope = this;
        tensor.PlaceInScope = _count++;
    }

    // The last one takes the place that is left.
    internal void Disown(Tensor tensor)
    {
        if (_thread != Environment.CurrentManagedThreadId)
            throw new InvalidOperationException($"TensorScope: a tensor must be disposed on the thread of its scope while that is open, got {tensor} on another.");
        var last = _tensors[--_count]!;
        _tensors[tensor.PlaceInScope] = last;
        last.PlaceInScope = tensor.PlaceInScope;
        _tensors[_count] = null;
        tensor.Scope = null;
    }

    private void Grow()
    {
        var more = ArrayPool<Tensor?>.Shared.Rent(Math.Max(Fewest, 2 * _count));
        if (_count > 0)
        {
            Array.Copy(_tensors, more, _count);
            Array.Clear(_tensors, 0, _count);
            ArrayPool<Tensor?>.Shared.Return(_tensors);
        }

        _tensors = more;
    }
}
