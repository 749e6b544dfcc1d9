using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>
/// Token embeddings plus positions, a stack of causal layers that also see the source where there is one, for pre-norm models a last layer norm, and the projection to the
/// vocabulary.
/// </summary>
public sealed partial class Decoder : Module
{
    private readonly ModelConfig _config;
    private readonly Embedding? _tokens;
    private readonly AdaptiveEmbedding? _adaptiveTokens;
    private readonly SinusoidalPositions _positions;
    private readonly LayerStack<DecoderLayer> _layers;
    private readonly LayerNorm? _norm;
    private readonly Linear? _projection;
    private readonly SurfaceAttention? _surface;
    private readonly StepEmbedding? _steps;
    private readonly AdaptiveComputation? _halting;

    /// <summary>Declares the parameters.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="layer">Makes the layer of each index.</param>
    /// <param name="shared">The embeddings to share with the encoder, which declares them; null for a table of its own.</param>
    public Decoder(ModelConfig config, Func<int, DecoderLayer> layer, Embedding? shared)
    {
        _config = config;
        if (config.AdaptiveInputCutoffs.Count > 0)
            _adaptiveTokens = Add("embed_tokens", new AdaptiveEmbedding(config.InputBands, config.ModelWidth));
        else
            _tokens = shared ?? Add("embed_tokens", new Embedding(config.TargetVocabulary, config.ModelWidth));
        _positions = Add("embed_positions", new SinusoidalPositions(config.ModelWidth));
        _layers = new LayerStack<DecoderLayer>(config.DecoderLayers, i => Add($"layers.{i}", layer(i)), config.DecoderPath, config.DecoderLayerDrop);
        if (config.HasDecoderNorm)
            _norm = Add("layer_norm", new LayerNorm(config.ModelWidth));
        if (config is { ShareEmbeddings: EmbeddingSharing.None, AdaptiveSoftmaxCutoffs.Count: 0 })
            _projection = Add("output_projection", ExitClassifiers.Projection(config));

        if (config.StepSignal != StepSignal.None)
            _steps = Add("step_signal", new StepEmbedding(config.StepSignal, config.DecoderDepth, config.ModelWidth));
        if (config.Halting != Halting.None)
            _halting = Add("halting", new AdaptiveComputation(config.ModelWidth, config.HaltingEpsilon));
        if (config.EncoderFusion != EncoderFusion.None)
            LayerAttention = Add("layer_attention", new LayerAttention(config));
        if (config.SurfaceFusion != SurfaceFusion.None)
            _surface = Add("surface", new SurfaceAttention(config));
        if (config.ExitPredictor != ExitPredictor.None)
            Exits = Add("exits", new ExitHead(config));
        var first = config.OutputLinear ? Add("output_linear", new Linear(config.ModelWidth, config.ModelWidth, bias: false)) : null;
        Head = config.AdaptiveSoftmaxCutoffs.Count > 0 ? Behind(first, Add("adaptive_softmax", new AdaptiveHead(config, _adaptiveTokens)))
            : config.SurfaceFusion == SurfaceFusion.Hard ? Add("head", new SurfaceHead(config, () => OutputWeight, first))
            : Behind(first, Add("head", new ProjectionHead(() => OutputWeight)));

        Classifiers = Add("exit_classifiers", new ExitClassifiers(config, _norm, Head));
    }

    private static OutputHead Behind(Linear? first, OutputHead head) => first is null ? head : new LinearHead(first, head);

    /// <summary>[V, C], the projection to the vocabulary.</summary>
    /// <exception cref="InvalidOperationException">The softmax is adaptive: there is none.</exception>
    public Tensor OutputWeight => _projection?.Weight ?? (_config.AdaptiveSoftmaxCutoffs.Count > 0 ? throw new InvalidOperationException("Decoder: an adaptive softmax has no one table.") : _tokens!.Weight);

    /// <summary>Whether backward computes what is within a layer anew.</summary>
    internal bool GradientCheckpointing
    {
        get => _layers.Recomputes;
        set => _layers.Recomputes = value;
    }

    /// <summary>What turns the decoder's features into probabilities: those of the last depth.</summary>
    public OutputHead Head { get; }

    /// <summary>The same for each depth.</summary>
    public ExitClassifiers Classifiers { get; }

    /// <summary>What predicts at which depth positions leave; null where nothing was taught to.</summary>
    public ExitHead? Exits { get; }

    /// <summary>The layers in the order in which they are applied; one may come several times.</summary>
    internal IReadOnlyList<DecoderLayer> Path => _layers.Path;

    /// <summary>The layer norm behind the last layer; null where there is none.</summary>
    internal LayerNorm? Norm => _norm;

    /// <summary>What the layers see of the encoder's; null where they see the last alone.</summary>
    public LayerAttention? LayerAttention { get; }

    /// <summary>The features from which each position's next token is predicted.</summary>
    /// <param name="previous">[B, T] integers: the target shifted right.</param>
    /// <param name="encoded">The source; null for a language model.</param>
    /// <param name="random">Draws the dropout masks; null for evaluation.</param>
    /// <returns>[B, T, F], what <see cref="Head"/> takes, new; F is C but with hard surface fusion. Position t depends on tokens up to t alone.</returns>
    public Tensor Forward(Tensor previous, EncoderOutput? encoded, RandomSource? random) => ForwardPondering(previous, encoded, random).Features;

    /// <summary>The same before somebody's eyes, who sees every layer: none is dropped then.</summary>
    internal Tensor Forward(Tensor previous, EncoderOutput? encoded, RandomSource? random, LayerObserver? observer) => ForwardPondering(previous, encoded, random, observer).Features;

    /// <summary>The same, and how long each position was pondered over.</summary>
    /// <param name="previous">[B, T] integers: the target shifted right.</param>
    /// <param name="encoded">The source; null for a language model.</param>
    /// <param name="random">Draws the dropout masks; null for evaluation.</param>
    /// <returns>[B, T, F], and [B, T] float32, N + R, null for a model without <see cref="Halting"/>; new.</returns>
    public (Tensor Features, Tensor? Ponder) ForwardPondering(Tensor previous, EncoderOutput? encoded, RandomSource? random) => ForwardPondering(previous, encoded, random, observer: null);

    private (Tensor Features, Tensor? Ponder) ForwardPondering(Tensor previous, EncoderOutput? encoded, RandomSource? random, LayerObserver? observer)
    {
        var (x, positions) = Embedded(previous, random);
        observer?.Begins(LayerSide.Decoder, x);
        var halting = _halting?.Begin(previous.Shape);
        var seen = LayerAttention is null ? null : Seen(encoded!, random);
        var query = _config.SurfaceLayer > 0 ? x : null;
        foreach (var (place, layer) in _layers.Drawn(observer is null ? random : null))
        {
            var y = _layers.Apply(Signalled(x, place, positions), random, (z, r) => layer.Forward(z, seen?[place] ?? encoded, r, observer));
            x = halting?.Advance(x, y, last: place == _layers.Path.Count - 1) ?? y;
            observer?.Ends(x);
            if (place < _config.SurfaceLayer)
                query = x;
        }

        x = halting?.Mean ?? x;
        return (Finished(query ?? x, _norm?.Forward(x) ?? x, encoded, random), halting?.Ponder);
    }

    /// <summary>The features of every depth: what <see cref="Forward(Tensor, EncoderOutput?, RandomSource?)"/> would give if the layers ended there.</summary>
    /// <param name="previous">[B, T] integers: the target shifted right.</param>
    /// <param name="encoded">The source; null for a language model.</param>
    /// <param name="random">Draws the dropout masks; null for evaluation.</param>
    /// <returns>For each depth from 1 on [B, T, F], new, which its head of <see cref="Classifiers"/> takes, and what its layer gave, [B, T, C]. Gradients on their way down through the layers are scaled as the configuration says; the loss of each depth is scaled by who computes it.</returns>
    public (IReadOnlyList<Tensor> Features, IReadOnlyList<Tensor> States) ForwardExits(Tensor previous, EncoderOutput? encoded, RandomSource? random)
    {
        var (x, positions) = Embedded(previous, random);
        var seen = encoded is null ? null : Seen(encoded, random);
        Tensor[] exits = new Tensor[_layers.Path.Count], states = new Tensor[exits.Length];
        for (int n = 1; n <= exits.Length; n++)
        {
            states[n - 1] = x = Layer(n - 1, Signalled(x, n - 1, positions), seen?[n - 1], random);
            exits[n - 1] = Finished(n > _config.SurfaceLayer && _config.SurfaceLayer > 0 ? states[_config.SurfaceLayer - 1] : x, Classifiers.Normalized(x, n), encoded, random);
            if (n < exits.Length)
                x = DepthAdaptive2020.Scaled(x, 1 / DepthAdaptive2020.GradientScale(_config, n + 1));
        }

        return (exits, states);
    }

    /// <summary>The features where each position leaves the layers at a depth of its own: beyond it, its state is passed on as it is, and later positions see it so.</summary>
    /// <param name="previous">[B, T] integers: the target shifted right.</param>
    /// <param name="encoded">The source; null for a language model.</param>
    /// <param name="depths">[B * T], 1 or more.</param>
    /// <param name="random">Draws the dropout masks; null for evaluation.</param>
    /// <returns>[B, T, F], new.</returns>
    public Tensor ForwardMixed(Tensor previous, EncoderOutput? encoded, ReadOnlySpan<int> depths, RandomSource? random)
    {
        var (x, positions) = Embedded(previous, random);
        var seen = encoded is null ? null : Seen(encoded, random);
        Tensor? query = null;
        for (int n = 1; n <= _layers.Path.Count; n++)
        {
            var y = Layer(n - 1, Signalled(x, n - 1, positions), seen?[n - 1], random);
            if (n > 1)
            {
                // Of the two one is multiplied by 0, so that the other is not rounded.
                float[] passes = new float[depths.Length], stays = new float[depths.Length];
                for (int i = 0; i < passes.Length; i++)
                    (passes[i], stays[i]) = depths[i] >= n ? (1f, 0f) : (0f, 1f);
                y = Ops.Add(Ops.Multiply(x, Mask(stays)), Ops.Multiply(y, Mask(passes)));
            }

            x = y;
            if (n <= _config.SurfaceLayer)
                query = x;
        }

        return Finished(query ?? x, Classifiers.Normalized(x.Reshape([depths.Length, x.Shape[2]]), depths).Reshape(x.Shape), encoded, random);

        Tensor Mask(float[] values)
        {
            var mask = Tensor.From(x.Device, values, [x.Shape[0], x.Shape[1], 1]);
            return x.DType == DType.Float32 ? mask : Ops.Convert(mask, x.DType);
        }
    }

    /// <summary>A layer's states as the last one's leave the decoder: through its last layer norm, where it has one, which gets no gradient.</summary>
    /// <param name="x">[..., C].</param>
    internal Tensor Normalized(Tensor x) => _norm?.ForwardFrozen(x) ?? x;

    /// <summary>What a layer of the path gives with a part of it left out; no gradient.</summary>
    /// <param name="place">Its place, from 0.</param>
    /// <param name="x">[B, T, C], what enters it.</param>
    /// <param name="encoded">The source.</param>
    /// <param name="without">The part whose output counts as zero.</param>
    /// <returns>[B, T, C], new.</returns>
    internal Tensor ForwardWithout(int place, Tensor x, EncoderOutput encoded, LayerPart without)
    {
        using var pause = new NoGrad();
        return _layers.Path[place].Forward(x, Seen(encoded, random: null)[place], random: null, observer: null, without);
    }

    /// <summary>How much attention the last layer pays to the source; no gradient.</summary>
    /// <param name="previous">[B, T] integers: the target shifted right.</param>
    /// <param name="encoded">The source.</param>
    /// <returns>[B, H, T, S], new.</returns>
    public Tensor SourceAttention(Tensor previous, EncoderOutput encoded)
    {
        using var scope = TensorScope.Begin();
        using var pause = new NoGrad();
        var (x, positions) = Embedded(previous, random: null);
        var seen = Seen(encoded, random: null);
        var halting = _halting?.Begin(previous.Shape);
        int last = _layers.Path.Count - 1;
        for (int i = 0; i < last; i++)
        {
            var y = _layers.Path[i].Forward(Signalled(x, i, positions), seen[i], random: null);
            x = halting?.Advance(x, y, last: false) ?? y;
        }

        return _layers.Path[last].SourceAttention(Signalled(x, last, positions), seen[last]).Keep();
    }

    /// <summary>What enters the first layer, and what each layer sees of the source; no dropout.</summary>
    /// <param name="previous">[B, T] integers: the target shifted right.</param>
    /// <param name="encoded">The source; null for a language model, whose layers see none.</param>
    internal (Tensor States, IReadOnlyList<EncoderOutput>? Seen) Enter(Tensor previous, EncoderOutput? encoded)
        => (Embedded(previous, random: null).X, encoded is null ? null : Seen(encoded, random: null));

    private Tensor Tokens(Tensor tokens) => _adaptiveTokens?.Forward(tokens) ?? _tokens!.Forward(tokens);

    private Tensor Layer(int place, Tensor x, EncoderOutput? encoded, RandomSource? random)
        => _layers.Apply(x, random, (z, r) => _layers.Path[place].Forward(z, encoded, r));

    /// <summary>What the first layer reads, and the positions alone.</summary>
    internal (Tensor X, Tensor Positions) Embedded(Tensor previous, RandomSource? random)
    {
        var (x, positions) = (Tokens(previous), _positions.Forward(0, previous.Shape[1]));
        return (Ops.Dropout(_steps is null ? Ops.Add(x, positions) : x, _config.Dropout, random), positions);
    }

    // What a place of the path takes for its input: where steps are told apart, positions are too, at each of them anew.
    private Tensor Signalled(Tensor x, int place, Tensor positions) => _steps is null ? x : Ops.Add(x, Ops.Add(positions, _steps.At(place)));

    private Tensor Finished(Tensor x, Tensor states, EncoderOutput? encoded, RandomSource? random) => _surface?.Forward(x, states, encoded!, random) ?? states;

    // What each layer of the path takes for the source.
    private IReadOnlyList<EncoderOutput> Seen(EncoderOutput encoded, RandomSource? random) => LayerAttention is null
        ? [.. Enumerable.Repeat(encoded, _layers.Path.Count)]
        : [.. LayerAttention.Forward(encoded.Layers, random).Select(s => encoded with { States = s })];
}
