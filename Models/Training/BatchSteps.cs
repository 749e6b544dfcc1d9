using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>
/// The loss of a batch and its gradients. On a GPU each shape of batch is captured as a graph when it comes for the second time.
/// </summary>
internal sealed class BatchSteps : IDisposable
{
    // So that shapes come again, and what the tiles of matrix products like.
    private const int LengthMultiple = 8;

    // A graph of a base model takes some MiB of the host's memory.
    private const int MostShapes = 256;

    private readonly AutoregressiveModel _model;
    private readonly TrainerOptions _options;
    private readonly Tensor[] _parameters;
    private readonly StepMemory _memory;
    private readonly bool _captures;
    private readonly int _multiple;
    private readonly int _most;
    private readonly Dictionary<(int B, int S, int T), ShapeStep> _shapes = [];
    private long _clock;

    public BatchSteps(AutoregressiveModel model, TrainerOptions options)
    {
        _model = model;
        _options = options;
        _parameters = [.. model.Parameters];
        _memory = new StepMemory(model.Device);
        bool varies = model.Config is not { EncoderLayerDrop: 0, DecoderLayerDrop: 0, AdaptiveDepth: not AdaptiveDepth.Mixed, ExitPredictor: ExitPredictor.None };
        _captures = options.Graphs && _memory.Captures && !varies;
        if (options.Graphs && _memory.Captures && varies)
            Obstacle = "what is computed depends on chance or on the batch (layer_drop, adaptive_depth mixed, exit_predictor)";
        _multiple = Multiple(options, _captures);
        _most = Most(model, options);
    }

    /// <summary>What lengths are padded to a multiple of.</summary>
    public static int Multiple(TrainerOptions options, bool captures) => options.LengthMultiple ?? (captures && options.Graphs ? LengthMultiple : 1);

    /// <summary>What lengths are not padded beyond: the positions that the model and its teacher know.</summary>
    public static int Most(AutoregressiveModel model, TrainerOptions options) => Math.Min(model.Config.MostPositions, options.Teacher?.MostPositions ?? int.MaxValue);

    /// <summary>Shapes that are launched as graphs.</summary>
    public int Captured => _shapes.Values.Count(s => s.Step.IsCaptured);

    /// <summary>Why a shape could not be captured; null when none has failed.</summary>
    public string? Obstacle { get; private set; }

    /// <summary>The loss of a batch and its negative log-likelihood, both []; its gradients are at the parameters.</summary>
    public (Tensor Loss, Tensor NegativeLogLikelihood) Run(Batch batch, RandomSource random)
    {
        batch = batch.PaddedTo(_multiple, _most);
        if (!_captures)
            return Backward(new BatchTensors(_model.Device, batch), random);
        var shape = Shape(batch);
        shape.Inputs.Load(batch);
        var outputs = shape.Step.Run(random, () =>
        {
            var (loss, negativeLogLikelihood) = Backward(shape.Inputs, random);
            return [loss, negativeLogLikelihood];
        });
        Obstacle ??= shape.Step.Obstacle;
        return (outputs[0], outputs[1]);
    }

    /// <summary>The same without gradients, and never as a graph.</summary>
    public (Tensor Loss, Tensor NegativeLogLikelihood) Forward(Batch batch, RandomSource random) => Forward(new BatchTensors(_model.Device, batch.PaddedTo(_multiple, _most)), random);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var shape in _shapes.Values)
            shape.Dispose();
        _shapes.Clear();
        _memory.Dispose();
    }

    private ShapeStep Shape(Batch batch)
    {
        var key = (batch.B, batch.S, batch.T);
        if (!_shapes.TryGetValue(key, out var shape))
        {
            if (_shapes.Count == MostShapes)
            {
                var oldest = _shapes.MinBy(s => s.Value.LastUse);
                oldest.Value.Dispose();
                _shapes.Remove(oldest.Key);
            }

            _shapes.Add(key, shape = new ShapeStep(new BatchTensors(_model.Device, batch).Keep(), new RepeatedStep(_memory, _parameters)));
        }

        shape.LastUse = ++_clock;
        return shape;
    }

    private (Tensor Loss, Tensor NegativeLogLikelihood) Backward(BatchTensors batch, RandomSource random)
    {
        var (loss, negativeLogLikelihood) = Forward(batch, random);
        loss.Backward();
        return (loss, negativeLogLikelihood);
    }

    private (Tensor Loss, Tensor NegativeLogLikelihood) Forward(BatchTensors batch, RandomSource random)
        => _options.Teacher?.Loss(_model, batch, _options.LabelSmoothing, _options.SmoothingForm, random)
            ?? _model.Loss(batch, _options.LabelSmoothing, _options.SmoothingForm, random);

    private sealed record ShapeStep(BatchTensors Inputs, RepeatedStep Step) : IDisposable
    {
        public long LastUse { get; set; }

        public void Dispose()
        {
            Step.Dispose();
            Inputs.Dispose();
        }
    }
}
