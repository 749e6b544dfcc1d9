using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>Multi-head attention of a sequence to itself. Decoding remembers the keys and values of all positions so far.</summary>
public sealed class SelfAttention : SequenceMixer
{
    // Positions by which the memory grows: long enough to grow seldom, short enough that reordering copies little that is unused.
    private const int Growth = 16;

    private readonly MultiHeadAttention _attention;
    private readonly int _width;
    private readonly bool _causal;

    /// <summary>Declares the parameters.</summary>
    /// <param name="width">C, channels.</param>
    /// <param name="heads">H; divides C.</param>
    /// <param name="dropout">Probability of dropping an attention weight while training.</param>
    /// <param name="causal">Whether a position sees only itself and those before it, as in a decoder.</param>
    public SelfAttention(int width, int heads, float dropout, bool causal)
    {
        _width = width;
        _causal = causal;
        _attention = Add(string.Empty, new MultiHeadAttention(width, heads, dropout));
    }

    /// <inheritdoc/>
    public override Tensor Forward(Tensor x, Tensor? lengths, RandomSource? random) => _attention.Forward(x, x, lengths, _causal, random);

    /// <inheritdoc/>
    public override void Begin(IncrementalState state) => state.AddPerHypothesis(this, Room(state), Room(state));

    /// <inheritdoc/>
    public override Tensor Step(Tensor x, IncrementalState state)
    {
        var memories = state.Of(this);
        Append(memories[0], _attention.Keys(x), state);
        Append(memories[1], _attention.Values(x), state);
        return _attention.Step(x, memories[0].Value, memories[1].Value, lengths: null, state.Step + 1);
    }

    private void Append(IncrementalState.Memory memory, Tensor x, IncrementalState state)
    {
        if (state.Step == memory.Value.Shape[1])
            memory.Value = Ops.Concat(1, memory.Value, Room(state));
        Ops.CacheAppend(memory.Value, x, state.Step);
    }

    private Tensor Room(IncrementalState state)
        => Tensor.Zeros(Device, [state.Hypotheses, Math.Min(Growth, state.MaxLength - state.Step), _width], Precision);
}
