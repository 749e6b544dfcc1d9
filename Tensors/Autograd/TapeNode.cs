namespace CudaSeq.Tensors;

/// <summary>The gradients of an op's inputs, in the order the inputs were recorded; null where an input needs none.</summary>
internal readonly struct Gradients
{
    private readonly Tensor? _first;
    private readonly Tensor? _second;
    private readonly Tensor? _third;
    private readonly Tensor? _fourth;
    private readonly Tensor?[]? _many;

    public Gradients(Tensor? first, Tensor? second = null, Tensor? third = null, Tensor? fourth = null)
    {
        _first = first;
        _second = second;
        _third = third;
        _fourth = fourth;
    }

    public Gradients(Tensor?[] many) => _many = many;

    public Tensor? this[int input] => _many is not null ? _many[input] : input switch { 0 => _first, 1 => _second, 2 => _third, 3 => _fourth, _ => null };
}

/// <summary>How one tensor was made: the op, its inputs, and how to get their gradients from its own. The tape makes nodes by the hundred and uses them again.</summary>
internal abstract class TapeNode
{
    private readonly List<Tensor> _inputs = [];
    private readonly List<Tensor> _scratch = [];
    private string? _name;
    private Tensor? _output;

    public string Name => _name!;

    public Tensor Output => _output!;

    public IReadOnlyList<Tensor> Inputs => _inputs;

    /// <summary>Whose tape the node is on.</summary>
    public Thread Thread { get; } = Thread.CurrentThread;

    /// <summary>The sum so far of the gradients that later nodes gave to the output.</summary>
    public Tensor? Gradient { get; set; }

    /// <summary>Whether backward has used this node and freed what it needed.</summary>
    public bool Released { get; private set; }

    public abstract Gradients Backward(Tensor gradient);

    /// <summary>Frees the output and what the op saved for this moment.</summary>
    public void Release(bool keepOutput)
    {
        Released = true;
        foreach (var tensor in _scratch)
            tensor.Kill(TensorEnd.Scratch);
        if (!keepOutput)
            Output.Kill(TensorEnd.Backward);
    }

    /// <summary>Detaches the output, after which nobody knows the node any more, and gives it back to be used again. Only on its thread.</summary>
    public virtual void Forget()
    {
        Output.DetachNode();
        _inputs.Clear();
        _scratch.Clear();
        (_name, _output, Gradient, Released) = (null, null, null, false);
    }

    protected void Begin(string name, Tensor output, ReadOnlySpan<Tensor> inputs, ReadOnlySpan<Tensor> scratch)
    {
        (_name, _output) = (name, output);
        _inputs.AddRange(inputs);
        _scratch.AddRange(scratch);
    }
}

internal sealed class TapeNode<TSaved> : TapeNode
{
    // A tape that was once very long does not keep all of it for ever.
    private const int MostFree = 4096;

    [ThreadStatic]
    private static Stack<TapeNode<TSaved>>? _free;

    private TSaved? _saved;
    private Func<Tensor, TSaved, Gradients>? _backward;

    private TapeNode()
    {
    }

    public static TapeNode<TSaved> Of(
        string name, Tensor output, ReadOnlySpan<Tensor> inputs, ReadOnlySpan<Tensor> scratch, TSaved saved, Func<Tensor, TSaved, Gradients> backward)
    {
        var node = _free is not null && _free.TryPop(out var used) ? used : new TapeNode<TSaved>();
        node.Begin(name, output, inputs, scratch);
        (node._saved, node._backward) = (saved, backward);
        return node;
    }

    public override Gradients Backward(Tensor gradient) => _backward!(gradient, _saved!);

    public override void Forget()
    {
        base.Forget();
        (_saved, _backward) = (default, null);
        _free ??= [];
        if (_free.Count < MostFree)
            _free.Push(this);
    }
}
