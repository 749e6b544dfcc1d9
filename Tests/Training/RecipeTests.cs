using System.Text.RegularExpressions;
using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed partial class RecipeTests
{
    private const string Small =
        """
        {
          "architecture": "dynamicconv",
          "model": { "model_width": 64, "attention_heads": 4, "encoder_layers": 2, "decoder_layers": 1, "encoder_kernel_widths": [3, 7], "decoder_kernel_widths": [3] },
          "data": { "train": ["a.en", "a.de"], "valid": ["b.en", "b.de"] },
          "training": { "max_updates": 10 },
        }
        """;

    [Fact]
    public void ReadsWhatIsGivenAndKeepsTheDefaults()
    {
        var recipe = Recipe.Parse(Small, "recipes/small.json");
        Assert.Equal("small", recipe.Name);
        Assert.Equal(Architecture.DynamicConv, recipe.Model.Architecture);
        Assert.Equal([3, 7], recipe.Model.EncoderKernelWidths);
        Assert.Equal(new WeightedFiles(new CorpusFiles("a.en", "a.de")), Assert.Single(recipe.Data.Train!));
        Assert.Null(recipe.Data.Test);
        Assert.Equal(10, recipe.Training.MaxUpdates);
        Assert.Null(recipe.Training.MaxMinutes);
        Assert.Equal(4096, recipe.Training.BatchTokens);
        Assert.Equal(ScheduleKind.InverseSquareRoot, recipe.Training.Schedule);
        Assert.Equal(5, recipe.Decoding.Beam);
    }

    [Fact]
    public void AResolvedRecipeReadsBackAsItself()
    {
        var recipe = Recipe.Parse(Small, "small.json", ["training.learning_rate=0.00123", "training.max_minutes=2.5", "data.test=c.en,c.de", "training.seed=18446744073709551615"]);
        var again = Recipe.Parse(recipe.ToJson(), "other.json");
        Assert.Equal(recipe, again);
        Assert.Equal(recipe.ToJson(), again.ToJson());
        Assert.Equal(0.00123f, again.Training.LearningRate);
        Assert.Equal(ulong.MaxValue, again.Training.Seed);
    }

    [Fact]
    public void EveryKeyOfTheTableIsWrittenAndChangesTheRecipe()
    {
        string json = new Recipe().ToJson();
        foreach (var key in RecipeKeys.All)
            Assert.Contains($"\"{key.Name}\":", json);
        // A key whose setter sets another's value would show here.
        foreach (var key in RecipeKeys.All)
        {
            string[] candidates = ["9", "0.25", "true", "false", "\"x\"", "\"lightconv\"", "\"all\"", "\"word\"", "\"uniform\"", "\"pytorch\"", "\"fixed\"", "\"bf16\"", "\"sgd\"", "\"sentences\"", "\"loss\"", "\"gnmt\"", "\"coarse\"", "\"hard\"", "\"aligned\"", "\"sqrt\"", "\"geometric\"", "\"sinusoid\"", "\"act\"", "\"correctness\"", "\"separate\"", "\"intl\"", "\"tanh\"", "\"language_modeling\"", "\"eos\"", "[5]", "[\"p\", \"q\"]"];
            var changed = candidates
                .Select(c => key.Read(new Recipe(), System.Text.Json.JsonDocument.Parse(c).RootElement))
                .First(r => r is not null && key.Show(r) != key.Show(new Recipe()))!;
            Assert.All(RecipeKeys.All.Where(k => k != key), other => Assert.Equal(other.Show(new Recipe()), other.Show(changed)));
        }
    }

    [Fact]
    public void TheModelsKeysAreThoseOfAModelConfigExceptTheVocabularies()
        => Assert.Equal(
            ModelConfig.Keys.Except(["source_vocabulary", "target_vocabulary"]).Order(),
            RecipeKeys.NamesIn("model").Append("architecture").Order());

    [Theory]
    [InlineData("transformer_base", Architecture.Transformer)]
    [InlineData("lightconv_iwslt", Architecture.LightConv)]
    [InlineData("dynamicconv_big", Architecture.DynamicConv)]
    public void APresetIsTakenAndChanged(string preset, Architecture architecture)
    {
        string json = $$"""{ "preset": "{{preset}}", "model": { "dropout": 0.25 }, "data": { "train": ["a", "b"], "valid": ["a", "b"] }, "training": { "max_minutes": 1 } }""";
        var recipe = Recipe.Parse(json);
        Assert.Equal(RecipePresets.All[preset] with { Dropout = 0.25f }, recipe.Model);
        Assert.Equal(architecture, recipe.Model.Architecture);
        Assert.DoesNotContain("preset", recipe.ToJson());
        Assert.Equal(recipe, Recipe.Parse(recipe.ToJson()));
    }

    [Theory]
    [InlineData("transformer_wikitext_103", 60_000)]
    [InlineData("dynamicconv_billion_word", 160_000)]
    public void APresetMayBeALanguageModel(string preset, int lastCutoff)
    {
        string json = $$"""{ "task": "language_modeling", "preset": "{{preset}}", "data": { "train": ["a"], "valid": ["a"], "vocabulary_size": {{lastCutoff + 1}} }, "training": { "max_minutes": 1 } }""";
        var recipe = Recipe.Parse(json);
        Assert.Equal(RecipePresets.All[preset], recipe.Model);
        Assert.Equal(recipe, Recipe.Parse(recipe.ToJson()));
        string problem = Assert.Single(Assert.Throws<RecipeException>(() => Recipe.Parse(json.Replace("language_modeling", "translation", StringComparison.Ordinal).Replace("[\"a\"]", "[\"a\", \"b\"]", StringComparison.Ordinal))).Problems);
        Assert.Contains("model.encoder_layers must be at least 1 with task translation, got 0.", problem);
    }

    [Theory]
    [InlineData("training.warmup_update", "1", "r.json: training.warmup_update is not a key; did you mean warmup_updates?")]
    [InlineData("training.warmup", "1", "r.json: training.warmup is not a key; did you mean warmup_updates?")]
    [InlineData("training.dropout", "0.1", "r.json: training.dropout is not a key; did you mean model.dropout?")]
    [InlineData("model.kernel_widths", "[3]", "r.json: model.kernel_widths is not a key; did you mean encoder_kernel_widths?")]
    [InlineData("batch_tokens", "1", "r.json: batch_tokens is not a key; did you mean training.batch_tokens?")]
    [InlineData("trainning", "{}", "r.json: trainning is not a key; did you mean training?")]
    [InlineData("decoding.zzzz", "1", "r.json: decoding.zzzz is not a key; the keys of decoding are beam, length_penalty, length_penalty_form, min_length, max_length_a, max_length_b, no_repeat_ngram_size, bleu_tokenize, batch_tokens, graphs.")]
    [InlineData("zzzz", "1", "r.json: zzzz is not a key; the keys are base, name, task, architecture, preset, model, data, training, decoding.")]
    [InlineData("training.max_updates", "\"ten\"", "r.json: training.max_updates must be a whole number of at least 1, or null, got \"ten\".")]
    [InlineData("training.max_updates", "0", "r.json: training.max_updates must be a whole number of at least 1, or null, got 0.")]
    [InlineData("training.max_updates", "1.5", "r.json: training.max_updates must be a whole number of at least 1, or null, got 1.5.")]
    [InlineData("training.seed", "-1", "r.json: training.seed must be a whole number of at least 0, got -1.")]
    [InlineData("training.learning_rate", "0", "r.json: training.learning_rate must be a number above 0, got 0.")]
    [InlineData("training.learning_rate", "1e99", "r.json: training.learning_rate must be a number above 0, got 1e99.")]
    [InlineData("training.label_smoothing", "1", "r.json: training.label_smoothing must be a number of at least 0 and below 1, got 1.")]
    [InlineData("training.schedule", "\"cosin\"", "r.json: training.schedule must be inverse_sqrt, fixed, cosine, linear, polynomial, plateau or step, got \"cosin\".")]
    [InlineData("training.optimizer", "\"adamw\"", "r.json: training.optimizer must be adam, sgd or adadelta, got \"adamw\".")]
    [InlineData("training.momentum", "1", "r.json: training.momentum must be a number of at least 0 and below 1, got 1.")]
    [InlineData("training.ema_decay", "1", "r.json: training.ema_decay must be a number of at least 0 and below 1, got 1.")]
    [InlineData("training.keep_best", "\"ppl\"", "r.json: training.keep_best must be bleu or loss, got \"ppl\".")]
    [InlineData("training.patience", "0", "r.json: training.patience must be a whole number of at least 1, or null, got 0.")]
    [InlineData("training.decay_updates", "0", "r.json: training.decay_updates must be a whole number of at least 1, or null, got 0.")]
    [InlineData("training.restart_growth", "0.5", "r.json: training.restart_growth must be a number of at least 1, got 0.5.")]
    [InlineData("training.restart_shrink", "1.5", "r.json: training.restart_shrink must be a number from 0 to 1, got 1.5.")]
    [InlineData("training.keep_checkpoints", "-1", "r.json: training.keep_checkpoints must be a whole number of at least 0, got -1.")]
    [InlineData("training.adam_form", "true", "r.json: training.adam_form must be fairseq or pytorch, got true.")]
    [InlineData("training", "3", "r.json: training must be an object with the keys batch_tokens, batch_sentences, length_multiple, graphs, gradient_checkpointing, precision, tf32, accumulate, gradient_average, label_smoothing, smoothing_form, optimizer, adam_beta1, adam_beta2, adam_epsilon, adam_form, momentum, nesterov, adadelta_rho, adadelta_epsilon, weight_decay, clip_norm, schedule, learning_rate, warmup_updates, decay_updates, min_learning_rate, decay_power, restarts, restart_growth, restart_shrink, plateau_factor, plateau_patience, plateau_threshold, plateau_anneals, step_first, step_every, step_factor, ema_decay, max_updates, max_minutes, validate_every, keep_best, patience, checkpoint_every, keep_checkpoints, initialize_from, initialize_encoder_layers, initialize_decoder_layers, teacher, teacher_weight, teacher_temperature, seed, got 3.")]
    [InlineData("architecture", "\"gru\"", "r.json: architecture must be transformer, lightconv, dynamicconv, cnn, lstm, rnnsearch or convs2s, got \"gru\".")]
    [InlineData("model.encoder_kernel_widths", "[3, 256]", "r.json: model.encoder_kernel_widths must be a list of whole numbers from 1 to 255, got [3, 256].")]
    [InlineData("model.encoder_glu", "1", "r.json: model.encoder_glu must be true or false, got 1.")]
    [InlineData("model.dropout", "1.5", "r.json: model.dropout must be a number of at least 0 and below 1, got 1.5.")]
    [InlineData("data.train", "[\"a.en\"]", "r.json: data.train must be [source file, target file] with task translation, got [\"a.en\"].")]
    [InlineData("data.tokenizer", "\"sentencepiece\"", "r.json: data.sentencepiece_model must be given with data.tokenizer sentencepiece.")]
    [InlineData("data.sentencepiece_model", "\"m.model\"", "r.json: data.sentencepiece_model needs data.tokenizer sentencepiece, got bpe.")]
    [InlineData("data.vocabulary_size", "3", "r.json: data.vocabulary_size must be a whole number from 8 to 1000000, got 3.")]
    [InlineData("name", "7", "r.json: name must be text, got 7.")]
    public void RefusesASingleMistake(string key, string value, string message)
    {
        var root = System.Text.Json.Nodes.JsonNode.Parse(Small, documentOptions: new() { AllowTrailingCommas = true })!.AsObject();
        string[] path = key.Split('.');
        var node = path.Length == 1 ? root : (root[path[0]] ??= new System.Text.Json.Nodes.JsonObject()).AsObject();
        node[path[^1]] = System.Text.Json.Nodes.JsonNode.Parse(value);
        // What the removal of a whole section brings about is not this test's matter.
        Assert.Equal(message, Refused(root.ToJsonString(new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }).Replace(":[3,256]", ":[3, 256]"))[0]);
    }

    [Theory]
    [InlineData("model.attention_heads=7", "r.json with --set: model.attention_heads must divide model_width, got 7 and 64.")]
    [InlineData("model.encoder_kernel_widths=3,7,15", "r.json with --set: model.encoder_kernel_widths must name one width, or one for each of the 2 layers, got 3.")]
    [InlineData("architecture=transformer", "r.json with --set: model.encoder_kernel_widths has no meaning for a transformer; leave it out.")]
    [InlineData("training.batch_tokens=200", "r.json with --set: training.batch_tokens must exceed data.max_length, so that a batch holds the longest sentence and its end, got 200 and 200.")]
    [InlineData("training.max_updates=null", "r.json with --set: training.max_updates or training.max_minutes must be given, or the run would never end.")]
    [InlineData("training.warmup_updates=0", "r.json with --set: training.warmup_updates must be at least 1 with training.schedule inverse_sqrt, got 0.")]
    [InlineData("data.train=null", "r.json with --set: data.train must be given: [source file, target file].")]
    [InlineData("data.valid=null", "r.json with --set: data.valid must be given: [source file, target file].")]
    [InlineData("name=a/b", "r.json with --set: name must be usable as a folder's name, got \"a/b\".")]
    [InlineData("training.max_update=100", "--set: training.max_update is not a key; did you mean max_updates?")]
    [InlineData("trainning.max_updates=100", "--set: trainning.max_updates is not a key; did you mean training.max_updates?")]
    [InlineData("max_updates=100", "--set: max_updates is not a key; did you mean training.max_updates?")]
    [InlineData("training.max_updates=ten", "--set: training.max_updates must be a whole number of at least 1, or null, got \"ten\".")]
    [InlineData("training.max_updates", "--set: must be key=value, for example training.max_updates=1000, got training.max_updates.")]
    [InlineData("model.encoder_kernel_widths=3,x", "--set: model.encoder_kernel_widths must be a list of whole numbers from 1 to 255, got \"3,x\".")]
    [InlineData("preset=dynamicconv_bse", "--set: preset must be one of transformer_base, transformer_iwslt, transformer_big, transformer_wmt_en_fr_big, transformer_wmt_en_de_big, transformer_wmt_en_de_big_t2t, transformer_wikitext_103, transformer_universal_small, transformer_universal_base, transformer_universal_big, transformer_depth_adaptive_iwslt, lightconv_base, lightconv_iwslt, lightconv_big, lightconv_wmt_en_fr_big, lightconv_wmt_zh_en_big, dynamicconv_base, dynamicconv_iwslt, dynamicconv_big, dynamicconv_wmt_en_fr_big, dynamicconv_wmt_zh_en_big, dynamicconv_billion_word, cnn_base, cnn_iwslt, cnn_big, lstm_wmt_en_fr, rnnsearch_wmt_en_fr, convs2s_iwslt, convs2s_wmt_en_ro, convs2s_wmt_en_de, convs2s_wmt_en_fr, got \"dynamicconv_bse\"; did you mean dynamicconv_base?")]
    public void RefusesASettingOrACombination(string setting, string message) => Assert.Contains(message, Refused(Small, setting));

    /// <summary>What docs/models.md shows as parts of recipes is understood once there are data.</summary>
    [Fact]
    public void ThePageOfModelsShowsRecipes()
    {
        string[] parts = [.. Fence().Matches(File.ReadAllText(Repository.File("docs/models.md"))).Select(m => m.Groups["json"].Value).Where(p => p.Contains("\"preset\"") || p.Contains("\"architecture\""))];
        Recipe[] recipes = [.. parts.Select(p => Recipe.Parse($$"""{ {{p}}, "data": { "train": ["a", "b"], "valid": ["a", "b"], "joint": true, "max_length": 175 } }"""))];
        Assert.Equal(7, recipes.Length);
        Assert.All(recipes, r => Assert.NotNull(r.Training.MaxUpdates));
        var lstm = recipes.Single(r => r.Model.Architecture == Architecture.Lstm).Training;
        Assert.Equal((ScheduleKind.Step, 0, 0f, GradientAverage.Sentences), (lstm.Schedule, lstm.WarmupUpdates, lstm.LabelSmoothing, lstm.GradientAverage));
        var convolutional = recipes.Single(r => r.Model.Architecture == Architecture.ConvS2S).Training;
        Assert.Equal((ScheduleKind.Plateau, 0, 0f, true), (convolutional.Schedule, convolutional.WarmupUpdates, convolutional.LabelSmoothing, convolutional.PlateauAnneals));
    }

    [GeneratedRegex("```json\n(?<json>.*?)\n```", RegexOptions.Singleline)]
    private static partial Regex Fence();

    [Fact]
    public void ASectionIsNoKey() => Assert.StartsWith("--set: model is a section; its keys are model.model_width, ", Assert.Single(Refused(Small, "model=3")));

    [Theory]
    [InlineData("training.momentum needs training.optimizer sgd, got 0.9 and adam.", "training.momentum=0.9")]
    [InlineData("training.nesterov needs training.optimizer sgd, got true and adam.", "training.nesterov=true")]
    [InlineData("training.nesterov needs a training.momentum above 0, got 0.", "training.nesterov=true", "training.optimizer=sgd")]
    [InlineData("training.adadelta_rho needs training.optimizer adadelta, got 0.9 and sgd.", "training.adadelta_rho=0.9", "training.optimizer=sgd")]
    [InlineData("training.adam_beta2 needs training.optimizer adam, got 0.999 and sgd.", "training.adam_beta2=0.999", "training.optimizer=sgd")]
    [InlineData("training.adam_form needs training.optimizer adam, got pytorch and sgd.", "training.adam_form=pytorch", "training.optimizer=sgd")]
    [InlineData("training.decay_updates must be given with training.schedule cosine.", "training.schedule=cosine")]
    [InlineData("training.decay_updates must be given with training.schedule linear.", "training.schedule=linear")]
    [InlineData("training.decay_updates must be given with training.schedule polynomial.", "training.schedule=polynomial")]
    [InlineData("training.step_first and training.step_every must be given with training.schedule step.", "training.schedule=step", "training.step_first=9000")]
    [InlineData("training.step_first must be at least training.warmup_updates, got 3 and 4000.", "training.schedule=step", "training.step_first=3", "training.step_every=1")]
    [InlineData("training.plateau_anneals needs training.schedule plateau, got true and inverse_sqrt.", "training.plateau_anneals=true")]
    [InlineData("training.step_every needs training.schedule step, got 5 and inverse_sqrt.", "training.step_every=5")]
    [InlineData("training.decay_updates needs training.schedule cosine, linear or polynomial, got 100 and inverse_sqrt.", "training.decay_updates=100")]
    [InlineData("training.min_learning_rate needs training.schedule cosine, linear, polynomial, plateau or step, got 0.0001 and fixed.", "training.min_learning_rate=0.0001", "training.schedule=fixed")]
    [InlineData("training.min_learning_rate must be at most training.learning_rate, got 0.1 and 0.01.", "training.min_learning_rate=0.1", "training.learning_rate=0.01", "training.schedule=plateau")]
    [InlineData("training.decay_power needs training.schedule polynomial, got 2 and linear.", "training.decay_power=2", "training.schedule=linear", "training.decay_updates=10")]
    [InlineData("training.restarts needs training.schedule cosine, got true and linear.", "training.restarts=true", "training.schedule=linear", "training.decay_updates=10")]
    [InlineData("training.restart_growth needs training.restarts true, got 2 and false.", "training.restart_growth=2", "training.schedule=cosine", "training.decay_updates=10")]
    [InlineData("training.plateau_patience needs training.schedule plateau, got 3 and inverse_sqrt.", "training.plateau_patience=3")]
    [InlineData("training.checkpoint_every needs a training.keep_checkpoints of at least 1, got 100 and 0.", "training.checkpoint_every=100")]
    public void RefusesTrainingThatContradictsItself(string problem, params string[] settings)
        => Assert.Equal([$"r.json with --set: {problem}"], Refused(Small, settings));

    [Fact]
    public void EveryScheduleOfARecipeIsTheOneOfTheFormula()
    {
        Same(new InverseSquareRootSchedule(0.01f, 10), "training.schedule=inverse_sqrt");
        Same(new FixedSchedule(0.01f, 10), "training.schedule=fixed");
        Same(new StepSchedule(0.01f, 10, 20, 7, 0.25f, 0.001f), "training.schedule=step", "training.step_first=20", "training.step_every=7", "training.step_factor=0.25", "training.min_learning_rate=0.001");
        Same(new CosineSchedule(0.01f, 10, 50, 0.001f), "training.schedule=cosine", "training.decay_updates=50", "training.min_learning_rate=0.001");
        Same(
            new CosineSchedule(0.01f, 10, 50, 0.001f, restarts: true, 2, 0.5f),
            "training.schedule=cosine", "training.decay_updates=50", "training.min_learning_rate=0.001", "training.restarts=true", "training.restart_growth=2", "training.restart_shrink=0.5");
        Same(new PolynomialSchedule(0.01f, 10, 50, 0.001f), "training.schedule=linear", "training.decay_updates=50", "training.min_learning_rate=0.001");
        Same(new PolynomialSchedule(0.01f, 10, 50, 0.001f, 3), "training.schedule=polynomial", "training.decay_updates=50", "training.min_learning_rate=0.001", "training.decay_power=3");

        static void Same(ILearningRateSchedule expected, params string[] settings)
        {
            var recipe = Recipe.Parse(Small, "r.json", ["training.learning_rate=0.01", "training.warmup_updates=10", .. settings]);
            Assert.Equal(recipe, Recipe.Parse(recipe.ToJson()) with { Name = recipe.Name });
            var got = RecipeOptions.Training(recipe, 100, null).Schedule;
            Assert.All(Enumerable.Range(0, 200), u => Assert.Equal(expected.At(u), got.At(u)));
        }
    }

    [Fact]
    public void TrainingIsAsTheRecipeSays()
    {
        var recipe = Recipe.Parse(
            Small,
            "r.json",
            [
                "training.optimizer=sgd", "training.momentum=0.9", "training.nesterov=true", "training.weight_decay=0.01", "training.schedule=plateau", "training.plateau_factor=0.5", "training.plateau_patience=1",
                "training.plateau_threshold=0.25", "training.min_learning_rate=0.0003", "training.learning_rate=0.001", "training.warmup_updates=0",
                "training.ema_decay=0.75", "training.batch_sentences=128", "training.gradient_average=sentences", "training.keep_best=loss", "training.patience=4", "training.checkpoint_every=30", "training.keep_checkpoints=3",
            ]);
        var options = RecipeOptions.Training(recipe, 100, null);
        Assert.Equal(new SgdOptions { Momentum = 0.9f, Nesterov = true, WeightDecay = 0.01f }, options.Sgd);
        Assert.Equal((0.75f, KeepBest.Loss, 4, 30, 3), (options.EmaDecay, options.KeepBest, options.Patience!.Value, options.CheckpointEvery, options.KeepCheckpoints));
        var plateau = Assert.IsType<PlateauSchedule>(options.Schedule);
        var state = plateau.Start;
        float[] rates = [.. new[] { 4.0, 3.0, 2.9, 2.9, 2.0, 2.0, 2.0, 2.0, 2.0 }.Select(loss => plateau.At(9, state = plateau.After(state, 9, loss)))];
        Assert.Equal([0.001f, 0.001f, 0.001f, 0.001f, 0.001f, 0.001f, 0.0005f, 0.0005f, 0.0003f], rates);
        Assert.Null(RecipeOptions.Training(Recipe.Parse(Small), 100, null).Sgd);
        Assert.Null(options.Adadelta);
        Assert.Equal((128, GradientAverage.Sentences), (options.BatchSentences!.Value, options.GradientAverage));
        Recipe other = Recipe.Parse(Small, "r.json", ["training.optimizer=adadelta", "training.adadelta_rho=0.9", "training.adadelta_epsilon=1e-7", "training.weight_decay=0.01"]);
        Assert.Equal(new AdadeltaOptions { Rho = 0.9f, Epsilon = 1e-7f, WeightDecay = 0.01f }, RecipeOptions.Training(other, 100, null).Adadelta);
    }

    [Fact]
    public void SharingAllEmbeddingsNeedsAJointVocabulary()
        => Assert.Equal(["r.json with --set: model.share_embeddings all needs data.joint true, got false."], Refused(Small, "model.share_embeddings=all", "data.joint=false"));

    [Fact]
    public void SettingsAreTypedByTheirKeys()
    {
        var recipe = Recipe.Parse(
            Small,
            "r.json",
            ["name=123", "model.encoder_glu=true", "model.encoder_kernel_widths=[5]", "model.decoder_kernel_widths=9", "data.train=x.en,x.de", "training.schedule=fixed", "data.folder=null"]);
        Assert.Equal("123", recipe.Name);
        Assert.True(recipe.Model.EncoderGlu);
        Assert.Equal([5], recipe.Model.EncoderKernelWidths);
        Assert.Equal([9], recipe.Model.DecoderKernelWidths);
        Assert.Equal(new WeightedFiles(new CorpusFiles("x.en", "x.de")), Assert.Single(recipe.Data.Train!));
        Assert.Equal(ScheduleKind.Fixed, recipe.Training.Schedule);
        Assert.Equal("null", recipe.Data.Folder);
    }

    [Fact]
    public void TenMistakesGetTenLines()
    {
        const string Json =
            """
            {
              "name": 5,
              "architecture": "dynamic",
              "model": { "model_width": "wide", "heads": 4, "dropout": 2 },
              "data": { "train": "train.en", "valid": ["v.en", "v.de"], "valid": ["w.en", "w.de"] },
              "training": { "max_updates": 100, "warmup_update": 10, "schedule": "sine" },
              "decoding": [],
              "extra": 1
            }
            """;
        Assert.Equal(
            [
                "ten.json: model.heads is not a key; did you mean conv_heads?",
                "ten.json: data.valid is given twice.",
                "ten.json: training.warmup_update is not a key; did you mean warmup_updates?",
                "ten.json: decoding must be an object with the keys beam, length_penalty, length_penalty_form, min_length, max_length_a, max_length_b, no_repeat_ngram_size, bleu_tokenize, batch_tokens, graphs, got [].",
                "ten.json: extra is not a key; the keys are base, name, task, architecture, preset, model, data, training, decoding.",
                "ten.json: name must be text, got 5.",
                "ten.json: architecture must be transformer, lightconv, dynamicconv, cnn, lstm, rnnsearch or convs2s, got \"dynamic\".",
                "ten.json: model.model_width must be a whole number from 4 to 1000000, got \"wide\".",
                "ten.json: model.dropout must be a number of at least 0 and below 1, got 2.",
                "ten.json: data.train must be [source file, target file], or [file] for a language model, or a list of { \"files\": [source file, target file], \"weight\": number above 0, at most 1000 }, got \"train.en\".",
                "ten.json: training.schedule must be inverse_sqrt, fixed, cosine, linear, polynomial, plateau or step, got \"sine\".",
            ],
            Assert.Throws<RecipeException>(() => Recipe.Parse(Json, "ten.json")).Problems);
    }

    [Theory]
    [InlineData("", "r.json: must be a JSON object, is empty.")]
    [InlineData("{\n  \"name\": x\n}", "r.json: is not JSON, line 2: 'x' is an invalid start of a value.")]
    [InlineData("""{"name": "\ud800"}""", "r.json: is not JSON: A text has half of a surrogate pair.")]
    [InlineData("[1]", "r.json: must be a JSON object, got [1].")]
    public void RefusesWhatIsNoRecipeAtAll(string json, string message) => Assert.Equal([message], Refused(json));

    [Fact]
    public void AnEmptyRecipeIsToldWhatItNeeds()
        => Assert.Equal(
            [
                "r.json: architecture must be given: transformer, lightconv, dynamicconv, cnn, lstm, rnnsearch or convs2s; or preset, which names one.",
                "r.json: data.train must be given: [source file, target file].",
                "r.json: data.valid must be given: [source file, target file].",
                "r.json: training.max_updates or training.max_minutes must be given, or the run would never end.",
            ],
            Refused("{}"));

    [Fact]
    public void ResumingComparesWhatMakesTheExperiment()
    {
        var recipe = Recipe.Parse(Small);
        Assert.Null(recipe.FirstDifference(Recipe.Parse(Small, "other.json", ["training.max_updates=20", "decoding.beam=1", "training.patience=3", "training.checkpoint_every=5", "training.keep_checkpoints=2"])));
        Assert.Equal("training.ema_decay was 0 and is 0.5", recipe.FirstDifference(Recipe.Parse(Small, "r.json", ["training.ema_decay=0.5"])));
        Assert.Equal("training.keep_best was \"bleu\" and is \"loss\"", recipe.FirstDifference(Recipe.Parse(Small, "r.json", ["training.keep_best=loss"])));
        Assert.Equal("training.seed was 1 and is 2", recipe.FirstDifference(Recipe.Parse(Small, "r.json", ["training.seed=2"])));
    }

    [Theory]
    [InlineData("multi30k-transformer")]
    [InlineData("multi30k-lightconv")]
    [InlineData("multi30k-dynamicconv")]
    public void TheRecipesOfTheRepositoryAreValid(string name)
    {
        var recipe = Recipe.Load(Repository.File($"recipes/{name}.json"));
        Assert.Equal(name, recipe.Name);
        Assert.Equal(60, recipe.Training.MaxMinutes);
    }

    [Fact]
    public void TheRecipeOfTokenisedTextIsFairseqsTransformerTiny()
    {
        var recipe = Recipe.Load(Repository.File("recipes/multi30k-tok-transformer.json"));
        Assert.Equal("multi30k-tok-transformer", recipe.Name);
        Assert.Equal((TokenizerKind.SubwordNmt, 10_000, true), (recipe.Data.Tokenizer, recipe.Data.Merges, recipe.Data.Joint));
        Assert.Equal((128, 256, 4, 4, 4, 0.3f), (recipe.Model.ModelWidth, recipe.Model.FeedForwardWidth, recipe.Model.AttentionHeads, recipe.Model.EncoderLayers, recipe.Model.DecoderLayers, recipe.Model.Dropout));
        Assert.Equal((0.005f, 2000, 8000, 5), (recipe.Training.LearningRate, recipe.Training.WarmupUpdates, recipe.Training.MaxUpdates, recipe.Decoding.Beam));
    }

    [Fact]
    public void ThePageAboutRecipesIsCurrent() => Repository.AssertSame("docs/recipes.md", RecipePage.ToMarkdown());

    private static IReadOnlyList<string> Refused(string json, params string[] settings)
        => Assert.Throws<RecipeException>(() => Recipe.Parse(json, "r.json", settings)).Problems;
}
