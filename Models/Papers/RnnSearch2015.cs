using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>
/// The recurrent network that searches its source: D. Bahdanau, K. Cho and Y. Bengio, "Neural machine translation by jointly learning to align and translate", ICLR 2015. Two
/// <see cref="GruCell"/>s read the source in both directions; what they show of a word side by side is its annotation h_j. A third predicts the target,
/// <code>
/// s_0 = tanh(W_s h&lt;-_1 + b),   c_i = sum_j a_ij h_j with the attention of s_{i-1},   s_i = GRU(E y_{i-1}, s_{i-1}, c_i)
/// t~ = U_o s_{i-1} + V_o E y_{i-1} + C_o c_i + b,   t_k = max(t~_{2k-1}, t~_{2k}),   p(y_i) = softmax(W_o t + b).
/// </code>
/// Attention asks with the state before the word, s_{i-1}, and so does the output; the paper's body writes s_i there, its appendix, which is followed here, s_{i-1}.
/// </summary>
/// <remarks>
/// The appendix leaves out biases to be read more easily; here they are at the cells' inputs, the attention, s_0, t~ and the output, and start at zero, as does v of the attention.
/// Recurrent matrices start orthogonal, W_a and U_a normal with deviation 0.001, all others with 0.01. There is no dropout in the paper; where it is asked for it is of the embeddings
/// and of t. fairseq's architecture "lstm" is another model: LSTM cells, and the dot product of the state after the word.
/// </remarks>
public sealed class RnnSearch2015 : Seq2SeqModel
{
    private readonly Embedding _source;
    private readonly GruCell _forward;
    private readonly GruCell _backward;
    private readonly Embedding _target;
    private readonly Linear _initial;
    private readonly AdditiveAttention _attention;
    private readonly GruCell _cell;
    private readonly Linear _maxoutState;
    private readonly Linear _maxoutEmbedding;
    private readonly Linear _maxoutContext;
    private readonly Linear _projection;

    /// <summary>Declares the parameters of a model.</summary>
    /// <param name="config">The configuration; its architecture is <see cref="Architecture.RnnSearch"/>.</param>
    /// <exception cref="ArgumentException">The configuration has problems: one line for each.</exception>
    public RnnSearch2015(ModelConfig config)
        : base(config)
    {
        CheckConfig(config, Architecture.RnnSearch);
        var start = Initializer.Normal(0.01f);
        int n = config.ModelWidth, m = config.WidthOfEmbeddings, l = config.WidthOfOutput;
        _source = Add("encoder.embed_tokens", new Embedding(config.SourceVocabulary, m, start, scale: 1));
        _forward = Add("encoder.forward", new GruCell(m, n));
        _backward = Add("encoder.backward", new GruCell(m, n));
        _target = Add("decoder.embed_tokens", new Embedding(config.TargetVocabulary, m, start, scale: 1));
        _initial = Add("decoder.initial", new Linear(n, n, initializer: start));
        _attention = Add("decoder.attention", new AdditiveAttention(n, 2 * n, config.WidthOfAlignment));
        _cell = Add("decoder.cell", new GruCell(m, n, context: 2 * n));
        _maxoutState = Add("decoder.maxout_state", new Linear(n, 2 * l, initializer: start));
        _maxoutEmbedding = Add("decoder.maxout_embedding", new Linear(m, 2 * l, bias: false, start));
        _maxoutContext = Add("decoder.maxout_context", new Linear(2 * n, 2 * l, bias: false, start));
        _projection = Add("decoder.output_projection", new Linear(l, config.TargetVocabulary, initializer: start));
        Head = Add("decoder.head", new ProjectionHead(() => _projection.Weight, () => _projection.Bias!));
    }

    /// <summary>RNNsearch for WMT14 English-French: 1,000 cells in each direction, embeddings of 620, a maxout layer of 500; 30,000 words a side in the paper.</summary>
    public static ModelConfig WmtEnFr { get; } = new()
    {
        Architecture = Architecture.RnnSearch,
        ModelWidth = 1000,
        EmbeddingWidth = 620,
        OutputWidth = 500,
        EncoderLayers = 1,
        DecoderLayers = 1,
        Dropout = 0,
    };

    /// <inheritdoc/>
    protected override OutputHead Head { get; }

    /// <summary>Reads a batch of sources.</summary>
    /// <returns>Annotations [B, S, 2 C], zeros behind the end of a source, and s_0.</returns>
    /// <inheritdoc/>
    public override EncoderOutput Encode(Tensor source, Tensor lengths, RandomSource? random = null)
    {
        CheckSources(source, lengths);
        var x = Ops.Dropout(_source.Forward(source), Config.Dropout, random);
        var (onward, _) = _forward.Forward(x, lengths);
        var (back, first) = _backward.Forward(x, lengths, reverse: true);
        return new EncoderOutput(Ops.Concat(2, onward, back), lengths) { Memories = [Ops.Tanh(_initial.Forward(first))] };
    }

    /// <inheritdoc/>
    public override Tensor Decode(Tensor previous, EncoderOutput encoded, RandomSource? random = null)
    {
        CheckPrevious(nameof(Decode), previous, encoded);
        return Decoded(previous, encoded, random).Features;
    }

    /// <summary>How much attention each position pays to the source, for alignments; no gradient.</summary>
    /// <returns>[B, 1, T, S], new: rows sum to 1, and what lies beyond a source's length is 0.</returns>
    /// <inheritdoc/>
    public override Tensor SourceAttention(Tensor previous, EncoderOutput encoded)
    {
        CheckPrevious(nameof(SourceAttention), previous, encoded);
        using var scope = TensorScope.Begin();
        using var pause = new NoGrad();
        var paid = Ops.Concat(1, Decoded(previous, encoded, random: null).Probabilities);
        return paid.Reshape([paid.Shape[0], 1, paid.Shape[1], paid.Shape[2]]).Keep();
    }

    /// <inheritdoc/>
    protected override void Fill(IncrementalState state, EncoderOutput encoded)
    {
        var (keys, mask) = _attention.Prepare(encoded.States, encoded.Lengths);
        var rows = Tensor.From(Device, [.. Enumerable.Range(0, state.Hypotheses).Select(n => n / state.Beam)]);
        state.AddPerHypothesis(this, Ops.IndexSelect(encoded.Memories[0], 0, rows));
        state.AddPerSentence(this, Ops.Scale(encoded.States, 1), keys, mask);
    }

    /// <inheritdoc/>
    protected override Tensor Step(Tensor tokens, IncrementalState state)
    {
        var memories = state.Of(this);
        var (before, y) = (memories[0].Value, _target.Forward(tokens));
        var (context, _) = _attention.Forward(before, memories[1].Value, memories[2].Value, memories[3].Value);
        var features = Maxout(before, y, context);
        memories[0].Value = _cell.Step(_cell.FromInputs(y), before, context);
        return features;
    }

    private (Tensor Features, Tensor[] Probabilities) Decoded(Tensor previous, EncoderOutput encoded, RandomSource? random)
    {
        if (previous.Shape[1] == 0)
            throw new ArgumentException($"RnnSearch2015: previous must be [B, T] with T at least 1, got {previous.Shape}.");
        var y = Ops.Dropout(_target.Forward(previous), Config.Dropout, random);
        var inputs = TimeSteps.Of(_cell.FromInputs(y));
        var (keys, mask) = _attention.Prepare(encoded.States, encoded.Lengths);
        var state = encoded.Memories[0];
        Tensor[] states = new Tensor[inputs.Length], contexts = new Tensor[inputs.Length], probabilities = new Tensor[inputs.Length];
        for (int t = 0; t < inputs.Length; t++)
        {
            (var context, probabilities[t]) = _attention.Forward(state, encoded.States, keys, mask);
            (states[t], contexts[t]) = (state.Reshape([state.Shape[0], 1, state.Shape[1]]), context.Reshape([state.Shape[0], 1, context.Shape[1]]));
            if (t < inputs.Length - 1)
                state = _cell.Step(inputs[t], state, context);
        }

        return (Ops.Dropout(Maxout(Ops.Concat(1, states), y, Ops.Concat(1, contexts)), Config.Dropout, random), probabilities);
    }

    // max(a, b) = b + relu(a - b).
    private Tensor Maxout(Tensor state, Tensor y, Tensor context)
    {
        var sum = Ops.Add(_maxoutState.Forward(state), Ops.Add(_maxoutEmbedding.Forward(y), _maxoutContext.Forward(context)));
        int rank = sum.Shape.Rank, width = sum.Shape[-1] / 2;
        var pairs = sum.Reshape([checked((int)(sum.Shape.Count / 2)), 2]);
        Tensor a = Ops.Slice(pairs, 1, 0, 1), b = Ops.Slice(pairs, 1, 1, 1);
        return Ops.Add(b, Ops.Relu(Ops.Subtract(a, b))).Reshape(sum.Shape.With(rank - 1, width));
    }
}
