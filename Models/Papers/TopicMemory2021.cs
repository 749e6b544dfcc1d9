using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>How a <see cref="TopicMemory2021"/> finds the topics of a text.</summary>
public enum TopicWeights
{
    /// <summary>
    /// Method 0: with t_k = (1 / words) sum over words of Phi[word, k], keys tanh(w_s t_k + b_s) and q = tanh(W_h h + b_h), p = softmax over k of key_k . q. The published default.
    /// </summary>
    Attended,

    /// <summary>Method 1: p = softmax over k of the sum over words of Phi[word, k], not divided by their number: the longer a text, the sharper.</summary>
    Summed,

    /// <summary>Method 2: the sum of both, which sums to 2.</summary>
    Both,
}

/// <summary>A text and its class.</summary>
/// <param name="Tokens">One or more, the aspect that is judged in its place.</param>
/// <param name="Class">From 0; for sentiments 0 negative, 1 neutral, 2 positive.</param>
public sealed record ClassifiedText(IReadOnlyList<int> Tokens, int Class);

/// <summary>What one owner of data has. None of it but gradients and counts leaves it.</summary>
/// <param name="Train">Learned from.</param>
/// <param name="Dev">What the epoch is chosen by.</param>
/// <param name="Test">What is reported, once.</param>
public sealed record FederatedNode(IReadOnlyList<ClassifiedText> Train, IReadOnlyList<ClassifiedText> Dev, IReadOnlyList<ClassifiedText> Test);

/// <summary>Sizes of a <see cref="TopicMemory2021"/>.</summary>
public sealed record TopicMemoryOptions
{
    /// <summary>V, tokens.</summary>
    public required int Vocabulary { get; init; }

    /// <summary>Classes.</summary>
    public int Classes { get; init; } = 3;

    /// <summary>D, channels; even.</summary>
    public int Width { get; init; } = 32;

    /// <summary>How topics are found.</summary>
    public TopicWeights Weights { get; init; }

    /// <summary>Dropout of the encoded text.</summary>
    public float Dropout { get; init; }
}

/// <summary>
/// The model of federated learning with topic memories: H. Qin, G. Chen, Y. Tian and Y. Song, "Improving federated learning for aspect-based sentiment analysis via topic memories",
/// EMNLP 2021. A text is encoded as h, a memory of topics is read and added,
/// <code>o = sum over k of p_k (W_v U_k + b_v),   logits = W_c (h + o) + b_c</code>
/// with learned values U [Kt, D] and weights p of <see cref="TopicWeights"/> from a fixed word-topic matrix. h is the mean of word embeddings where the paper has BERT's pooled state.
/// Parameters: <c>embedding</c>, <c>key</c> (w_s, b_s: a linear map of one number to D channels), <c>query</c>, <c>values</c> U, <c>value</c> (W_v, b_v) and <c>classes</c>; without a
/// memory the first and the last alone.
/// </summary>
public sealed class TopicMemory2021 : Module
{
    private readonly TopicMemoryOptions _options;
    private readonly WordTopics? _topics;
    private readonly Embedding _embedding;
    private readonly Linear _classes;
    private readonly Linear? _key;
    private readonly Linear? _query;
    private readonly Linear? _value;
    private readonly Parameter? _values;

    /// <summary>Declares the parameters.</summary>
    /// <param name="options">Sizes and method.</param>
    /// <param name="topics">The word-topic matrix, which is never trained; null for a model without a memory.</param>
    /// <exception cref="ArgumentException">The vocabularies differ.</exception>
    public TopicMemory2021(TopicMemoryOptions options, WordTopics? topics)
    {
        (_options, _topics) = (options, topics);
        _embedding = Add("embedding", new Embedding(options.Vocabulary, options.Width));
        if (topics is not null)
        {
            if (topics.Vocabulary != options.Vocabulary)
                throw new ArgumentException($"TopicMemory2021: the vocabularies of model and topics must be the same, got {options.Vocabulary} and {topics.Vocabulary}.");
            _key = Add("key", new Linear(1, options.Width));
            _query = Add("query", new Linear(options.Width, options.Width));
            _values = Declare("values", [topics.Topics, options.Width], Initializer.XavierUniform());
            _value = Add("value", new Linear(options.Width, options.Width));
        }

        _classes = Add("classes", new Linear(options.Width, options.Classes));
    }

    /// <summary>Scores of the classes.</summary>
    /// <param name="texts">Tokens in 0 .. V - 1, one or more in each.</param>
    /// <param name="random">Draws the dropout masks; null for evaluation.</param>
    /// <returns>[B, classes], new.</returns>
    public Tensor Logits(IReadOnlyList<IReadOnlyList<int>> texts, RandomSource? random = null)
    {
        var h = Encode(texts, random);
        if (_topics is not null)
            h = Ops.Add(h, Ops.MatMul(Weights(texts, h), _value!.Forward(_values!.Tensor)));
        return _classes.Forward(h);
    }

    /// <summary>The weights p of the topics.</summary>
    /// <param name="texts">Tokens, one or more in each.</param>
    /// <returns>[B, Kt], new.</returns>
    /// <exception cref="InvalidOperationException">The model has no memory.</exception>
    public Tensor TopicProbabilities(IReadOnlyList<IReadOnlyList<int>> texts) => Weights(texts, Encode(texts, random: null));

    /// <summary>The mean cross-entropy, in nats.</summary>
    /// <param name="texts">Texts with their classes.</param>
    /// <param name="random">Draws the dropout masks; null for evaluation.</param>
    /// <returns>[], new.</returns>
    public Tensor Loss(IReadOnlyList<ClassifiedText> texts, RandomSource? random = null)
        => PaperLosses.CrossEntropy(Logits([.. texts.Select(t => t.Tokens)], random), [.. texts.Select(t => t.Class)]);

    /// <summary>The most probable class of each text.</summary>
    /// <param name="texts">Tokens, one or more in each.</param>
    public int[] Classify(IReadOnlyList<IReadOnlyList<int>> texts)
    {
        using var pause = new NoGrad();
        return PaperLosses.InBatches(texts, part => Ops.ArgMax(Logits(part)).ToIntArray());
    }

    /// <summary>The macro-F1 of texts.</summary>
    /// <param name="texts">Texts with their classes.</param>
    public double MacroF1(IReadOnlyList<ClassifiedText> texts) => ClassScores.MacroF1(Classify([.. texts.Select(t => t.Tokens)]), [.. texts.Select(t => t.Class)]);

    /// <summary>
    /// Trains on data that stay where they are. At each step every node draws a batch of its own (each text once before any comes again) and differentiates its loss divided by the number
    /// of nodes; the gradients are summed, clipped together and make one update on the server, whose parameters all nodes have at the next step. With one node it is plain training.
    /// An epoch has as many steps as the largest node has batches. The epoch whose mean macro-F1 over the nodes' dev texts is best is kept: never by test texts.
    /// </summary>
    /// <param name="nodes">One or more.</param>
    /// <param name="options">Rate, clipping (1 in the paper's code) and seed; its updates are the most that are made.</param>
    /// <param name="batchSize">Texts of a node's batch.</param>
    /// <returns>The mean macro-F1 on the dev texts, epoch by epoch.</returns>
    /// <exception cref="ArgumentException">There is no node, or one has nothing to train on or nothing to choose by.</exception>
    public IReadOnlyList<double> Train(IReadOnlyList<FederatedNode> nodes, FitOptions options, int batchSize = 16)
    {
        if (nodes.Count == 0)
            throw new ArgumentException("TopicMemory2021: there must be at least one node, got none.");
        if (nodes.FirstOrDefault(n => n.Train.Count == 0 || n.Dev.Count == 0) is { } poor)
            throw new ArgumentException($"TopicMemory2021: every node must have texts to train on and dev texts, got {poor.Train.Count} and {poor.Dev.Count}.");
        using var steps = new FitSteps(this, options);
        Draw[] draws = [.. nodes.Select((node, i) => new Draw(node.Train, options.Seed + (ulong)i + 1))];
        int epoch = nodes.Max(n => (n.Train.Count + batchSize - 1) / batchSize);
        var best = new ParameterSnapshot(this);
        var scores = new List<double>();
        for (int update = 1; update <= options.Updates; update++)
        {
            steps.Step(random => Losses([.. draws.Select(d => d.Next(batchSize))], random));
            if (update % epoch != 0 && update != options.Updates)
                continue;
            double score = nodes.Average(n => MacroF1(n.Dev));
            if (scores.Count == 0 || score > scores.Max())
                best = new ParameterSnapshot(this);
            scores.Add(score);
        }

        best.Restore();
        return scores;
    }

    /// <summary>What the nodes differentiate in a step, each for itself: the loss of its batch over their number.</summary>
    internal IEnumerable<Tensor> Losses(IReadOnlyList<IReadOnlyList<ClassifiedText>> batches, RandomSource? random)
        => batches.Select(b => Ops.Scale(Loss(b, random), 1f / batches.Count));

    private Tensor Encode(IReadOnlyList<IReadOnlyList<int>> texts, RandomSource? random)
    {
        var batch = new TokenBatch(Device, texts);
        return Ops.Dropout(batch.Mean(_embedding.Forward(batch.Tokens)), _options.Dropout, random);
    }

    private Tensor Weights(IReadOnlyList<IReadOnlyList<int>> texts, Tensor h)
    {
        if (_topics is null)
            throw new InvalidOperationException("TopicMemory2021: a model without topics has no weights of them.");
        return _options.Weights switch
        {
            TopicWeights.Attended => Attended(),
            TopicWeights.Summed => Summed(),
            _ => Ops.Add(Attended(), Summed()),
        };

        Tensor Attended()
        {
            var keys = Ops.Tanh(_key!.Forward(OfWords(texts, mean: true).Reshape([texts.Count, _topics.Topics, 1])));
            var query = Ops.Tanh(_query!.Forward(h)).Reshape([texts.Count, _options.Width, 1]);
            return Ops.Softmax(Ops.MatMul(keys, query).Reshape([texts.Count, _topics.Topics]));
        }

        Tensor Summed() => Ops.Softmax(OfWords(texts, mean: false));
    }

    // The sum over a text's words of Phi, or their mean, [B, Kt]: nothing is learned in it.
    private Tensor OfWords(IReadOnlyList<IReadOnlyList<int>> texts, bool mean)
    {
        var values = new float[texts.Count * _topics!.Topics];
        for (int b = 0; b < texts.Count; b++)
        {
            for (int k = 0; k < _topics.Topics; k++)
            {
                double sum = texts[b].Sum(word => _topics[word, k]);
                values[(b * _topics.Topics) + k] = (float)(mean ? sum / texts[b].Count : sum);
            }
        }

        return Tensor.From(Device, values, [texts.Count, _topics.Topics]);
    }

    /// <summary>A node's batches: each text once before any comes again.</summary>
    internal sealed class Draw(IReadOnlyList<ClassifiedText> texts, ulong seed)
    {
        private readonly ClassifiedText[] _order = [.. texts];
        private readonly RandomSource _random = new(seed);
        private int _next = texts.Count;

        public IReadOnlyList<ClassifiedText> Next(int count)
        {
            if (_next >= _order.Length)
            {
                _random.Shuffle<ClassifiedText>(_order);
                _next = 0;
            }

            var batch = _order[_next..Math.Min(_order.Length, _next + count)];
            _next += batch.Length;
            return batch;
        }
    }
}
