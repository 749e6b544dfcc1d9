using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>Multi-head attention of a sequence to itself. Decoding remembers the keys and values of all positions so far.</summary>
public sealed class SelfAttention : SequenceMixer
{
    private readonly MultiHeadAttention _attention;
    private readonly int _width;
    private readonly bool _causal;

    /// <summary>Declares the parameters.</summary>
    /// <param name="width">C, channels.</param>
    /// <param name="heads">H; divides C.</param>
    /// <param name="dropout">Probability of dropping an attention weight while training.</param>
    /// <param name="causal">Whether a position sees only itself and those before it, as in a decoder.</param>
    /// <param name="window">How many positions a position sees at most: where it is causal the last ones, else those around its own. 0 for all.</param>
    public SelfAttention(int width, int heads, float dropout, bool causal, int window = 0)
    {
        _width = width;
        _causal = causal;
        Window = window;
        _attention = Add(string.Empty, new MultiHeadAttention(width, heads, dropout, window));
    }

    /// <summary>How many positions a position sees at most; 0 for all.</summary>
    internal int Window { get; }

    /// <inheritdoc/>
    public override Tensor Forward(Tensor x, Tensor? lengths, RandomSource? random) => _attention.Forward(x, x, lengths, _causal, random);

    /// <summary>The weights of the attention in <see cref="Forward"/>; no gradient.</summary>
    /// <param name="x">[B, T, C].</param>
    /// <param name="lengths">[B] integers; null if there is nothing to hide.</param>
    /// <returns>[B, H, T, T], new; rows sum to 1.</returns>
    internal Tensor Probabilities(Tensor x, Tensor? lengths) => _attention.Probabilities(x, x, lengths, _causal);

    /// <inheritdoc/>
    public override void Begin(IncrementalState state) => state.AddPerPosition(this, Precision, _width, _width);

    /// <inheritdoc/>
    public override Tensor Step(Tensor x, IncrementalState state)
    {
        var memories = state.Of(this);
        Ops.CacheAppend(memories[0].Value, _attention.Keys(x), state.Positions);
        Ops.CacheAppend(memories[1].Value, _attention.Values(x), state.Positions);
        return _attention.Step(x, memories[0].Value, memories[1].Value, state.Counts, state.Origins, state.Beam);
    }

    /// <inheritdoc/>
    internal override Tensor? Step(Tensor x, IncrementalState state, StepRows rows)
    {
        var memories = state.Of(this);
        Ops.CacheAppend(memories[0].Value, _attention.Keys(x), state.Positions);
        Ops.CacheAppend(memories[1].Value, _attention.Values(x), state.Positions);
        return rows.Active.Count == 0 ? null : _attention.Step(rows.Of(x), memories[0].Value, memories[1].Value, rows.Counts, rows, state.Origins, state.Beam);
    }
}
