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

/// <summary>How one tensor was made: the op, its inputs, and how to get their gradients from its own.</summary>
internal abstract class TapeNode(string name, Tensor output, Tensor[] inputs, Tensor[] scratch)
{
    public string Name { get; } = name;

    public Tensor Output { get; } = output;

    public Tensor[] Inputs { get; } = inputs;

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
        foreach (var tensor in scratch)
            tensor.Kill("was freed by Backward");
        if (!keepOutput)
            Output.Kill("was freed by Backward (pass retain: true to read activations afterwards)");
    }
}

internal sealed class TapeNode<TSaved>(
    string name, Tensor output, Tensor[] inputs, Tensor[] scratch, TSaved saved, Func<Tensor, TSaved, Gradients> backward)
    : TapeNode(name, output, inputs, scratch)
{
    public override Gradients Backward(Tensor gradient) => backward(gradient, saved);
}
