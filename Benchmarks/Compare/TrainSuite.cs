using System.Text.Json.Nodes;
using CudaSeq.Kernels;
using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Benchmarks;

/// <summary>
/// Whole updates of whole models, as <see cref="Trainer"/> makes them: forward with dropout, label-smoothed loss, backward, the norm of the gradient, clipping and Adam. Rivals begin from the same
/// parameters; the loss of the first update without dropout and its gradient must agree before anything is timed.
/// </summary>
internal static class TrainSuite
{
    private const float Smoothing = 0.1f;
    private const float ClipNorm = 1;
    private const float Rate = 1e-4f;

    // Adam and smoothing as PyTorch has them, so that both sides compute the same.
    private static readonly TrainerOptions Options = new()
    {
        LabelSmoothing = Smoothing,
        SmoothingForm = LabelSmoothing.Uniform,
        ClipNorm = ClipNorm,
        LengthMultiple = 1,
        Adam = new AdamOptions { Form = AdamForm.PyTorch },
    };

    /// <summary>All cases.</summary>
    /// <param name="sizes">Those of a processor, or as small as goes through everything.</param>
    public static IEnumerable<CompareCase> Of(Sizes sizes)
        => from preset in CompareModels.Presets
           from architecture in (Architecture[])[Architecture.Transformer, Architecture.LightConv, Architecture.DynamicConv]
           select Case(CompareModels.Case(architecture, sizes, preset));

    /// <summary>Updates of a model.</summary>
    public static CompareCase Case(ModelCase c)
    {
        var batch = Batch.Of(Corpus.From(c.Pairs(c.B)), [.. Enumerable.Range(0, c.B)]);
        return new CompareCase(
            $"Train {c}",
            $"Training, {c.Preset}",
            c.Name,
            ModelWork.OfUpdate(c.Config, c.B, c.T, c.T),
            new JsonObject
            {
                ["op"] = "train",
                ["model"] = CompareModels.Describe(c.Config),
                ["b"] = c.B,
                ["smoothing"] = Smoothing,
                ["clip"] = ClipNorm,
                ["rate"] = Rate,
                ["beta1"] = Options.Adam.Beta1,
                ["beta2"] = Options.Adam.Beta2,
                ["epsilon"] = Options.Adam.Epsilon,
                ["source"] = CompareModels.Ids(batch.Source),
                ["previous"] = CompareModels.Ids(batch.PreviousTarget),
                ["target"] = CompareModels.Ids(batch.Target),
            },
            KernelSuite.VariantsOf(c.Config.Architecture),
            device =>
            {
                var run = new Run(c, device, batch);
                return new Contender(run.Update, run.FirstLoss, run, run.Weights);
            })
        {
            Whole = "update",
        };
    }

    private sealed class Run : IDisposable
    {
        private readonly Device _device;
        private readonly Batch _batch;
        private readonly RandomSource _random = new(1);
        private readonly Seq2SeqModel _model;
        private readonly Tensor[] _parameters;
        private readonly IOptimizer _optimizer;
        private readonly PendingUpdates _pending;
        private readonly BatchSteps _steps;

        public Run(ModelCase c, Device device, Batch batch)
        {
            _device = device;
            _batch = batch;
            _model = SequenceModel.Create(c.Config, device, _random);
            _parameters = [.. _model.Parameters];
            _optimizer = Options.CreateOptimizer(_parameters);
            _pending = new PendingUpdates(device, ClipNorm);
            _steps = new BatchSteps(_model, Options);
            Weights = CompareModels.WriteWeights(_model);
        }

        /// <summary>The file of the first parameters.</summary>
        public string Weights { get; }

        /// <summary>What <see cref="Trainer"/> does for an update.</summary>
        public void Update()
        {
            var (loss, negativeLogLikelihood) = _steps.Run(_batch, _random);
            _pending.Add(loss, negativeLogLikelihood);
            _pending.End(_parameters, 1f / _batch.TargetTokens);
            _optimizer.Step(Rate, _pending.Factor);
            foreach (var parameter in _parameters)
                parameter.ZeroGrad();
            if (_pending.Take() is [{ IsFinite: false } measures])
                throw new InvalidDataException($"compare: losses must be finite, got {measures}.");
        }

        /// <summary>Loss a token, the norm of its gradient, and the norm of each parameter's: without dropout.</summary>
        public float[][] FirstLoss()
        {
            var inputs = new BatchTensors(_device, _batch);
            var loss = _model.Loss(inputs, Smoothing, Options.SmoothingForm, random: null).Loss;
            loss.Backward();
            float all = GradientNorm.Compute(_parameters), tokens = _batch.TargetTokens;
            float[] each = [.. _parameters.Select(p => GradientNorm.Compute([p]) / tokens)];
            foreach (var parameter in _parameters)
                parameter.ZeroGrad();
            return [[loss.ToArray()[0] / tokens], [all / tokens], each];
        }

        public void Dispose()
        {
            File.Delete(Weights);
            _steps.Dispose();
            _pending.Dispose();
            _optimizer.Dispose();
            _model.Dispose();
        }
    }
}
