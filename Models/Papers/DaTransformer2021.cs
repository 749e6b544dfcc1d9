using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>Sizes of a <see cref="DaTransformer2021"/>.</summary>
public sealed record DaTransformerOptions
{
    /// <summary>V, tokens; texts hold ids from 0 to V - 1, none of them <see cref="Vocabulary.Pad"/>.</summary>
    public required int Vocabulary { get; init; }

    /// <summary>Classes of texts.</summary>
    public required int Classes { get; init; }

    /// <summary>C, channels.</summary>
    public int Width { get; init; } = 32;

    /// <summary>H, which divides C.</summary>
    public int Heads { get; init; } = 4;

    /// <summary>Layers.</summary>
    public int Layers { get; init; } = 1;

    /// <summary>F, channels within a feed-forward block.</summary>
    public int FeedForwardWidth { get; init; } = 64;

    /// <summary>Dropout of what attention and the feed-forward block give, before each is added to its input; nothing else is dropped.</summary>
    public float Dropout { get; init; }

    /// <summary>Whether layers attend by distance, or, for comparison, as in a plain transformer.</summary>
    public bool DistanceAware { get; init; } = true;

    /// <summary>Whether sinusoidal positions are added to the embeddings. Distances have no direction: without positions order is lost.</summary>
    public bool Positions { get; init; } = true;
}

/// <summary>
/// DA-Transformer: C. Wu, F. Wu and Y. Huang, "DA-Transformer: distance-aware Transformer", NAACL 2021. A text classifier of post-norm layers whose attention scores are multiplied by a
/// learned function of the distance (<see cref="DistanceAttention"/>), or of plain ones. A text is the mean of its positions' states weighted by a learned query,
/// a = softmax(u . x), and its classes' logits a linear map of that.
/// </summary>
public sealed class DaTransformer2021 : Module
{
    private readonly Embedding _embedding;
    private readonly SinusoidalPositions? _positions;
    private readonly Layer[] _layers;
    private readonly Linear _pool;
    private readonly Linear _classes;
    private readonly int _vocabulary;

    /// <summary>Declares the parameters.</summary>
    /// <param name="options">Sizes and kind.</param>
    /// <exception cref="ArgumentException">The heads do not divide the channels.</exception>
    public DaTransformer2021(DaTransformerOptions options)
    {
        _vocabulary = options.Vocabulary;
        _embedding = Add("embedding", new Embedding(options.Vocabulary, options.Width));
        if (options.Positions)
            _positions = Add("positions", new SinusoidalPositions(options.Width));
        _layers = [.. Enumerable.Range(0, options.Layers).Select(i => Add($"layers.{i}", new Layer(options)))];
        _pool = Add("pool", new Linear(options.Width, 1, bias: false));
        _classes = Add("classes", new Linear(options.Width, options.Classes));
    }

    /// <summary>Scores of the classes.</summary>
    /// <param name="texts">Tokens, one or more in each.</param>
    /// <param name="random">Draws the dropout masks; null for evaluation.</param>
    /// <returns>[B, classes], new.</returns>
    /// <exception cref="ArgumentException">A text is empty, or a token is padding or not in the vocabulary.</exception>
    public Tensor Logits(IReadOnlyList<IReadOnlyList<int>> texts, RandomSource? random = null)
    {
        foreach (int token in texts.SelectMany(t => t))
        {
            if (token == Vocabulary.Pad || (uint)token >= (uint)_vocabulary)
                throw new ArgumentException($"DaTransformer2021: tokens must be in 0 .. {_vocabulary - 1} and not the padding {Vocabulary.Pad}, got {token}.");
        }

        var batch = new TokenBatch(Device, texts);
        var x = _embedding.Forward(batch.Tokens);
        if (_positions is not null)
            x = Ops.Add(x, _positions.Forward(0, batch.Length));
        foreach (var layer in _layers)
            x = layer.Forward(x, batch, random);
        var weights = Ops.Softmax(Ops.MaskedFill(_pool.Forward(x).Reshape([batch.Count, 1, batch.Length]), batch.Padding.Reshape([batch.Count, 1, batch.Length]), float.NegativeInfinity));
        return _classes.Forward(Ops.MatMul(weights, x).Reshape([batch.Count, x.Shape[2]]));
    }

    /// <summary>The mean cross-entropy, in nats.</summary>
    /// <param name="texts">Tokens, one or more in each.</param>
    /// <param name="classes">The class of each.</param>
    /// <param name="random">Draws the dropout masks; null for evaluation.</param>
    /// <returns>[], new.</returns>
    public Tensor Loss(IReadOnlyList<IReadOnlyList<int>> texts, IReadOnlyList<int> classes, RandomSource? random = null)
        => PaperLosses.CrossEntropy(Logits(texts, random), classes);

    /// <summary>The most probable class of each text.</summary>
    /// <param name="texts">Tokens, one or more in each.</param>
    public int[] Classify(IReadOnlyList<IReadOnlyList<int>> texts)
    {
        using var pause = new NoGrad();
        return PaperLosses.InBatches(texts, part => Ops.ArgMax(Logits(part)).ToIntArray());
    }

    private sealed class Layer : Module
    {
        private readonly DistanceAttention? _distance;
        private readonly MultiHeadAttention? _plain;
        private readonly Residual _attentionResidual;
        private readonly FeedForward _feedForward;
        private readonly Residual _finalResidual;

        public Layer(DaTransformerOptions options)
        {
            if (options.DistanceAware)
                _distance = Add("attention", new DistanceAttention(options.Width, options.Heads));
            else
                _plain = Add("attention", new MultiHeadAttention(options.Width, options.Heads, dropout: 0));
            _attentionResidual = Add("attention_norm", new Residual(options.Width, preNorm: false, options.Dropout));
            _feedForward = Add("feed_forward", new FeedForward(options.Width, options.FeedForwardWidth, dropout: 0));
            _finalResidual = Add("final_norm", new Residual(options.Width, preNorm: false, options.Dropout));
        }

        public Tensor Forward(Tensor x, TokenBatch batch, RandomSource? random)
        {
            var y = _distance is not null ? _distance.Forward(x, batch.Padding, random: random) : _plain!.Forward(x, x, batch.Lengths, causal: false, random);
            x = _attentionResidual.After(x, y, random);
            return _finalResidual.After(x, _feedForward.Forward(x, random), random);
        }
    }
}
