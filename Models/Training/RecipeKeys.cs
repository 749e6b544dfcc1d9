using CudaSeq.Kernels;
using CudaSeq.Tensors;
using static CudaSeq.Models.RecipeTypes;

namespace CudaSeq.Models;

/// <summary>The table of all keys of a recipe, in the order of the file.</summary>
internal static class RecipeKeys
{
    /// <summary>Named in a file, resolved when it is read, never written.</summary>
    public const string PresetKey = "preset";

    public const string ArchitectureKey = "architecture";

    /// <summary>Another recipe, whose keys hold where this one does not give them; resolved when it is read, never written.</summary>
    public const string BaseKey = "base";

    /// <summary>What editors look for in a JSON file; it says nothing about the experiment.</summary>
    public const string SchemaKey = "$schema";

    /// <summary>The sections in order, the top first.</summary>
    public static IReadOnlyList<string> Sections { get; } = ["", "model", "data", "training", "decoding"];

    /// <summary>What a key may be in a file.</summary>
    public static RecipeKey[] All { get; } =
    [
        new RecipeKey<string>("name", Text, r => r.Name, (r, v) => r with { Name = v }, "Names the run directory; the file's name when left out."),
        new RecipeKey<RecipeTask>(
            "task",
            OneOf(("translation", RecipeTask.Translation), ("language_modeling", RecipeTask.LanguageModeling)),
            r => r.Task,
            (r, v) => r with { Task = v },
            "What is learned: to write the target of a source, or to go on with a text, for which the model is a decoder alone."),

        .. ModelKeys.All.Where(k => k.IsInRecipes).Select(k => k.ForRecipes()),

        new RecipeKey<string>("data.folder", Text, r => r.Data.Folder, (r, v) => Data(r, d => d with { Folder = v }), "Where the files are, below the folder `CUDASEQ_DATA`. `--data DIR` names the folder of the files itself."),
        new RecipeKey<TrainingFiles?>(
            "data.train",
            Corpora,
            r => r.Data.Train,
            (r, v) => Data(r, d => d with { Train = v }),
            "The pairs, or the text, to learn from. Must be given. Of several corpora each pair is seen in every epoch as often as its `weight`, 1 when left out, says; `docs/corpora.md` says what becomes of a fraction."),
        Files("valid", d => d.Valid, (d, v) => d with { Valid = v }, "The pairs, or the text, that choose the best checkpoint. Must be given."),
        Files("test", d => d.Test, (d, v) => d with { Test = v }, "The pairs that the best checkpoint translates at the end of the run, or the text whose perplexity it then has."),
        new RecipeKey<TokenizerKind>(
            "data.tokenizer",
            OneOf(("bpe", TokenizerKind.Bpe), ("subword_nmt", TokenizerKind.SubwordNmt), ("sentencepiece", TokenizerKind.SentencePiece), ("word", TokenizerKind.Word), ("character", TokenizerKind.Character)),
            r => r.Data.Tokenizer,
            (r, v) => Data(r, d => d with { Tokenizer = v }),
            "How text becomes pieces: byte-pair encoding of raw text; that of subword-nmt, for text whose words stand between blanks already; the pieces of a SentencePiece model; those words; characters."),
        new RecipeKey<string>("data.sentencepiece_model", Text, r => r.Data.SentencePieceModel, (r, v) => Data(r, d => d with { SentencePieceModel = v }), "The .model file of `sentencepiece`, by its path from the folder of the files; one for both sides."),
        DataWhole("vocabulary_size", 8, 1_000_000, d => d.VocabularySize, (d, v) => d with { VocabularySize = v }, "Largest size of a vocabulary, the four special tokens included."),
        DataWhole("merges", 1, 1_000_000, d => d.Merges, (d, v) => d with { Merges = v }, "Merges that `subword_nmt` learns; its vocabulary is what the training text is then made of, at most `vocabulary_size`."),
        new RecipeKey<bool>("data.joint", Flag, r => r.Data.Joint, (r, v) => Data(r, d => d with { Joint = v }), "Source and target share one vocabulary."),
        DataWhole("max_length", 1, 1_000_000, d => d.MaxLength, (d, v) => d with { MaxLength = v }, "Training pairs with a longer side, in pieces, are left out; of a language model's text, lines with `sample_break_mode` eos."),
        DataWhole("tokens_per_sample", 1, 1_000_000, d => d.TokensPerSample, (d, v) => d with { TokensPerSample = v }, "Tokens of a block of a language model's text."),
        new RecipeKey<SampleBreak>(
            "data.sample_break_mode",
            OneOf(("none", SampleBreak.None), ("complete", SampleBreak.Complete), ("eos", SampleBreak.Eos)),
            r => r.Data.SampleBreakMode,
            (r, v) => Data(r, d => d with { SampleBreakMode = v }),
            "Where blocks end: after `tokens_per_sample` tokens wherever a line ends; at the last line's end before that; at every line's end, so that lines know nothing of each other."),
        DataWhole("context_window", 0, 1_000_000, d => d.ContextWindow, (d, v) => d with { ContextWindow = v }, "Of the `tokens_per_sample` tokens of a block, how many validation and test only read: the last of the text before it. Every token is predicted once."),

        new RecipeKey<int?>(
            "training.batch_tokens",
            OrAuto(Whole(1)),
            r => r.Training.BatchTokens,
            (r, v) => Training(r, t => t with { BatchTokens = v }),
            "Tokens a batch: sentences times the longest, padding included, on the longer side; auto measures before the run what fits into the GPU's memory, and is the number in the run's own recipe."),
        new RecipeKey<int?>("training.batch_sentences", OrNull(Whole(1)), r => r.Training.BatchSentences, (r, v) => Training(r, t => t with { BatchSentences = v }), "Sentences, or blocks of text, a batch of training has at most; null for as many as `batch_tokens` allows. Validation goes by `batch_tokens` alone."),
        new RecipeKey<int?>(
            "training.length_multiple",
            OrNull(Whole(1, 1024)),
            r => r.Training.LengthMultiple,
            (r, v) => Training(r, t => t with { LengthMultiple = v }),
            "Batches are padded until their lengths are multiples of it; null for 8 on a GPU with `graphs`, else 1."),
        new RecipeKey<bool>("training.graphs", Flag, r => r.Training.Graphs, (r, v) => Training(r, t => t with { Graphs = v }), "On a GPU the work of each shape of batch is captured as a CUDA graph."),
        new RecipeKey<bool>(
            "training.gradient_checkpointing",
            Flag,
            r => r.Training.GradientCheckpointing,
            (r, v) => Training(r, t => t with { GradientCheckpointing = v }),
            "Of a forward only what each layer gives is kept; the rest is computed again in backward: larger batches fit, and an update takes about a third longer. No bit changes."),
        new RecipeKey<DType>(
            "training.precision",
            OneOf([.. Precisions.Training]),
            r => r.Training.Precision,
            (r, v) => Training(r, t => t with { Precision = v }),
            "The type of the activations: bf16 is for a GPU. Parameters and the optimiser's state are float32 with both."),
        new RecipeKey<bool>("training.tf32", Flag, r => r.Training.Tf32, (r, v) => Training(r, t => t with { Tf32 = v }), "On a GPU float32 products may round their inputs to TF32."),
        TrainingWhole("accumulate", 1, t => t.Accumulate, (t, v) => t with { Accumulate = v }, "Batches whose gradients are summed before an update."),
        new RecipeKey<GradientAverage>(
            "training.gradient_average",
            OneOf(("tokens", GradientAverage.Tokens), ("sentences", GradientAverage.Sentences)),
            r => r.Training.GradientAverage,
            (r, v) => Training(r, t => t with { GradientAverage = v }),
            "What the gradients of an update are divided by: its target tokens or its sentences, fairseq's sentence-avg."),
        TrainingNumber("label_smoothing", Number(0, below: 1), t => t.LabelSmoothing, (t, v) => t with { LabelSmoothing = v }, "Probability spread over the wrong tokens."),
        new RecipeKey<LabelSmoothing>(
            "training.smoothing_form",
            OneOf(("over_others", LabelSmoothing.OverOthers), ("uniform", LabelSmoothing.Uniform)),
            r => r.Training.SmoothingForm,
            (r, v) => Training(r, t => t with { SmoothingForm = v }),
            "Whether it is spread over all other tokens or over all tokens."),
        new RecipeKey<OptimizerKind>(
            "training.optimizer",
            OneOf(("adam", OptimizerKind.Adam), ("sgd", OptimizerKind.Sgd), ("adadelta", OptimizerKind.Adadelta)),
            r => r.Training.Optimizer,
            (r, v) => Training(r, t => t with { Optimizer = v }),
            "What makes the updates: Adam, or stochastic gradient descent or Adadelta with PyTorch's formulas."),
        TrainingNumber("adam_beta1", Number(0, below: 1), t => t.AdamBeta1, (t, v) => t with { AdamBeta1 = v }, "Decay of Adam's mean of gradients."),
        TrainingNumber("adam_beta2", Number(0, below: 1), t => t.AdamBeta2, (t, v) => t with { AdamBeta2 = v }, "Decay of Adam's mean of squared gradients."),
        TrainingNumber("adam_epsilon", Positive, t => t.AdamEpsilon, (t, v) => t with { AdamEpsilon = v }, "Added to Adam's denominator."),
        new RecipeKey<AdamForm>(
            "training.adam_form",
            OneOf(("fairseq", AdamForm.Fairseq), ("pytorch", AdamForm.PyTorch)),
            r => r.Training.AdamForm,
            (r, v) => Training(r, t => t with { AdamForm = v }),
            "Where epsilon and the weight decay go: they differ between the two."),
        TrainingNumber("momentum", Number(0, below: 1), t => t.Momentum, (t, v) => t with { Momentum = v }, "Share of the velocity that sgd keeps at each update; 0 for no velocity."),
        new RecipeKey<bool>("training.nesterov", Flag, r => r.Training.Nesterov, (r, v) => Training(r, t => t with { Nesterov = v }), "Sgd steps along gradient + momentum * velocity, Nesterov's form."),
        TrainingNumber("adadelta_rho", Number(0, below: 1), t => t.AdadeltaRho, (t, v) => t with { AdadeltaRho = v }, "Share of its averages of squares that adadelta keeps at each update."),
        TrainingNumber("adadelta_epsilon", Positive, t => t.AdadeltaEpsilon, (t, v) => t with { AdadeltaEpsilon = v }, "Added under both of adadelta's roots."),
        TrainingNumber("weight_decay", Number(0), t => t.WeightDecay, (t, v) => t with { WeightDecay = v }, "Pull of the parameters towards zero; for sgd and adadelta an L2 penalty."),
        TrainingNumber("clip_norm", Number(0), t => t.ClipNorm, (t, v) => t with { ClipNorm = v }, "Gradients of a larger norm are scaled down to it; 0 for never."),
        new RecipeKey<ScheduleKind>(
            "training.schedule",
            OneOf(
                ("inverse_sqrt", ScheduleKind.InverseSquareRoot),
                ("fixed", ScheduleKind.Fixed),
                ("cosine", ScheduleKind.Cosine),
                ("linear", ScheduleKind.Linear),
                ("polynomial", ScheduleKind.Polynomial),
                ("plateau", ScheduleKind.Plateau),
                ("step", ScheduleKind.Step)),
            r => r.Training.Schedule,
            (r, v) => Training(r, t => t with { Schedule = v }),
            "The learning rate after the warm-up: see below."),
        TrainingNumber("learning_rate", Positive, t => t.LearningRate, (t, v) => t with { LearningRate = v }, "The highest learning rate."),
        TrainingWhole("warmup_updates", 0, t => t.WarmupUpdates, (t, v) => t with { WarmupUpdates = v }, "Updates until the highest learning rate."),
        new RecipeKey<int?>(
            "training.decay_updates",
            OrNull(Whole(1)),
            r => r.Training.DecayUpdates,
            (r, v) => Training(r, t => t with { DecayUpdates = v }),
            "Updates from the end of the warm-up to the lowest rate, for `cosine`, `linear` and `polynomial`, which need it."),
        TrainingNumber("min_learning_rate", Number(0), t => t.MinLearningRate, (t, v) => t with { MinLearningRate = v }, "The lowest learning rate after the warm-up, for `cosine`, `linear`, `polynomial`, `plateau` and `step`."),
        TrainingNumber("decay_power", Positive, t => t.DecayPower, (t, v) => t with { DecayPower = v }, "The power of `polynomial`; 1 is `linear`."),
        new RecipeKey<bool>("training.restarts", Flag, r => r.Training.Restarts, (r, v) => Training(r, t => t with { Restarts = v }), "`cosine` begins again after every period of `decay_updates`."),
        TrainingNumber("restart_growth", Number(1), t => t.RestartGrowth, (t, v) => t with { RestartGrowth = v }, "Each period is so many times as long as the one before."),
        TrainingNumber("restart_shrink", Number(0, 1), t => t.RestartShrink, (t, v) => t with { RestartShrink = v }, "The rates of each period are so many times those of the one before."),
        TrainingNumber("plateau_factor", Number(0, below: 1), t => t.PlateauFactor, (t, v) => t with { PlateauFactor = v }, "What `plateau` multiplies the rate by."),
        TrainingWhole("plateau_patience", 0, t => t.PlateauPatience, (t, v) => t with { PlateauPatience = v }, "Validations in a row whose loss may be no better before `plateau` reduces the rate."),
        TrainingNumber("plateau_threshold", Number(0, below: 1), t => t.PlateauThreshold, (t, v) => t with { PlateauThreshold = v }, "By what share of the best loss a better one must be smaller."),
        new RecipeKey<bool>("training.plateau_anneals", Flag, r => r.Training.PlateauAnneals, (r, v) => Training(r, t => t with { PlateauAnneals = v }), "After its first reduction `plateau` reduces the rate at every validation."),
        new RecipeKey<int?>("training.step_first", OrNull(Whole(1)), r => r.Training.StepFirst, (r, v) => Training(r, t => t with { StepFirst = v }), "Updates before the first step of `step`, which needs it."),
        new RecipeKey<int?>("training.step_every", OrNull(Whole(1)), r => r.Training.StepEvery, (r, v) => Training(r, t => t with { StepEvery = v }), "Updates from a step of `step` to the next, which it needs."),
        TrainingNumber("step_factor", Number(0, 1), t => t.StepFactor, (t, v) => t with { StepFactor = v }, "What each step of `step` multiplies the rate by."),
        TrainingNumber("ema_decay", Number(0, below: 1), t => t.EmaDecay, (t, v) => t with { EmaDecay = v }, "Decay of an exponential moving average of the parameters, which is what is validated and saved as the best; 0 for none."),
        new RecipeKey<int?>("training.max_updates", OrNull(Whole(1)), r => r.Training.MaxUpdates, (r, v) => Training(r, t => t with { MaxUpdates = v }), "Updates after which the run ends, counted from its start. This or `max_minutes` must be given."),
        new RecipeKey<float?>("training.max_minutes", OrNull(Positive), r => r.Training.MaxMinutes, (r, v) => Training(r, t => t with { MaxMinutes = v }), "Minutes after which the run ends, validation included."),
        TrainingWhole("validate_every", 0, t => t.ValidateEvery, (t, v) => t with { ValidateEvery = v }, "Updates between validations; 0 to validate after each epoch."),
        new RecipeKey<KeepBest>(
            "training.keep_best",
            OneOf(("bleu", KeepBest.Bleu), ("loss", KeepBest.Loss)),
            r => r.Training.KeepBest,
            (r, v) => Training(r, t => t with { KeepBest = v }),
            "What the best checkpoint is the best by."),
        new RecipeKey<int?>("training.patience", OrNull(Whole(1)), r => r.Training.Patience, (r, v) => Training(r, t => t with { Patience = v }), "Validations in a row that are no new best, after which the run ends; null for never."),
        TrainingWhole("checkpoint_every", 0, t => t.CheckpointEvery, (t, v) => t with { CheckpointEvery = v }, "Updates between the checkpoints that `keep_checkpoints` counts; 0 for one at the end of each epoch."),
        TrainingWhole("keep_checkpoints", 0, t => t.KeepCheckpoints, (t, v) => t with { KeepCheckpoints = v }, "How many of the newest such checkpoints are kept besides the best and the last, as checkpoint-UPDATE.safetensors: for `cudaseq average`."),
        new RecipeKey<string>("training.initialize_from", Text, r => r.Training.InitializeFrom, (r, v) => Training(r, t => t with { InitializeFrom = v }), "The folder of a run whose best parameters are the first ones of this run, and whose vocabularies are this run's."),
        TrainingLayers("initialize_encoder_layers", t => t.InitializeEncoderLayers, (t, v) => t with { InitializeEncoderLayers = v }, "For each layer of the encoder the layer of that run, from 1, that it begins as; empty for the one of its own number."),
        TrainingLayers("initialize_decoder_layers", t => t.InitializeDecoderLayers, (t, v) => t with { InitializeDecoderLayers = v }, "The same for the decoder."),
        new RecipeKey<string>("training.teacher", Text, r => r.Training.Teacher, (r, v) => Training(r, t => t with { Teacher = v }), "The folder of a run with the same vocabularies whose best model this one learns from, token by token (distillation)."),
        TrainingNumber("teacher_weight", Number(0, 1), t => t.TeacherWeight, (t, v) => t with { TeacherWeight = v }, "The share of the teacher's loss; the text has the rest."),
        TrainingNumber("teacher_temperature", Positive, t => t.TeacherTemperature, (t, v) => t with { TeacherTemperature = v }, "What both models' logits are divided by in that loss, which is then multiplied by its square."),
        new RecipeKey<ulong>("training.seed", Seed, r => r.Training.Seed, (r, v) => Training(r, t => t with { Seed = v }), "Seed of initial values, dropout and the order of the batches."),

        DecodingWhole("beam", 1, DecodingOptions.MostBeam, d => d.Beam, (d, v) => d with { Beam = v }, "Hypotheses kept at each step; 1 is greedy."),
        DecodingNumber("length_penalty", Number(-DecodingOptions.MostLengthPenalty, DecodingOptions.MostLengthPenalty), d => d.LengthPenalty, (d, v) => d with { LengthPenalty = v }, "Scores are divided by the length to this power."),
        new RecipeKey<LengthPenaltyForm>(
            "decoding.length_penalty_form",
            OneOf(("power", LengthPenaltyForm.Power), ("gnmt", LengthPenaltyForm.Gnmt)),
            r => r.Decoding.LengthPenaltyForm,
            (r, v) => Decoding(r, d => d with { LengthPenaltyForm = v }),
            "Whether that length is the number of pieces, end-of-sentence included, or (5 + that number) / 6 as in GNMT."),
        DecodingWhole("min_length", 0, 1023, d => d.MinLength, (d, v) => d with { MinLength = v }, "A translation has at least so many pieces."),
        new RecipeKey<double>("decoding.max_length_a", DoubleNumber(0), r => r.Decoding.MaxLengthA, (r, v) => Decoding(r, d => d with { MaxLengthA = v }), "A translation has at most `max_length_a` times the source's length plus `max_length_b` pieces."),
        DecodingWhole("max_length_b", 0, 1_000_000, d => d.MaxLengthB, (d, v) => d with { MaxLengthB = v }, "See `max_length_a`; no translation has more than 1023 pieces."),
        DecodingWhole("no_repeat_ngram_size", 0, 1023, d => d.NoRepeatNGramSize, (d, v) => d with { NoRepeatNGramSize = v }, "No so many pieces in a row come twice in a translation; 0 lets them."),
        new RecipeKey<BleuTokenization>(
            "decoding.bleu_tokenize",
            OneOf([.. Enum.GetValues<BleuTokenization>().Select(t => (new BleuOptions { Tokenization = t }.TokenizationName, t))]),
            r => r.Decoding.BleuTokenize,
            (r, v) => Decoding(r, d => d with { BleuTokenize = v }),
            "How the BLEU of validation and test cuts text into words, as in `cudaseq score --tokenize`; none for files that are tokenised already."),
        DecodingWhole("batch_tokens", 1, int.MaxValue, d => d.BatchTokens, (d, v) => d with { BatchTokens = v }, "Source tokens translated together, padding included."),
        new RecipeKey<bool>("decoding.graphs", Flag, r => r.Decoding.Graphs, (r, v) => Decoding(r, d => d with { Graphs = v }), "On a GPU the steps of each shape are captured as a CUDA graph; no bit changes by it."),
    ];

    /// <summary>The keys of one section as one writes them there; sections themselves are keys of the top.</summary>
    public static IEnumerable<string> NamesIn(string section)
    {
        var names = All.Where(k => k.Section == section).Select(k => k.Name);
        return section.Length > 0 ? names : names.Prepend(BaseKey).Append(PresetKey).Concat(Sections.Skip(1));
    }

    /// <summary>A recipe's value of a key as messages show it.</summary>
    public static string Show(Recipe recipe, string path) => All.Single(k => k.Path == path).Show(recipe).Trim('"');

    /// <summary>Whether a recipe's value of a key is what holds where the key is left out.</summary>
    public static bool IsDefault(Recipe recipe, string path) => Show(recipe, path) == Show(new Recipe(), path);

    private static Recipe Data(Recipe r, Func<RecipeData, RecipeData> change) => r with { Data = change(r.Data) };

    private static Recipe Training(Recipe r, Func<RecipeTraining, RecipeTraining> change) => r with { Training = change(r.Training) };

    private static Recipe Decoding(Recipe r, Func<RecipeDecoding, RecipeDecoding> change) => r with { Decoding = change(r.Decoding) };

    private static RecipeKey<IReadOnlyList<int>> TrainingLayers(
        string name, Func<RecipeTraining, IReadOnlyList<int>> get, Func<RecipeTraining, IReadOnlyList<int>, RecipeTraining> set, string explanation)
        => new($"training.{name}", Wholes(1, 1000), r => get(r.Training), (r, v) => Training(r, t => set(t, v)), explanation);

    private static RecipeKey<CorpusFiles?> Files(string name, Func<RecipeData, CorpusFiles?> get, Func<RecipeData, CorpusFiles?, RecipeData> set, string explanation)
        => new($"data.{name}", RecipeTypes.Files, r => get(r.Data), (r, v) => Data(r, d => set(d, v)), explanation);

    private static RecipeKey<int> DataWhole(string name, int least, int most, Func<RecipeData, int> get, Func<RecipeData, int, RecipeData> set, string explanation)
        => new($"data.{name}", Whole(least, most), r => get(r.Data), (r, v) => Data(r, d => set(d, v)), explanation);

    private static RecipeKey<int> TrainingWhole(string name, int least, Func<RecipeTraining, int> get, Func<RecipeTraining, int, RecipeTraining> set, string explanation)
        => new($"training.{name}", Whole(least), r => get(r.Training), (r, v) => Training(r, t => set(t, v)), explanation);

    private static RecipeKey<float> TrainingNumber(
        string name,
        RecipeType<float> type,
        Func<RecipeTraining, float> get,
        Func<RecipeTraining, float, RecipeTraining> set,
        string explanation)
        => new($"training.{name}", type, r => get(r.Training), (r, v) => Training(r, t => set(t, v)), explanation);

    private static RecipeKey<int> DecodingWhole(string name, int least, int most, Func<RecipeDecoding, int> get, Func<RecipeDecoding, int, RecipeDecoding> set, string explanation)
        => new($"decoding.{name}", Whole(least, most), r => get(r.Decoding), (r, v) => Decoding(r, d => set(d, v)), explanation);

    private static RecipeKey<float> DecodingNumber(
        string name,
        RecipeType<float> type,
        Func<RecipeDecoding, float> get,
        Func<RecipeDecoding, float, RecipeDecoding> set,
        string explanation)
        => new($"decoding.{name}", type, r => get(r.Decoding), (r, v) => Decoding(r, d => set(d, v)), explanation);
}
