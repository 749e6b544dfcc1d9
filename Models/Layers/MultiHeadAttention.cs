using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>
/// Scaled dot-product attention over H heads, each of D = C / H channels (Vaswani et al. 2017, section 3.2):
/// <code>y = [softmax(q_h k_h^T / sqrt(D)) v_h for each head h] W_out^T + b_out,  q = x W_q^T + b_q,  k and v likewise of the source.</code>
/// Parameters: <c>k_proj</c>, <c>v_proj</c>, <c>q_proj</c> (weights [C, C], Xavier-uniform with gain 1/sqrt(2)) and <c>out_proj</c> (gain 1), all with biases. A source of another
/// width C' has <c>k_proj</c> and <c>v_proj</c> [C, C'], and then all three have gain 1, as in fairseq.
/// </summary>
public sealed class MultiHeadAttention : Module
{
    private readonly int _heads;
    private readonly float _dropout;
    private readonly int _window;
    private readonly Linear _key;
    private readonly Linear _value;
    private readonly Linear _query;
    private readonly Linear _output;

    /// <summary>Declares the parameters.</summary>
    /// <param name="width">C, channels.</param>
    /// <param name="heads">H; divides C.</param>
    /// <param name="dropout">Probability of dropping an attention weight while training.</param>
    /// <param name="window">How many keys a query sees at most, as in <see cref="Ops.Attention"/>; 0 for all.</param>
    /// <param name="sourceWidth">C', channels of what is attended to; 0 for C.</param>
    public MultiHeadAttention(int width, int heads, float dropout, int window = 0, int sourceWidth = 0)
    {
        if (sourceWidth == 0)
            sourceWidth = width;
        _window = window;
        _heads = heads;
        _dropout = dropout;
        var initializer = Initializer.XavierUniform(sourceWidth == width ? 1 / MathF.Sqrt(2) : 1);
        _key = Add("k_proj", new Linear(sourceWidth, width, initializer: initializer));
        _value = Add("v_proj", new Linear(sourceWidth, width, initializer: initializer));
        _query = Add("q_proj", new Linear(width, width, initializer: initializer));
        _output = Add("out_proj", new Linear(width, width));
    }

    /// <summary>Attends from every position of <paramref name="x"/> to the source.</summary>
    /// <param name="x">[B, T, C].</param>
    /// <param name="source">[B, S, C']; <paramref name="x"/> itself for self-attention.</param>
    /// <param name="lengths">[B] integers, tokens of each source; all S when null.</param>
    /// <param name="causal">Whether position t sees only positions up to t.</param>
    /// <param name="random">Draws the dropout mask; null for evaluation.</param>
    /// <returns>[B, T, C], new.</returns>
    public Tensor Forward(Tensor x, Tensor source, Tensor? lengths, bool causal, RandomSource? random) => Forward(x, source, source, lengths, causal, random);

    /// <summary>Attends to one source and takes the values of another.</summary>
    /// <param name="x">[B, T, C].</param>
    /// <param name="keys">[B, S, C'], what is attended to.</param>
    /// <param name="values">[B, S, C'], what is taken.</param>
    /// <param name="lengths">[B] integers, tokens of each source; all S when null.</param>
    /// <param name="causal">Whether position t sees only positions up to t.</param>
    /// <param name="random">Draws the dropout mask; null for evaluation.</param>
    /// <returns>[B, T, C], new.</returns>
    public Tensor Forward(Tensor x, Tensor keys, Tensor values, Tensor? lengths, bool causal, RandomSource? random)
        => _output.Forward(Ops.Attention(_query.Forward(x), Keys(keys), Values(values), _heads, lengths, causal, _dropout, random, window: _window));

    /// <summary>The weights with which <see cref="Forward(Tensor, Tensor, Tensor?, bool, RandomSource?)"/> averages the values, for study; no gradient.</summary>
    /// <returns>[B, H, T, S], new; rows sum to 1.</returns>
    /// <inheritdoc cref="Forward(Tensor, Tensor, Tensor?, bool, RandomSource?)"/>
    public Tensor Probabilities(Tensor x, Tensor source, Tensor? lengths, bool causal)
        => Ops.AttentionProbabilities(_query.Forward(x), Keys(source), _heads, lengths, causal, window: _window);

    /// <summary>The keys of a source.</summary>
    /// <param name="source">[..., C'].</param>
    /// <returns>[..., C], new.</returns>
    public Tensor Keys(Tensor source) => _key.Forward(source);

    /// <summary>The values of a source.</summary>
    /// <param name="source">[..., C'].</param>
    /// <returns>[..., C], new.</returns>
    public Tensor Values(Tensor source) => _value.Forward(source);

    /// <summary>Attends from one position of each hypothesis to remembered keys and values; no gradient.</summary>
    /// <param name="x">[N, C].</param>
    /// <param name="keys">[M, S, C]; N is a multiple of M, row n looks at keys n / (N / M).</param>
    /// <param name="values">[M, S, C].</param>
    /// <param name="lengths">[M] integers, how many of the S positions exist.</param>
    /// <param name="origins">[N, S] integers below the beam, in which of its rows the places of each hypothesis lie, where N = M; null for its own.</param>
    /// <param name="beam">Hypotheses of a beam, for origins.</param>
    /// <returns>[N, C], new.</returns>
    public Tensor Step(Tensor x, Tensor keys, Tensor values, Tensor lengths, Tensor? origins = null, int beam = 1)
        => _output.Forward(Ops.AttentionStep(_query.Forward(x), keys, values, _heads, lengths, window: _window, origins: origins, beam: beam));

    /// <summary>The same from some of the hypotheses.</summary>
    /// <param name="x">[A, C].</param>
    /// <param name="keys">[M, S, C].</param>
    /// <param name="values">[M, S, C].</param>
    /// <param name="lengths">[M] integers, 0 where nobody looks.</param>
    /// <param name="rows">Which they are.</param>
    /// <param name="origins">[N, S] integers below the beam, in which of its rows the places of each hypothesis lie, where N = M; null for its own.</param>
    /// <param name="beam">Hypotheses of a beam, for origins.</param>
    /// <returns>[A, C], new.</returns>
    internal Tensor Step(Tensor x, Tensor keys, Tensor values, Tensor lengths, StepRows rows, Tensor? origins = null, int beam = 1)
        => _output.Forward(rows.Of(Ops.AttentionStep(rows.Spread(_query.Forward(x)), keys, values, _heads, lengths, window: _window, origins: origins, beam: beam)));
}
