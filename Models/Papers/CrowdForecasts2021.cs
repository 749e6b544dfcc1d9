using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>Sizes of a <see cref="CrowdForecasts2021"/>.</summary>
public sealed record CrowdForecastsOptions
{
    /// <summary>Channels of a word's embedding; even.</summary>
    public int WordWidth { get; init; } = 32;

    /// <summary>Channels of an encoded justification.</summary>
    public int TextWidth { get; init; } = 32;

    /// <summary>H, channels of the LSTM's state.</summary>
    public int Hidden { get; init; } = 32;

    /// <summary>Dropout of encoded texts; 0.5 in the paper's code.</summary>
    public float Dropout { get; init; } = 0.5f;

    /// <summary>Dropout of the logit of a day, which the paper's code has too: a day whose logit is dropped teaches nothing.</summary>
    public float LogitDropout { get; init; }

    /// <summary>Whether justifications are read; without, the LSTM sees probabilities and flags alone.</summary>
    public bool Justifications { get; init; } = true;

    /// <summary>Whether the question's title is encoded, by parameters of its own, and stands beside every forecast.</summary>
    public bool Question { get; init; }

    /// <summary>
    /// Whether the LSTM reads on through a batch's padding, which are forecasts of probability -1 without text, as the paper's code has it: an answer then depends on what else is in the
    /// batch. Otherwise it ends with the last forecast.
    /// </summary>
    public bool ReadPadding { get; init; }
}

/// <summary>
/// The aggregation of crowdsourced forecasts with their written justifications: S. Kotamraju and E. Blanco, "Written justifications are key to aggregate crowdsourced forecasts",
/// Findings of EMNLP 2021. An LSTM reads the forecasts of a day, oldest first, each as
/// <code>[dropout(relu(W e + b)); p; 1 where the forecast is of an earlier day]</code>
/// and a linear map of its last state is the logit of yes. e is the mean of the justification's word embeddings (<see cref="Embedding"/>, times the root of their width), learned with the rest, where the paper has BERT, which its code leaves as it was.
/// </summary>
public sealed class CrowdForecasts2021 : Module
{
    private readonly CrowdForecastsOptions _options;
    private readonly Vocabulary _words;
    private readonly Embedding? _embedding;
    private readonly Linear? _text;
    private readonly Linear? _question;
    private readonly LstmCell _lstm;
    private readonly Linear _out;

    /// <summary>Declares the parameters.</summary>
    /// <param name="options">Sizes and what is read.</param>
    /// <param name="words">The words that have an embedding of their own, see <see cref="Words"/>.</param>
    public CrowdForecasts2021(CrowdForecastsOptions options, Vocabulary words)
    {
        (_options, _words) = (options, words);
        int inputs = 2;
        if (options.Justifications || options.Question)
            _embedding = Add("embedding", new Embedding(words.Count, options.WordWidth));
        if (options.Justifications)
            (_text, inputs) = (Add("text", new Linear(options.WordWidth, options.TextWidth)), inputs + options.TextWidth);
        if (options.Question)
            (_question, inputs) = (Add("question", new Linear(options.WordWidth, options.TextWidth)), inputs + options.TextWidth);
        _lstm = Add("lstm", new LstmCell(inputs, options.Hidden));
        _out = Add("out", new Linear(options.Hidden, 1));
    }

    /// <summary>The words of titles and justifications, the most frequent first.</summary>
    /// <param name="questions">Those trained on, and no others.</param>
    /// <param name="size">The most entries, four special ones among them.</param>
    public static Vocabulary Words(IEnumerable<CrowdQuestion> questions, int size = 10_000)
    {
        var counts = new Dictionary<string, long>();
        foreach (string word in questions.SelectMany(q => q.Forecasts.Select(f => f.Text).Prepend(q.Title)).SelectMany(Split))
            counts[word] = counts.GetValueOrDefault(word) + 1;
        return Vocabulary.FromCounts(counts, size);
    }

    /// <summary>Splits questions at random, never the days of one: 70 % to train on, 20 % to test on, the rest to choose by; the paper's shares.</summary>
    /// <param name="questions">All of them.</param>
    /// <param name="seed">Of the order.</param>
    public static (IReadOnlyList<CrowdQuestion> Train, IReadOnlyList<CrowdQuestion> Dev, IReadOnlyList<CrowdQuestion> Test) Split(IReadOnlyList<CrowdQuestion> questions, ulong seed)
    {
        CrowdQuestion[] order = [.. questions];
        new RandomSource(seed).Shuffle<CrowdQuestion>(order);
        int train = order.Length * 7 / 10, test = order.Length / 5;
        return (order[..train], order[(train + test)..], order[train..(train + test)]);
    }

    /// <summary>The logits of yes.</summary>
    /// <param name="instances">Days of questions.</param>
    /// <param name="random">Draws the dropout masks; null for evaluation.</param>
    /// <returns>[B], new.</returns>
    public Tensor Logits(IReadOnlyList<CrowdInstance> instances, RandomSource? random = null)
    {
        int batch = instances.Count, steps = instances.Max(i => i.Forecasts.Count);
        float[] probabilities = new float[batch * steps], past = new float[batch * steps];
        string[] texts = new string[batch * steps];
        Array.Fill(probabilities, -1);
        Array.Fill(texts, string.Empty);
        for (int b = 0; b < batch; b++)
        {
            for (int t = 0; t < instances[b].Forecasts.Count; t++)
            {
                int at = (b * steps) + t;
                (probabilities[at], texts[at]) = ((float)instances[b].Forecasts[t].Probability, instances[b].Forecasts[t].Text);
                past[at] = instances[b].Past[t] ? 1 : 0;
            }
        }

        var inputs = new List<Tensor> { Tensor.From(Device, probabilities, [batch, steps, 1]), Tensor.From(Device, past, [batch, steps, 1]) };
        if (_text is not null)
            inputs.Insert(0, Encode(_text, texts, random).Reshape([batch, steps, _options.TextWidth]));
        if (_question is not null)
        {
            int[] rows = [.. Enumerable.Range(0, batch * steps).Select(i => i / steps)];
            var titles = Encode(_question, [.. instances.Select(i => i.Question.Title)], random);
            inputs.Insert(0, Ops.IndexSelect(titles, 0, Tensor.From(Device, rows)).Reshape([batch, steps, _options.TextWidth]));
        }

        var lengths = _options.ReadPadding ? null : Tensor.From(Device, [.. instances.Select(i => i.Forecasts.Count)], [batch]);
        var (_, last) = _lstm.Forward(Ops.Concat(2, [.. inputs]), lengths: lengths);
        return Ops.Dropout(_out.Forward(last.Hidden).Reshape([batch]), _options.LogitDropout, random);
    }

    /// <summary>The mean binary cross-entropy, in nats.</summary>
    /// <param name="instances">Days of questions.</param>
    /// <param name="random">Draws the dropout masks; null for evaluation.</param>
    /// <returns>[], new.</returns>
    public Tensor Loss(IReadOnlyList<CrowdInstance> instances, RandomSource? random = null)
        => PaperLosses.BinaryCrossEntropy(Logits(instances, random), [.. instances.Select(i => i.Question.Answer)]);

    /// <summary>The probabilities of yes.</summary>
    /// <param name="instances">Days of questions.</param>
    public double[] Probabilities(IReadOnlyList<CrowdInstance> instances)
    {
        using var pause = new NoGrad();
        return PaperLosses.InBatches(instances, part => Array.ConvertAll(Ops.Sigmoid(Logits(part)).ToArray(), p => (double)p));
    }

    /// <summary>How the model decides: yes where that is more probable than not.</summary>
    /// <param name="instances">Days of questions.</param>
    public CrowdReport Report(IReadOnlyList<CrowdInstance> instances)
    {
        double[] probabilities = Probabilities(instances);
        return CrowdReport.Of(instances, probabilities, Array.ConvertAll(probabilities, p => p > 0.5));
    }

    /// <summary>Trains by epochs until the accuracy on other questions has not grown for <paramref name="patience"/> of them, and goes back to the best parameters.</summary>
    /// <param name="train">What is learned from.</param>
    /// <param name="dev">What the stop is chosen by: of other questions than <paramref name="train"/> and than those of a test.</param>
    /// <param name="options">Rate, clipping and seed; its updates are the most that are made.</param>
    /// <param name="batchSize">Instances of an update.</param>
    /// <param name="patience">Epochs.</param>
    /// <returns>The accuracies on <paramref name="dev"/>, epoch by epoch.</returns>
    /// <exception cref="ArgumentException">A question is in both, or one of them is empty.</exception>
    public IReadOnlyList<double> Train(IReadOnlyList<CrowdInstance> train, IReadOnlyList<CrowdInstance> dev, FitOptions options, int batchSize = 16, int patience = 3)
    {
        if (train.Count == 0 || dev.Count == 0)
            throw new ArgumentException($"CrowdForecasts2021: there must be instances to train on and to choose by, got {train.Count} and {dev.Count}.");
        if (train.Select(i => i.Question.Id).Intersect(dev.Select(i => i.Question.Id)).FirstOrDefault() is { } both)
            throw new ArgumentException($"CrowdForecasts2021: a question must be trained on or chosen by, not both, got {both} in both.");
        using var steps = new FitSteps(this, options);
        var order = new RandomSource(options.Seed + 1);
        CrowdInstance[] shuffled = [.. train];
        var accuracies = new List<double>();
        var best = new ParameterSnapshot(this);
        for (int updates = 0, since = 0; updates < options.Updates && since < patience;)
        {
            order.Shuffle<CrowdInstance>(shuffled);
            foreach (var batch in shuffled.Chunk(batchSize).Take(options.Updates - updates))
            {
                steps.Step(random => [Loss(batch, random)]);
                updates++;
            }

            double accuracy = Report(dev).Overall.Accuracy;
            since = accuracies.Count > 0 && accuracy <= accuracies.Max() ? since + 1 : 0;
            accuracies.Add(accuracy);
            if (since == 0)
                best = new ParameterSnapshot(this);
        }

        best.Restore();
        return accuracies;
    }

    private static IEnumerable<string> Split(string text)
    {
        int start = -1;
        for (int i = 0; i <= text.Length; i++)
        {
            if (i < text.Length && char.IsLetterOrDigit(text[i]))
            {
                start = start < 0 ? i : start;
            }
            else if (start >= 0)
            {
                yield return text[start..i].ToLowerInvariant();
                start = -1;
            }
        }
    }

    // [N, text width].
    private Tensor Encode(Linear layer, string[] texts, RandomSource? random)
    {
        var batch = new TokenBatch(Device, [.. texts.Select(t => Split(t).Select(_words.IndexOf).ToArray())], allowEmpty: true);
        return Ops.Dropout(layer.Forward(batch.Mean(_embedding!.Forward(batch.Tokens)), Activation.Relu), _options.Dropout, random);
    }
}
