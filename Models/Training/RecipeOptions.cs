using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>What a recipe's training means to a <see cref="Trainer"/>.</summary>
internal static class RecipeOptions
{
    // A thousand years: beyond it a TimeSpan overflows, and nobody can tell the difference.
    private const float MostMinutes = 5e8f;

    /// <summary>The options of a run.</summary>
    /// <param name="recipe">Checked.</param>
    /// <param name="batchTokens">The size of a batch, which the recipe may have left to be measured.</param>
    /// <param name="notes">Facts for the log's first line.</param>
    public static TrainerOptions Training(Recipe recipe, int batchTokens, IReadOnlyDictionary<string, string>? notes)
    {
        var t = recipe.Training;
        return new TrainerOptions
        {
            BatchTokens = batchTokens,
            BatchSentences = t.BatchSentences,
            LengthMultiple = t.LengthMultiple,
            Graphs = t.Graphs,
            GradientCheckpointing = t.GradientCheckpointing,
            Precision = t.Precision,
            Accumulate = t.Accumulate,
            GradientAverage = t.GradientAverage,
            LabelSmoothing = t.LabelSmoothing,
            SmoothingForm = t.SmoothingForm,
            Adam = new AdamOptions
            {
                Beta1 = t.AdamBeta1,
                Beta2 = t.AdamBeta2,
                Epsilon = t.AdamEpsilon,
                Form = t.AdamForm,
                WeightDecay = t.WeightDecay,
            },
            Sgd = t.Optimizer == OptimizerKind.Sgd ? new SgdOptions { Momentum = t.Momentum, Nesterov = t.Nesterov, WeightDecay = t.WeightDecay } : null,
            Adadelta = t.Optimizer == OptimizerKind.Adadelta ? new AdadeltaOptions { Rho = t.AdadeltaRho, Epsilon = t.AdadeltaEpsilon, WeightDecay = t.WeightDecay } : null,
            ClipNorm = t.ClipNorm,
            Schedule = Schedule(t),
            EmaDecay = t.EmaDecay,
            MaxUpdates = t.MaxUpdates,
            MaxTime = t.MaxMinutes is { } minutes ? TimeSpan.FromMinutes(Math.Min(minutes, MostMinutes)) : null,
            ValidateEvery = t.ValidateEvery,
            ValidationDecoding = recipe.Task == RecipeTask.Translation ? Experiment.Decoding(recipe).Greedy() : null,
            ValidationBleu = Bleu(recipe),
            KeepBest = t.KeepBest,
            Patience = t.Patience,
            CheckpointEvery = t.CheckpointEvery,
            KeepCheckpoints = t.KeepCheckpoints,
            Seed = t.Seed,
            Notes = notes ?? new Dictionary<string, string>(),
        };
    }

    /// <summary>The BLEU that a recipe's translations are scored by.</summary>
    public static BleuOptions Bleu(Recipe recipe) => new() { Tokenization = recipe.Decoding.BleuTokenize };

    /// <summary>The learning rate of a recipe.</summary>
    public static ILearningRateSchedule Schedule(RecipeTraining t)
    {
        var (peak, warmup, low, decay) = (t.LearningRate, t.WarmupUpdates, t.MinLearningRate, t.DecayUpdates ?? 0);
        return t.Schedule switch
        {
            ScheduleKind.InverseSquareRoot => new InverseSquareRootSchedule(peak, warmup),
            ScheduleKind.Cosine => new CosineSchedule(peak, warmup, decay, low, t.Restarts, t.RestartGrowth, t.RestartShrink),
            ScheduleKind.Linear => new PolynomialSchedule(peak, warmup, decay, low),
            ScheduleKind.Polynomial => new PolynomialSchedule(peak, warmup, decay, low, t.DecayPower),
            ScheduleKind.Plateau => new PlateauSchedule(peak, warmup, t.PlateauFactor, t.PlateauPatience, t.PlateauThreshold, low, t.PlateauAnneals),
            ScheduleKind.Step => new StepSchedule(peak, warmup, t.StepFirst ?? 0, t.StepEvery ?? 0, t.StepFactor, low),
            _ => new FixedSchedule(peak, warmup),
        };
    }
}
