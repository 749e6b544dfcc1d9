using System.Text.Json.Nodes;
using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>
/// Trains a model: label-smoothed cross-entropy summed over the target tokens of an update and divided by their number, an optimiser, validation, checkpoints, log.
/// Training is a function of the data, the options and the seed: stopped anywhere and resumed, it gives the same parameters bit for bit.
/// </summary>
public sealed partial class Trainer : IDisposable
{
    private readonly AutoregressiveModel _model;
    private readonly TrainingData _data;
    private readonly TrainerOptions _options;
    private readonly RunDirectory? _directory;
    private readonly Tensor[] _parameters;
    private readonly IOptimizer _optimizer;
    private readonly MovingAverage? _average;
    private readonly PlateauSchedule? _plateau;
    private readonly BatchSteps _steps;
    private readonly PendingUpdates _pending;
    private readonly Queue<QueuedUpdate> _queued = new();
    private readonly BatchIterator _batches;
    private readonly Validator? _validator;
    private readonly BestCheckpoint _best;
    private readonly KeptCheckpoints? _kept;
    private readonly HashSet<string> _warned = [];
    private readonly Lazy<(string Train, string? Valid)> _fingerprints;
    private RandomSource _random;

    /// <summary>Prepares a run from its start.</summary>
    /// <param name="model">The model to train; the caller keeps and disposes it.</param>
    /// <param name="data">What to train on; at least one pair.</param>
    /// <param name="options">How.</param>
    /// <param name="random">The source that initialised the model; dropout goes on from there.</param>
    /// <param name="directory">Where checkpoints and the log go; null to write nothing.</param>
    /// <exception cref="ArgumentException">There is nothing to train on, nothing ends the run, the device does not compute in the precision, or gradients are to be checkpointed of a model without layers.</exception>
    public Trainer(AutoregressiveModel model, TrainingData data, TrainerOptions options, RandomSource random, RunDirectory? directory = null)
    {
        if (options.MaxUpdates is null && options.MaxTime is null)
            throw new ArgumentException("Training: must end, got neither a number of updates nor a time.");
        model.ComputeIn(options.Precision);
        model.GradientCheckpointing = options.GradientCheckpointing;
        _model = model;
        _data = data;
        _options = options;
        _random = random;
        _directory = directory;
        _fingerprints = new(() => (data.Train.Fingerprint(), data.ValidFingerprint()));
        _batches = new BatchIterator(data.Train, options.BatchTokens, options.Seed, batchSentences: options.BatchSentences);
        _parameters = [.. model.Parameters];
        _optimizer = options.CreateOptimizer(_parameters);
        _average = options.CreateAverage(_parameters);
        _plateau = options.Schedule as PlateauSchedule;
        _best = new BestCheckpoint(options.KeepBest);
        _kept = directory is null ? null : new KeptCheckpoints(directory, options);
        _steps = new BatchSteps(model, options);
        _pending = new PendingUpdates(model.Device, options.ClipNorm);
        _validator = data.Valid is { Count: > 0 } valid ? new Validator(model, data, valid, options) : null;
        State = new TrainingState { Seed = random.Seed, RandomPosition = random.Position, Plateau = _plateau?.Start };
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
        var header = Checkpoint.Load(_directory.Last, _model, _optimizer, _average);
        CheckVocabulary("source", header.SourceVocabulary, _data.Source);
        CheckVocabulary("target", header.TargetVocabulary, _data.Target);
        if (header.Data is { } data && data != _data.Train.Size)
            throw new InvalidDataException($"last.safetensors: was trained on other data than this run's, {data} and not {_data.Train.Size}.");
        CheckText("trained on another text", header.TrainFingerprint, _fingerprints.Value.Train);
        CheckText("validated on another text", header.ValidFingerprint, _fingerprints.Value.Valid);
        State = header.State;
        _random = new RandomSource(State.Seed, State.RandomPosition);
        if (File.Exists(_directory.Best))
            _best.Resume(Checkpoint.ReadHeader(_directory.Best));
        _kept!.DropAfter(State.Update);

        void CheckText(string what, string? fingerprint, string? own)
        {
            if (fingerprint is not null && fingerprint != own)
                throw new InvalidDataException($"last.safetensors: was {what} than this run's.");
        }

        void CheckVocabulary(string side, string hash, TextCodec codec)
        {
            if (hash != codec.Vocabulary.Hash)
                throw new InvalidDataException($"last.safetensors: was trained with another {side} vocabulary than this run's.");
        }
    }

    /// <summary>
    /// Trains until the options' end, then validates unless the last update just was; or until cancelled, after a whole update; a validation that is cancelled is made when the run is resumed.
    /// Either way <c>last.safetensors</c> is written.
    /// </summary>
    /// <exception cref="NonFiniteLossException">The loss, that of a validation or a gradient was NaN or infinite.</exception>
    public TrainingResult Run(IProgress<TrainingProgress>? progress = null, CancellationToken cancellation = default)
    {
        _model.ComputeIn(_options.Precision);
        using var log = OpenLog(out double spent);
        var clock = new RunClock(spent);
        var meter = new TrainingMeter(clock, _options);
        var limits = new RunLimits(_options, clock, cancellation);
        ValidationScores? validation = null;
        long validated = -1;
        TrainingEnd? end;
        using var batches = _batches.From(new BatchPosition(State.Epoch, State.Batch)).GetEnumerator();
        if (State.ValidationIsDue)
            ValidateDue(_kept?.IsDue(State, State is { Batch: 0, Epoch: > 0 }) ?? false);
        while ((end = limits.At(State)) is null)
        {
            int epoch = State.Epoch;
            Update(batches, meter);
            WarnOfObstacles(log, clock);
            bool keeps = _kept?.IsDue(State, State.Epoch > epoch) ?? false;
            if (_options.ValidateEvery > 0 ? State.Update % _options.ValidateEvery == 0 : State.Epoch > epoch)
            {
                Settle(meter);
                Report(null);
                ValidateDue(keeps);
            }
            else
            {
                bool saves = keeps || clock.SinceSave >= _options.SaveEvery;
                if (meter.Due || saves)
                    Settle(meter);
                if (meter.Due)
                    Report(null);
                if (saves)
                    SaveLast(keeps);
            }
        }

        Settle(meter);
        Report(null);
        SaveLast(keeps: false);
        if (validated != State.Update && !cancellation.IsCancellationRequested)
        {
            try
            {
                validation = Validate(WasValidated() ? null : log, clock, cancellation);
                WarnOfObstacles(log, clock);
                Report(validation);
            }
            catch (OperationCanceledException)
            {
                end = TrainingEnd.Interruption;
            }
        }

        log?.Write(
            "end",
            State.Update,
            clock.Elapsed.TotalSeconds,
            [("epoch", State.Pass), ("tokens", State.Tokens), ("best_update", _best.Update), ("ended_by", end.Value.ToString().ToLowerInvariant()), .. Graphs().Select(f => (f.Key, (JsonNode?)f.Value))]);
        return new TrainingResult(State, clock.Elapsed, validation, end.Value);

        // Before the checkpoint: a run killed in between validates again, one killed after the checkpoint must not miss a validation. One that is cancelled writes down that it has yet to.
        void ValidateDue(bool keeps)
        {
            State = State with { ValidationIsDue = false };
            try
            {
                validation = Validate(log, clock, cancellation);
            }
            catch (OperationCanceledException)
            {
                State = State with { ValidationIsDue = true };
                return;
            }

            WarnOfObstacles(log, clock);
            validated = State.Update;
            Learn(validation);
            SaveLast(keeps);
            Report(validation);
        }

        void Report(ValidationScores? scores)
        {
            if (meter.Take(State, scores) is not { } report)
                return;
            progress?.Report(report);
            if (scores is null)
                WriteUpdate(log, report);
        }

        void SaveLast(bool keeps)
        {
            if (_directory is not null)
            {
                if (keeps)
                    _kept!.Save(Header(), _model);
                Checkpoint.Save(_directory.Last, Header(), _model, _optimizer, _average);
                if (keeps)
                    _kept!.Prune();
            }

            clock.Saved();
        }
    }

    /// <summary>Frees the optimiser's state; the model stays.</summary>
    public void Dispose()
    {
        _steps.Dispose();
        _pending.Dispose();
        _average?.Dispose();
        _optimizer.Dispose();
    }

    /// <summary>One update of the parameters. On a device that works through a queue it is only queued; <see cref="Settle"/> says how it went.</summary>
    private void Update(IEnumerator<(BatchPosition Position, BatchPosition Next, Batch Batch)> batches, TrainingMeter meter)
    {
        long tokens = 0, sentences = 0;
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
            sentences += batch.B;
        }

        float rate = _plateau?.At(State.Update, State.Plateau ?? _plateau.Start) ?? _options.Schedule.At(State.Update);
        _pending.End(_parameters, 1f / (_options.GradientAverage == GradientAverage.Sentences ? sentences : tokens));
        _optimizer.Step(rate, _pending.Factor);
        _average?.Step(_pending.Factor);
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
                throw new NonFiniteLossException(what, State.Update + 1, at, HasCheckpoint);
            }

            meter.Add(measures.Loss, measures.NegativeLogLikelihood, update.Tokens, update.Rate, measures.Norm);
        }
    }

    private bool HasCheckpoint => _directory is not null && File.Exists(_directory.Last);

    private void ZeroGradients()
    {
        foreach (var parameter in _parameters)
            parameter.ZeroGrad();
    }

    // The model that is validated and saved is the moving average, where there is one.
    private ValidationScores? Validate(TrainingLog? log, RunClock clock, CancellationToken cancellation)
    {
        if (_validator is null)
            return null;
        ValidationScores scores;
        bool best;
        _average?.Exchange();
        try
        {
            scores = _validator.Run(cancellation);
            if (!double.IsFinite(scores.NegativeLogLikelihood))
                throw new NonFiniteLossException("the validation loss", State.Update, new BatchPosition(State.Epoch, State.Batch), HasCheckpoint);
            double score = _best.Score(scores);

            // A run killed at its end validates once more, and its state already knows of the first time: what that wrote stays.
            bool isSaved = _best.Update == State.Update;
            best = _best.Offer(score, State.Update);
            if (best && !isSaved && _directory is not null)
                Checkpoint.Save(_directory.Best, Header() with { Score = score }, _model, optimizer: null);
        }
        finally
        {
            _average?.Exchange();
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

    // What a validation that was due changes of what follows. One at the end of a run that is not due must not: a run that never stopped there knows nothing of it.
    private void Learn(ValidationScores? scores)
    {
        if (scores is null)
            return;
        double score = _best.Score(scores);
        bool best = State.BestScore is not { } before || score > before;
        State = State with
        {
            BestScore = best ? score : State.BestScore,
            WithoutBest = best ? 0 : State.WithoutBest + 1,
            Plateau = _plateau?.After(State.Plateau ?? _plateau.Start, State.Update, scores.Loss),
        };
    }

    private CheckpointHeader Header() => new()
    {
        Config = _model.Config,
        SourceVocabulary = _data.Source.Vocabulary.Hash,
        TargetVocabulary = _data.Target.Vocabulary.Hash,
        Data = _data.Train.Size,
        TrainFingerprint = _fingerprints.Value.Train,
        ValidFingerprint = _fingerprints.Value.Valid,
        State = State,
    };

    /// <summary>A batch of an update that may still be in the device's queue, and where the masks of its forward begin.</summary>
    private sealed record QueuedBatch(Batch Batch, BatchPosition Position, ulong RandomPosition);

    /// <summary>An update that may still be in the device's queue.</summary>
    private sealed record QueuedUpdate(TrainingState Before, QueuedBatch[] Batches, long Tokens, float Rate);
}
