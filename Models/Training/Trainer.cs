using System.Text.Json.Nodes;
using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>How a run ended.</summary>
/// <param name="State">Where it stands.</param>
/// <param name="Elapsed">Training time, across resumptions.</param>
/// <param name="Validation">The last validation, or null if there are no validation pairs.</param>
public sealed record TrainingResult(TrainingState State, TimeSpan Elapsed, ValidationScores? Validation);

/// <summary>
/// Trains a model: label-smoothed cross-entropy summed over the target tokens of an update and divided by their number, Adam, validation, checkpoints, log.
/// Training is a function of the data, the options and the seed: stopped anywhere and resumed, it gives the same parameters bit for bit.
/// </summary>
public sealed partial class Trainer : IDisposable
{
    private readonly Seq2SeqModel _model;
    private readonly TrainingData _data;
    private readonly TrainerOptions _options;
    private readonly RunDirectory? _directory;
    private readonly Tensor[] _parameters;
    private readonly Adam _optimizer;
    private readonly BatchSteps _steps;
    private readonly PendingUpdates _pending;
    private readonly Queue<QueuedUpdate> _queued = new();
    private readonly BatchIterator _batches;
    private readonly Validator? _validator;
    private readonly HashSet<string> _warned = [];
    private RandomSource _random;
    private double _bestScore = double.NegativeInfinity;
    private long _bestUpdate = -1;

    /// <summary>Prepares a run from its start.</summary>
    /// <param name="model">The model to train; the caller keeps and disposes it.</param>
    /// <param name="data">What to train on; at least one pair.</param>
    /// <param name="options">How.</param>
    /// <param name="random">The source that initialised the model; dropout goes on from there.</param>
    /// <param name="directory">Where checkpoints and the log go; null to write nothing.</param>
    /// <exception cref="ArgumentException">There is nothing to train on, nothing ends the run, or the device does not compute in the precision.</exception>
    public Trainer(Seq2SeqModel model, TrainingData data, TrainerOptions options, RandomSource random, RunDirectory? directory = null)
    {
        if (options.MaxUpdates is null && options.MaxTime is null)
            throw new ArgumentException("Training: must end, got neither a number of updates nor a time.");
        model.ComputeIn(options.Precision);
        _model = model;
        _data = data;
        _options = options;
        _random = random;
        _directory = directory;
        _parameters = [.. model.Parameters];
        _optimizer = new Adam(_parameters, options.Adam);
        _batches = new BatchIterator(data.Train, options.BatchTokens, options.Seed);
        _steps = new BatchSteps(model, options);
        _pending = new PendingUpdates(model.Device, options.ClipNorm);
        _validator = data.Valid is { Count: > 0 } valid ? new Validator(model, data, valid, options) : null;
        State = new TrainingState { Seed = random.Seed, RandomPosition = random.Position };
    }

    /// <summary>Shapes of batches that a GPU was given as graphs so far.</summary>
    public int CapturedShapes => _steps.Captured;

    /// <summary>Where the run stands.</summary>
    public TrainingState State { get; private set; }

    /// <summary>Continues from the directory's <c>last.safetensors</c>.</summary>
    /// <exception cref="FileNotFoundException">There is none.</exception>
    /// <exception cref="InvalidDataException">It is damaged, or of another model, other vocabularies or other data.</exception>
    public void Resume()
    {
        if (_directory is null || !File.Exists(_directory.Last))
            throw new FileNotFoundException($"Training: nothing to resume, {_directory?.Last ?? "no directory"} does not exist.");
        var header = Checkpoint.Load(_directory.Last, _model, _optimizer);
        CheckVocabulary("source", header.SourceVocabulary, _data.Source);
        CheckVocabulary("target", header.TargetVocabulary, _data.Target);
        if (header.Data is { } data && data != DataSize())
            throw new InvalidDataException($"last.safetensors: was trained on other data than this run's, {data} and not {DataSize()}.");
        State = header.State;
        _random = new RandomSource(State.Seed, State.RandomPosition);
        if (File.Exists(_directory.Best))
        {
            var best = Checkpoint.ReadHeader(_directory.Best);
            _bestScore = best.Score ?? double.NegativeInfinity;
            _bestUpdate = best.State.Update;
        }

        void CheckVocabulary(string side, string hash, TextCodec codec)
        {
            if (hash != codec.Vocabulary.Hash)
                throw new InvalidDataException($"last.safetensors: was trained with another {side} vocabulary than this run's.");
        }
    }

    /// <summary>
    /// Trains until the options' end, then validates unless the last update just was; or until cancelled, after a whole update and without validating.
    /// Either way <c>last.safetensors</c> is written.
    /// </summary>
    /// <exception cref="NonFiniteLossException">The loss or a gradient was NaN or infinite.</exception>
    public TrainingResult Run(IProgress<TrainingProgress>? progress = null, CancellationToken cancellation = default)
    {
        _model.ComputeIn(_options.Precision);
        using var log = OpenLog(out double spent);
        var clock = new RunClock(spent);
        var meter = new TrainingMeter(clock, _options);
        ValidationScores? validation = null;
        long validated = -1;
        using var batches = _batches.From(new BatchPosition(State.Epoch, State.Batch)).GetEnumerator();
        while (!Ended(clock) && !cancellation.IsCancellationRequested)
        {
            int epoch = State.Epoch;
            Update(batches, meter);
            WarnOfObstacles(log, clock);
            if (_options.ValidateEvery > 0 ? State.Update % _options.ValidateEvery == 0 : State.Epoch > epoch)
            {
                Settle(meter);

                // Before the checkpoint: a run killed in between validates again, one killed after the checkpoint must not miss a validation.
                Report(null);
                validation = Validate(log, clock);
                WarnOfObstacles(log, clock);
                validated = State.Update;
                SaveLast();
                Report(validation);
            }
            else
            {
                bool saves = clock.SinceSave >= _options.SaveEvery;
                if (meter.Due || saves)
                    Settle(meter);
                if (meter.Due)
                    Report(null);
                if (saves)
                    SaveLast();
            }
        }

        Settle(meter);
        Report(null);
        SaveLast();
        if (validated != State.Update && !cancellation.IsCancellationRequested)
        {
            validation = Validate(WasValidated() ? null : log, clock);
            WarnOfObstacles(log, clock);
            Report(validation);
        }

        log?.Write(
            "end",
            State.Update,
            clock.Elapsed.TotalSeconds,
            [("epoch", State.Pass), ("tokens", State.Tokens), ("best_update", _bestUpdate), .. Graphs().Select(f => (f.Key, (JsonNode?)f.Value))]);
        return new TrainingResult(State, clock.Elapsed, validation);

        void Report(ValidationScores? scores)
        {
            if (meter.Take(State, scores) is not { } report)
                return;
            progress?.Report(report);
            if (scores is null)
                WriteUpdate(log, report);
        }

        void SaveLast()
        {
            if (_directory is not null)
                Checkpoint.Save(_directory.Last, Header(), _model, _optimizer);
            clock.Saved();
        }
    }

    /// <summary>Frees the optimiser's state; the model stays.</summary>
    public void Dispose()
    {
        _steps.Dispose();
        _pending.Dispose();
        _optimizer.Dispose();
    }

    private bool Ended(RunClock clock)
        => State.Update >= (_options.MaxUpdates ?? long.MaxValue) || clock.Elapsed >= (_options.MaxTime ?? TimeSpan.MaxValue);

    /// <summary>One update of the parameters. On a device that works through a queue it is only queued; <see cref="Settle"/> says how it went.</summary>
    private void Update(IEnumerator<(BatchPosition Position, BatchPosition Next, Batch Batch)> batches, TrainingMeter meter)
    {
        long tokens = 0;
        var parts = new QueuedBatch[_options.Accumulate];
        for (int i = 0; i < parts.Length; i++)
        {
            batches.MoveNext();
            var (position, _, batch) = batches.Current;
            parts[i] = new QueuedBatch(batch, position, _random.Position);
            using var scope = TensorScope.Begin();
            var (loss, negativeLogLikelihood) = _steps.Run(batch, _random);
            _pending.Add(loss, negativeLogLikelihood);
            tokens += batch.TargetTokens;
        }

        float rate = _options.Schedule.At(State.Update);
        _pending.End(_parameters, 1f / tokens);
        _optimizer.Step(rate, _pending.Factor);
        ZeroGradients();
        _queued.Enqueue(new QueuedUpdate(State, parts, tokens, rate));
        State = State with
        {
            Update = State.Update + 1,
            Epoch = batches.Current.Next.Epoch,
            Batch = batches.Current.Next.Index,
            Tokens = State.Tokens + tokens,
            RandomPosition = _random.Position,
        };
        if (_pending.IsFull)
            Settle(meter);
    }

    /// <summary>Waits for the queued updates and counts them.</summary>
    /// <exception cref="NonFiniteLossException">One could not be made; the parameters are those before it, and so is <see cref="State"/>.</exception>
    private void Settle(TrainingMeter meter)
    {
        foreach (var measures in _pending.Take())
        {
            var update = _queued.Dequeue();
            if (!measures.IsFinite)
            {
                State = update.Before;
                _optimizer.Updates = State.Update;
                _queued.Clear();
                var (what, at) = Diagnose(update);
                _random = new RandomSource(_random.Seed, State.RandomPosition);
                throw new NonFiniteLossException(what, State.Update + 1, at);
            }

            meter.Add(measures.Loss, measures.NegativeLogLikelihood, update.Tokens, update.Rate, measures.Norm);
        }
    }

    private void ZeroGradients()
    {
        foreach (var parameter in _parameters)
            parameter.ZeroGrad();
    }

    /// <summary>Runs a failed update once more with the same masks: names the first tensor that is not finite, and the batch.</summary>
    private (string What, BatchPosition At) Diagnose(QueuedUpdate update)
    {
        foreach (var (batch, at, position) in update.Batches)
        {
            using var scope = TensorScope.Begin();
            using var watch = new NonFiniteWatch(_model.NamedParameters().Select(p => KeyValuePair.Create(p.Name, p.Tensor)));
            var (loss, _) = _steps.Forward(batch, new RandomSource(_random.Seed, position));
            if (watch.First is { } first)
                return (first, at);
            if (!float.IsFinite(loss.Item()))
                return ("the loss itself", at);
        }

        foreach (var (batch, _, position) in update.Batches)
        {
            using var scope = TensorScope.Begin();
            _steps.Forward(batch, new RandomSource(_random.Seed, position)).Loss.Backward();
        }

        string what = FirstNonFiniteGradient();
        ZeroGradients();
        return (what, update.Batches[^1].Position);
    }

    private string FirstNonFiniteGradient()
    {
        foreach (var (name, tensor) in _model.NamedParameters())
        {
            if (tensor.Grad is { } gradient && !Ops.IsFinite(gradient))
                return $"gradient of {name} {tensor.Shape}";
        }

        return "the gradient's norm";
    }

    private ValidationScores? Validate(TrainingLog? log, RunClock clock)
    {
        if (_validator is null)
            return null;
        var scores = _validator.Run();
        double score = scores.Bleu ?? -scores.Loss;

        // A run killed between writing best.safetensors and last.safetensors meets its best validation once more.
        bool best = score > _bestScore || (score == _bestScore && State.Update == _bestUpdate);
        if (best)
        {
            (_bestScore, _bestUpdate) = (score, State.Update);
            if (_directory is not null)
                Checkpoint.Save(_directory.Best, Header() with { Score = score }, _model, optimizer: null);
        }

        log?.Write(
            "validation",
            State.Update,
            clock.Elapsed.TotalSeconds,
            ("epoch", State.Pass),
            ("loss", Math.Round(scores.Loss, 5)),
            ("nll", Math.Round(scores.NegativeLogLikelihood, 5)),
            ("ppl", Math.Round(scores.Perplexity, 4)),
            ("bleu", scores.Bleu is { } bleu ? Math.Round(bleu, 4) : null),
            ("signature", scores.BleuSignature),
            ("best", best));
        return scores with { IsBest = best };
    }

    private string DataSize() => $"{_data.Train.Count} pairs of {_data.Train.Report.SourceTokens} and {_data.Train.Report.TargetTokens} tokens";

    private CheckpointHeader Header() => new()
    {
        Config = _model.Config,
        SourceVocabulary = _data.Source.Vocabulary.Hash,
        TargetVocabulary = _data.Target.Vocabulary.Hash,
        Data = DataSize(),
        State = State,
    };

    /// <summary>A batch of an update that may still be in the device's queue, and where the masks of its forward begin.</summary>
    private sealed record QueuedBatch(Batch Batch, BatchPosition Position, ulong RandomPosition);

    /// <summary>An update that may still be in the device's queue.</summary>
    private sealed record QueuedUpdate(TrainingState Before, QueuedBatch[] Batches, long Tokens, float Rate);
}
