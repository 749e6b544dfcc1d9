namespace CudaSeq.Models;

/// <summary>Which keys of a recipe's training go together.</summary>
internal static class RecipeTrainingRules
{
    /// <summary>Keys that mean something with some values of another key alone. A resolved recipe writes them all out: only what is not the default is refused.</summary>
    private static readonly (string[] Keys, string Needs, string[] Values)[] Partners =
    [
        (["adam_beta1", "adam_beta2", "adam_epsilon", "adam_form"], "optimizer", ["adam"]),
        (["momentum", "nesterov"], "optimizer", ["sgd"]),
        (["adadelta_rho", "adadelta_epsilon"], "optimizer", ["adadelta"]),
        (["decay_updates"], "schedule", ["cosine", "linear", "polynomial"]),
        (["min_learning_rate"], "schedule", ["cosine", "linear", "polynomial", "plateau", "step"]),
        (["decay_power"], "schedule", ["polynomial"]),
        (["restarts"], "schedule", ["cosine"]),
        (["restart_growth", "restart_shrink"], "restarts", ["true"]),
        (["plateau_factor", "plateau_patience", "plateau_threshold", "plateau_anneals"], "schedule", ["plateau"]),
        (["step_first", "step_every", "step_factor"], "schedule", ["step"]),
    ];

    /// <summary>What is wrong, each with the keys that it is about.</summary>
    public static IEnumerable<(string[] Keys, string Problem)> Broken(Recipe recipe)
    {
        var training = recipe.Training;
        if (training is { MaxUpdates: null, MaxMinutes: null })
            yield return (["training.max_updates", "training.max_minutes"], "training.max_updates or training.max_minutes must be given, or the run would never end.");
        if (training is { Schedule: ScheduleKind.InverseSquareRoot, WarmupUpdates: 0 })
            yield return (["training.schedule", "training.warmup_updates"], "training.warmup_updates must be at least 1 with training.schedule inverse_sqrt, got 0.");
        foreach (var (keys, needs, values) in Partners)
        {
            foreach (string key in keys)
            {
                if (Alone(recipe, key, needs, values) is { } problem)
                    yield return ([Path(key), Path(needs)], problem);
            }
        }

        if (training is { DecayUpdates: null, Schedule: ScheduleKind.Cosine or ScheduleKind.Linear or ScheduleKind.Polynomial })
            yield return ([Path("decay_updates"), Path("schedule")], $"training.decay_updates must be given with training.schedule {Show(recipe, "schedule")}.");
        if (training is { Schedule: ScheduleKind.Step, StepFirst: null } or { Schedule: ScheduleKind.Step, StepEvery: null })
            yield return ([Path(training.StepFirst is null ? "step_first" : "step_every"), Path("schedule")], "training.step_first and training.step_every must be given with training.schedule step.");
        else if (training is { Schedule: ScheduleKind.Step } && training.StepFirst < training.WarmupUpdates)
            yield return ([Path("step_first"), Path("warmup_updates")], $"training.step_first must be at least training.warmup_updates, got {training.StepFirst} and {training.WarmupUpdates}.");
        foreach (var (key, layers, count) in new[] { ("initialize_encoder_layers", training.InitializeEncoderLayers, recipe.Model.EncoderLayers), ("initialize_decoder_layers", training.InitializeDecoderLayers, recipe.Model.DecoderLayers) })
        {
            if (layers.Count > 0 && training.InitializeFrom.Length == 0)
                yield return ([Path(key), Path("initialize_from")], $"{Path(key)} needs training.initialize_from, got {Show(recipe, key)} alone.");
            else if (layers.Count > 0 && recipe.Model.Architecture == Architecture.RnnSearch)
                yield return ([Path(key), RecipeKeys.ArchitectureKey], $"{Path(key)} needs an architecture of several layers, got {RecipeKeys.Show(recipe, RecipeKeys.ArchitectureKey)}.");
            else if (layers.Count > 0 && layers.Count != count)
                yield return ([Path(key)], $"{Path(key)} must name a layer for each of the {count}, got {Show(recipe, key)}.");
        }

        if (training.GradientCheckpointing && !recipe.Model.HasLayers)
            yield return ([Path("gradient_checkpointing"), RecipeKeys.ArchitectureKey], $"training.gradient_checkpointing needs an architecture of layers, got {RecipeKeys.Show(recipe, RecipeKeys.ArchitectureKey)}.");
        foreach (string key in (string[])["teacher_weight", "teacher_temperature"])
        {
            if (training.Teacher.Length == 0 && !RecipeKeys.IsDefault(recipe, Path(key)))
                yield return ([Path(key), Path("teacher")], $"{Path(key)} needs training.teacher, got {Show(recipe, key)} alone.");
        }

        if (training.MinLearningRate > training.LearningRate)
            yield return ([Path("min_learning_rate"), Path("learning_rate")], $"training.min_learning_rate must be at most training.learning_rate, got {Show(recipe, "min_learning_rate")} and {Show(recipe, "learning_rate")}.");
        if (training is { Nesterov: true, Momentum: 0, Optimizer: OptimizerKind.Sgd })
            yield return ([Path("nesterov"), Path("momentum"), Path("optimizer")], "training.nesterov needs a training.momentum above 0, got 0.");
        if (training is { CheckpointEvery: > 0, KeepCheckpoints: 0 })
            yield return ([Path("checkpoint_every"), Path("keep_checkpoints")], $"training.checkpoint_every needs a training.keep_checkpoints of at least 1, got {training.CheckpointEvery} and 0.");
    }

    private static string? Alone(Recipe recipe, string key, string needs, string[] values)
    {
        string given = Show(recipe, key), partner = Show(recipe, needs);
        if (values.Contains(partner) || RecipeKeys.IsDefault(recipe, Path(key)))
            return null;
        string choices = values.Length == 1 ? values[0] : $"{string.Join(", ", values.SkipLast(1))} or {values[^1]}";
        return $"{Path(key)} needs {Path(needs)} {choices}, got {given} and {partner}.";
    }

    private static string Path(string name) => $"training.{name}";

    private static string Show(Recipe recipe, string name) => RecipeKeys.Show(recipe, Path(name));
}
