using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>How the learning rate goes.</summary>
public enum ScheduleKind
{
    /// <summary>Up linearly, then down with the square root of the update.</summary>
    InverseSquareRoot,

    /// <summary>Up linearly, then constant.</summary>
    Fixed,

    /// <summary>Up linearly, then down half a wave of the cosine, once or again and again.</summary>
    Cosine,

    /// <summary>Up linearly, then down linearly.</summary>
    Linear,

    /// <summary>Up linearly, then down with a power of what is left.</summary>
    Polynomial,

    /// <summary>Up linearly, then down by a factor when validations no longer improve.</summary>
    Plateau,

    /// <summary>Up linearly, then constant, then down by a factor after every so many updates.</summary>
    Step,
}

/// <summary>What makes the updates.</summary>
public enum OptimizerKind
{
    /// <summary>Adam.</summary>
    Adam,

    /// <summary>Stochastic gradient descent.</summary>
    Sgd,

    /// <summary>Adadelta.</summary>
    Adadelta,
}

/// <summary>The training of a recipe.</summary>
public sealed record RecipeTraining
{
    /// <summary>The keys that do not change what the updates are.</summary>
    internal static readonly string[] MayChange =
        ["training.max_updates", "training.max_minutes", "training.patience", "training.checkpoint_every", "training.keep_checkpoints"];

    /// <summary>Tokens a batch, padding included, on the longer of the two sides; null to measure what fits.</summary>
    public int? BatchTokens { get; init; } = 4096;

    /// <summary>The most sentences, or blocks of text, a batch; null for as many as <see cref="BatchTokens"/> allows.</summary>
    public int? BatchSentences { get; init; }

    /// <summary>Batches are padded until their lengths are multiples of it; null for 8 on a GPU with <see cref="Graphs"/>, else 1.</summary>
    public int? LengthMultiple { get; init; }

    /// <summary>Whether a GPU captures the work of each shape of batch as a CUDA graph.</summary>
    public bool Graphs { get; init; } = true;

    /// <summary>Whether what is within a layer is computed again in backward and not kept.</summary>
    public bool GradientCheckpointing { get; init; }

    /// <summary>The type of the activations.</summary>
    public DType Precision { get; init; }

    /// <summary>Whether a GPU may round the inputs of float32 products to TF32.</summary>
    public bool Tf32 { get; init; }

    /// <summary>Batches whose gradients are summed before an update.</summary>
    public int Accumulate { get; init; } = 1;

    /// <summary>What gradients are divided by.</summary>
    public GradientAverage GradientAverage { get; init; }

    /// <summary>Probability spread over the wrong tokens.</summary>
    public float LabelSmoothing { get; init; } = 0.1f;

    /// <summary>Over which tokens it is spread.</summary>
    public LabelSmoothing SmoothingForm { get; init; } = Tensors.LabelSmoothing.OverOthers;

    /// <summary>What makes the updates.</summary>
    public OptimizerKind Optimizer { get; init; }

    /// <summary>Decay of Adam's mean of gradients.</summary>
    public float AdamBeta1 { get; init; } = 0.9f;

    /// <summary>Decay of Adam's mean of squared gradients.</summary>
    public float AdamBeta2 { get; init; } = 0.98f;

    /// <summary>Added to Adam's denominator.</summary>
    public float AdamEpsilon { get; init; } = 1e-8f;

    /// <summary>Whose form of Adam.</summary>
    public AdamForm AdamForm { get; init; } = Tensors.AdamForm.Fairseq;

    /// <summary>Share of the velocity that sgd keeps.</summary>
    public float Momentum { get; init; }

    /// <summary>Whether sgd steps in Nesterov's form.</summary>
    public bool Nesterov { get; init; }

    /// <summary>Share of its averages that Adadelta keeps.</summary>
    public float AdadeltaRho { get; init; } = 0.95f;

    /// <summary>Added under Adadelta's roots.</summary>
    public float AdadeltaEpsilon { get; init; } = 1e-6f;

    /// <summary>Pull of the parameters towards zero.</summary>
    public float WeightDecay { get; init; }

    /// <summary>Gradients of a larger norm are scaled down to it; 0 for never.</summary>
    public float ClipNorm { get; init; }

    /// <summary>How the learning rate goes.</summary>
    public ScheduleKind Schedule { get; init; } = ScheduleKind.InverseSquareRoot;

    /// <summary>The highest learning rate.</summary>
    public float LearningRate { get; init; } = 5e-4f;

    /// <summary>Updates until the highest learning rate.</summary>
    public int WarmupUpdates { get; init; } = 4000;

    /// <summary>Updates from the end of the warm-up to the lowest rate.</summary>
    public int? DecayUpdates { get; init; }

    /// <summary>The lowest learning rate after the warm-up.</summary>
    public float MinLearningRate { get; init; }

    /// <summary>The power of the polynomial schedule.</summary>
    public float DecayPower { get; init; } = 1;

    /// <summary>Whether the cosine schedule begins again after <see cref="DecayUpdates"/>.</summary>
    public bool Restarts { get; init; }

    /// <summary>The length of a period of the cosine over that of the one before.</summary>
    public float RestartGrowth { get; init; } = 1;

    /// <summary>The rates of a period of the cosine over those of the one before.</summary>
    public float RestartShrink { get; init; } = 1;

    /// <summary>What the rate is multiplied by on a plateau.</summary>
    public float PlateauFactor { get; init; } = 0.1f;

    /// <summary>Validations that may be no better before the rate is reduced.</summary>
    public int PlateauPatience { get; init; }

    /// <summary>By what share of the best loss a better one must be smaller.</summary>
    public float PlateauThreshold { get; init; } = 1e-4f;

    /// <summary>Whether every validation after the first reduction reduces the rate again.</summary>
    public bool PlateauAnneals { get; init; }

    /// <summary>Updates before the first step of the rate.</summary>
    public int? StepFirst { get; init; }

    /// <summary>Updates from a step to the next.</summary>
    public int? StepEvery { get; init; }

    /// <summary>What each step multiplies the rate by.</summary>
    public float StepFactor { get; init; } = 0.5f;

    /// <summary>Decay of the moving average of the parameters; 0 for none.</summary>
    public float EmaDecay { get; init; }

    /// <summary>Updates after which the run ends.</summary>
    public int? MaxUpdates { get; init; }

    /// <summary>Minutes after which the run ends.</summary>
    public float? MaxMinutes { get; init; }

    /// <summary>Updates between validations; 0 to validate after each epoch.</summary>
    public int ValidateEvery { get; init; }

    /// <summary>What the best checkpoint is the best by.</summary>
    public KeepBest KeepBest { get; init; }

    /// <summary>Validations in a row that are no new best, after which the run ends; null for never.</summary>
    public int? Patience { get; init; }

    /// <summary>Updates between checkpoints that are kept; 0 for one at the end of each epoch.</summary>
    public int CheckpointEvery { get; init; }

    /// <summary>How many checkpoints besides the best and the last are kept.</summary>
    public int KeepCheckpoints { get; init; }

    /// <summary>The folder of a run whose best parameters and vocabularies this run begins with; empty for none.</summary>
    public string InitializeFrom { get; init; } = "";

    /// <summary>For each encoder layer the one of that run, from 1, that it begins as; empty for the one of its own number.</summary>
    public IReadOnlyList<int> InitializeEncoderLayers { get; init; } = [];

    /// <summary>The same for the decoder.</summary>
    public IReadOnlyList<int> InitializeDecoderLayers { get; init; } = [];

    /// <summary>The folder of a run whose model this one learns from, token by token; empty for none.</summary>
    public string Teacher { get; init; } = "";

    /// <summary>The share of the teacher's loss.</summary>
    public float TeacherWeight { get; init; } = 0.7f;

    /// <summary>What both models' logits are divided by in it.</summary>
    public float TeacherTemperature { get; init; } = 1;

    /// <summary>The seed of initial values, dropout and the order of the batches.</summary>
    public ulong Seed { get; init; } = 1;
}
