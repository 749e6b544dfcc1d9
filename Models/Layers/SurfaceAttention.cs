using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>How the source's words come to a model's output past its encoder.</summary>
public enum SurfaceFusion
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>log p = g log softmax(l) + (1 - g) log softmax(l'): two distributions, a weighted geometric mean that is not normalised.</summary>
    Hard,

    /// <summary>log p = log softmax(l + tau l').</summary>
    Soft,
}

/// <summary>
/// The surface stream of <see cref="SurfaceFusion2021"/>. The state h_t after a layer of the decoder, the last unless <see cref="ModelConfig.SurfaceLayer"/> names another, attends to the encoder's last layer X^N and takes
/// the source's embeddings X from there; h is the decoder's last layer whatever attends:
/// <code>r_t = MHA(query sg(h_t), keys sg(X^N), values X),  h' = U F(h),  r' = V F(r),  F(z) = z + dropout(W_2 dropout(relu(W_1 z + b_1)) + b_2)</code>
/// where sg stops gradients and F, of inner width 4 C, is one for both and may be left out. U and V, without biases, are there with <see cref="ModelConfig.SurfaceLinear"/> alone. X are the scaled embeddings without positions, with the very units dropped that the
/// encoder's input has dropped. The decoder gives [h', r'] for <see cref="SurfaceHead"/>, or h' + tau r' for soft fusion, which is all that it takes: both streams have one projection.
/// Parameters: <c>attention</c>, <c>feed_forward</c> with F, <c>state_linear</c> and <c>surface_linear</c> with U and V.
/// </summary>
public sealed class SurfaceAttention : Module
{
    private readonly MultiHeadAttention _attention;
    private readonly FeedForward? _feedForward;
    private readonly Linear? _ofStates;
    private readonly Linear? _ofSurface;
    private readonly float _dropout;
    private readonly float? _scale;

    /// <summary>Declares the parameters.</summary>
    /// <param name="config">Width, kind of fusion, its heads and dropout.</param>
    public SurfaceAttention(ModelConfig config)
    {
        _attention = Add("attention", new MultiHeadAttention(config.ModelWidth, config.SurfaceAttentionHeads, config.AttentionDropout, sourceWidth: config.WidthOfEncoder));
        if (config.SurfaceFeedForward)
            _feedForward = Add("feed_forward", new FeedForward(config.ModelWidth, 4 * config.ModelWidth, config.ActivationDropout));
        if (config.SurfaceLinear)
        {
            _ofStates = Add("state_linear", new Linear(config.ModelWidth, config.ModelWidth, bias: false));
            _ofSurface = Add("surface_linear", new Linear(config.ModelWidth, config.ModelWidth, bias: false));
        }

        _dropout = config.Dropout;
        _scale = config.SurfaceFusion == SurfaceFusion.Soft ? config.SurfaceScale : null;
    }

    /// <summary>Adds the stream to whole sequences.</summary>
    /// <param name="query">[B, T, C], what attends: a layer of the decoder, before a last layer norm.</param>
    /// <param name="states">[B, T, C], the decoder's last layer, behind that norm.</param>
    /// <param name="encoded">The source, with its surface.</param>
    /// <param name="random">Draws the dropout masks; null for evaluation.</param>
    /// <returns>[B, T, 2 C], or [B, T, C] for soft fusion; new.</returns>
    public Tensor Forward(Tensor query, Tensor states, EncoderOutput encoded, RandomSource? random)
        => Join(states, _attention.Forward(query.Detach(), encoded.States.Detach(), encoded.Surface!, encoded.Lengths, causal: false, random), random);

    /// <summary>Prepares a decoding.</summary>
    /// <param name="state">The decoding's memory.</param>
    /// <param name="encoded">The source, with its surface.</param>
    public void Begin(IncrementalState state, EncoderOutput encoded) => state.AddPerSentence(this, _attention.Keys(encoded.States), _attention.Values(encoded.Surface!));

    /// <summary>Adds the stream to one more position.</summary>
    /// <param name="query">[N, C], what attends: a layer of the decoder, before a last layer norm.</param>
    /// <param name="states">[N, C], the decoder's last layer, behind that norm.</param>
    /// <param name="state">The decoding's memory.</param>
    /// <returns>[N, 2 C], or [N, C] for soft fusion; new.</returns>
    public Tensor Step(Tensor query, Tensor states, IncrementalState state)
    {
        var source = state.Of(this);
        return Join(states, _attention.Step(query, source[0].Value, source[1].Value, state.SourceLengths), random: null);
    }

    private Tensor Join(Tensor states, Tensor surface, RandomSource? random)
    {
        var (h, r) = (Feed(states, random), Feed(surface, random));
        (h, r) = (_ofStates?.Forward(h) ?? h, _ofSurface?.Forward(r) ?? r);
        return _scale is { } scale ? Ops.Add(h, scale == 1 ? r : Ops.Scale(r, scale)) : Ops.Concat(h.Shape.Rank - 1, h, r);
    }

    private Tensor Feed(Tensor z, RandomSource? random)
        => _feedForward is null ? z : Ops.Add(z, Ops.Dropout(_feedForward.Forward(z, random), _dropout, random));
}

/// <summary>
/// Hard fusion: with l = h' E^T and l' = r' E^T, log p = g log softmax(l) + (1 - g) log softmax(l'). With a constant g the cross-entropy is g times that of l and 1 - g times that of
/// l'. The probabilities do not sum to 1: perplexities are no measure across models. Parameter with a learned gate: <c>gate.weight</c> [1, 2 C], g = sigmoid(w [h'; r']), normal with
/// standard deviation C^-0.5. With <see cref="ModelConfig.OutputLinear"/> both streams pass its one matrix before E; the gate reads them as they come.
/// </summary>
public sealed class SurfaceHead : OutputHead
{
    private readonly Func<Tensor> _table;
    private readonly Linear? _first;
    private readonly int _width;
    private readonly float _constant;
    private readonly Linear? _gate;

    /// <summary>Declares the parameters.</summary>
    /// <param name="config">Width, and the gate; 0 for a learned one.</param>
    /// <param name="table">Gives E, [V, C].</param>
    /// <param name="first">What both streams pass before E, which another module declares; null for nothing.</param>
    public SurfaceHead(ModelConfig config, Func<Tensor> table, Linear? first = null)
    {
        (_table, _first, _width, _constant) = (table, first, config.ModelWidth, config.SurfaceGate);
        if (_constant == 0)
            _gate = Add("gate", new Linear(2 * _width, 1, bias: false, Initializer.Normal(MathF.Pow(_width, -0.5f))));
    }

    /// <inheritdoc/>
    public override bool GivesLogProbabilities => true;

    /// <inheritdoc/>
    public override Tensor Logits(Tensor features)
    {
        var (own, surface) = (LogProbabilities(features, 0), LogProbabilities(features, 1));
        if (_gate is null)
            return Ops.Add(Ops.Scale(own, _constant), Ops.Scale(surface, 1 - _constant));
        var gate = Ops.Convert(Ops.Sigmoid(_gate.Forward(features)), DType.Float32);
        return Ops.Add(surface, Ops.Multiply(Ops.Subtract(own, surface), gate));
    }

    /// <inheritdoc/>
    public override (Tensor Loss, Tensor NegativeLogLikelihood) CrossEntropy(Tensor features, Tensor target, float smoothing, LabelSmoothing form)
    {
        if (_gate is not null)
            return Ops.NegativeLogLikelihood(Logits(features), target, smoothing, Vocabulary.Pad, form);
        var (own, ownNll) = Ops.CrossEntropy(Part(features, 0), _table(), target, smoothing, Vocabulary.Pad, form);
        var (surface, surfaceNll) = Ops.CrossEntropy(Part(features, 1), _table(), target, smoothing, Vocabulary.Pad, form);
        return (Mixed(own, surface), Mixed(ownNll, surfaceNll));

        Tensor Mixed(Tensor a, Tensor b) => Ops.Add(Ops.Scale(a, _constant), Ops.Scale(b, 1 - _constant));
    }

    private Tensor LogProbabilities(Tensor features, int part) => Ops.LogSoftmax(Ops.Linear(Part(features, part), _table(), result: DType.Float32));

    private Tensor Part(Tensor features, int part)
    {
        var own = Ops.Slice(features, features.Shape.Rank - 1, part * _width, _width);
        return _first?.Forward(own) ?? own;
    }
}
