using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>What the best checkpoint of a run is the best by.</summary>
public enum KeepBest
{
    /// <summary>The highest BLEU on the validation pairs; where a run does not translate to validate, the lowest loss.</summary>
    Bleu,

    /// <summary>The lowest label-smoothed loss on the validation pairs.</summary>
    Loss,
}

/// <summary>What a batch's gradient is divided by.</summary>
public enum GradientAverage
{
    /// <summary>The target tokens that were predicted.</summary>
    Tokens,

    /// <summary>The sentences, as with fairseq's <c>--sentence-avg</c>: longer ones weigh more, and so do their gradients.</summary>
    Sentences,
}

/// <summary>How a <see cref="Trainer"/> trains.</summary>
public sealed record TrainerOptions
{
    /// <summary>Tokens a batch: sentences times the longest of its sentences, padding included, on the longer of the two sides.</summary>
    public int BatchTokens { get; init; } = 4096;

    /// <summary>The most sentences, or blocks of text, of a batch; null for as many as <see cref="BatchTokens"/> allows. Validation has no such limit.</summary>
    public int? BatchSentences { get; init; }

    /// <summary>The type of the activations; parameters, their gradients and the optimiser's state are float32 with each.</summary>
    public DType Precision { get; init; }

    /// <summary>Batches whose gradients are summed before an update.</summary>
    public int Accumulate { get; init; } = 1;

    /// <summary>What the sum of the gradients of an update's batches is divided by before anything else is done with it; reported losses are per token with each.</summary>
    public GradientAverage GradientAverage { get; init; }

    /// <summary>
    /// Batches are padded until S and T are multiples of it, as fairseq's required-seq-len-multiple. Null: 8 where shapes are captured as graphs, which pays when they come
    /// again, else 1. More padding draws other dropout masks.
    /// </summary>
    public int? LengthMultiple { get; init; }

    /// <summary>Whether a GPU captures the forward and backward of each shape of batch as a CUDA graph. No bit changes by it where
    /// <see cref="LengthMultiple"/> is the same. Of an update of several batches (<see cref="Accumulate"/>) only the first is a graph.</summary>
    public bool Graphs { get; init; } = true;

    /// <summary>
    /// Whether of a forward each layer's result alone is kept, and what is within the layer computed again in backward: less memory for a third more time. No bit changes by it.
    /// Models that are no stacks of layers (LSTM, RNNsearch, ConvS2S) refuse it.
    /// </summary>
    public bool GradientCheckpointing { get; init; }

    /// <summary>Probability mass spread over the other words.</summary>
    public float LabelSmoothing { get; init; } = 0.1f;

    /// <summary>Which other words share it.</summary>
    public LabelSmoothing SmoothingForm { get; init; } = Tensors.LabelSmoothing.OverOthers;

    /// <summary>The optimiser Adam, unless <see cref="Sgd"/> or <see cref="Adadelta"/> is given.</summary>
    public AdamOptions Adam { get; init; } = new();

    /// <summary>Stochastic gradient descent in place of Adam; null for Adam.</summary>
    public SgdOptions? Sgd { get; init; }

    /// <summary>Adadelta in place of both; null for them.</summary>
    public AdadeltaOptions? Adadelta { get; init; }

    /// <summary>
    /// Decay of the exponential moving average of the parameters, below 1; 0 for none. Where there is one it is what is validated and saved as the best model.
    /// </summary>
    public float EmaDecay { get; init; }

    /// <summary>Gradients of a larger norm (averaged, <see cref="GradientAverage"/>) are scaled down to it; 0 for never.</summary>
    public float ClipNorm { get; init; }

    /// <summary>The learning rate at each update.</summary>
    public ILearningRateSchedule Schedule { get; init; } = new InverseSquareRootSchedule(5e-4f, 4000);

    /// <summary>Updates from the run's start after which it ends.</summary>
    public long? MaxUpdates { get; init; }

    /// <summary>Training time from the run's start after which it ends, validation included.</summary>
    public TimeSpan? MaxTime { get; init; }

    /// <summary>Updates between validations; 0 to validate at the end of each epoch and of the run.</summary>
    public int ValidateEvery { get; init; }

    /// <summary>How to translate the validation sentences for BLEU; null to validate by loss alone.</summary>
    public DecodingOptions? ValidationDecoding { get; init; }

    /// <summary>Which BLEU that is.</summary>
    public BleuOptions ValidationBleu { get; init; } = new();

    /// <summary>What the best checkpoint is the best by.</summary>
    public KeepBest KeepBest { get; init; }

    /// <summary>Validations in a row that are no new best, after which the run ends; null for never. The one at the run's end that is not due does not count.</summary>
    public int? Patience { get; init; }

    /// <summary>Updates between checkpoints that are kept; 0 for one at the end of each epoch.</summary>
    public int CheckpointEvery { get; init; }

    /// <summary>How many of those checkpoints are kept, the newest; 0 for none.</summary>
    public int KeepCheckpoints { get; init; }

    /// <summary>The seed of initial values, dropout and the order of the batches.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Facts to write into the log's first line: the command, the recipe, the processor.</summary>
    public IReadOnlyDictionary<string, string> Notes { get; init; } = new Dictionary<string, string>();

    /// <summary>Time between reports and log lines.</summary>
    public TimeSpan ReportEvery { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Time after which <c>last.safetensors</c> is written between validations, so that a killed run loses little.</summary>
    public TimeSpan SaveEvery { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A trained model to learn from beside the text; null for none. Validation knows nothing of it.</summary>
    internal Distillation? Teacher { get; init; }

    internal IOptimizer CreateOptimizer(IReadOnlyList<Tensor> parameters) => (Adadelta, Sgd) switch
    {
        ({ } adadelta, _) => new Adadelta(parameters, adadelta),
        (_, { } sgd) => new Sgd(parameters, sgd),
        _ => new Adam(parameters, Adam),
    };

    internal MovingAverage? CreateAverage(IReadOnlyList<Tensor> parameters) => EmaDecay > 0 ? new MovingAverage(parameters, EmaDecay) : null;
}
