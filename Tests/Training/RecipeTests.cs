using CudaSeq.Models;

namespace CudaSeq.Tests;

public sealed class RecipeTests
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
        Assert.Equal(new CorpusFiles("a.en", "a.de"), recipe.Data.Train);
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
            string[] candidates = ["9", "0.25", "true", "false", "\"x\"", "\"lightconv\"", "\"all\"", "\"word\"", "\"uniform\"", "\"pytorch\"", "\"fixed\"", "\"bf16\"", "[5]", "[\"p\", \"q\"]"];
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

    [Fact]
    public void EveryPresetIsAValidModel()
        => Assert.All(RecipePresets.All, p => Assert.Empty((p.Value with { SourceVocabulary = 8, TargetVocabulary = 8 }).Validate()));

    [Theory]
    [InlineData("training.warmup_update", "1", "r.json: training.warmup_update is not a key; did you mean warmup_updates?")]
    [InlineData("training.warmup", "1", "r.json: training.warmup is not a key; did you mean warmup_updates?")]
    [InlineData("training.dropout", "0.1", "r.json: training.dropout is not a key; did you mean model.dropout?")]
    [InlineData("model.kernel_widths", "[3]", "r.json: model.kernel_widths is not a key; did you mean encoder_kernel_widths?")]
    [InlineData("batch_tokens", "1", "r.json: batch_tokens is not a key; did you mean training.batch_tokens?")]
    [InlineData("trainning", "{}", "r.json: trainning is not a key; did you mean training?")]
    [InlineData("decoding.zzzz", "1", "r.json: decoding.zzzz is not a key; the keys of decoding are beam, length_penalty, max_length_a, max_length_b, batch_tokens, graphs.")]
    [InlineData("zzzz", "1", "r.json: zzzz is not a key; the keys are base, name, architecture, preset, model, data, training, decoding.")]
    [InlineData("training.max_updates", "\"ten\"", "r.json: training.max_updates must be a whole number of at least 1, or null, got \"ten\".")]
    [InlineData("training.max_updates", "0", "r.json: training.max_updates must be a whole number of at least 1, or null, got 0.")]
    [InlineData("training.max_updates", "1.5", "r.json: training.max_updates must be a whole number of at least 1, or null, got 1.5.")]
    [InlineData("training.seed", "-1", "r.json: training.seed must be a whole number of at least 0, got -1.")]
    [InlineData("training.learning_rate", "0", "r.json: training.learning_rate must be a number above 0, got 0.")]
    [InlineData("training.learning_rate", "1e99", "r.json: training.learning_rate must be a number above 0, got 1e99.")]
    [InlineData("training.label_smoothing", "1", "r.json: training.label_smoothing must be a number of at least 0 and below 1, got 1.")]
    [InlineData("training.schedule", "\"cosine\"", "r.json: training.schedule must be inverse_sqrt or fixed, got \"cosine\".")]
    [InlineData("training.adam_form", "true", "r.json: training.adam_form must be fairseq or pytorch, got true.")]
    [InlineData("training", "3", "r.json: training must be an object with the keys batch_tokens, length_multiple, graphs, precision, tf32, accumulate, label_smoothing, smoothing_form, adam_beta1, adam_beta2, adam_epsilon, adam_form, weight_decay, clip_norm, schedule, learning_rate, warmup_updates, max_updates, max_minutes, validate_every, seed, got 3.")]
    [InlineData("architecture", "\"lstm\"", "r.json: architecture must be transformer, lightconv or dynamicconv, got \"lstm\".")]
    [InlineData("model.encoder_kernel_widths", "[3, 256]", "r.json: model.encoder_kernel_widths must be a list of whole numbers from 1 to 255, got [3, 256].")]
    [InlineData("model.encoder_glu", "1", "r.json: model.encoder_glu must be true or false, got 1.")]
    [InlineData("model.dropout", "1.5", "r.json: model.dropout must be a number of at least 0 and below 1, got 1.5.")]
    [InlineData("data.train", "[\"a.en\"]", "r.json: data.train must be [source file, target file], got [\"a.en\"].")]
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
    [InlineData("model.attention_heads=7", "r.json: model.attention_heads must divide model_width, got 7 and 64.")]
    [InlineData("model.encoder_kernel_widths=3,7,15", "r.json: model.encoder_kernel_widths must name one width, or one for each of the 2 layers, got 3.")]
    [InlineData("architecture=transformer", "r.json: model.encoder_kernel_widths has no meaning for a transformer; leave it out.")]
    [InlineData("training.batch_tokens=200", "r.json: training.batch_tokens must exceed data.max_length, so that a batch holds the longest sentence and its end, got 200 and 200.")]
    [InlineData("training.max_updates=null", "r.json: training.max_updates or training.max_minutes must be given, or the run would never end.")]
    [InlineData("training.warmup_updates=0", "r.json: training.warmup_updates must be at least 1 with training.schedule inverse_sqrt, got 0.")]
    [InlineData("data.train=null", "r.json: data.train must be given: [source file, target file].")]
    [InlineData("data.valid=null", "r.json: data.valid must be given: [source file, target file].")]
    [InlineData("name=a/b", "r.json: name must be usable as a folder's name, got \"a/b\".")]
    [InlineData("training.max_update=100", "--set: training.max_update is not a key; did you mean max_updates?")]
    [InlineData("trainning.max_updates=100", "--set: trainning.max_updates is not a key; did you mean training.max_updates?")]
    [InlineData("max_updates=100", "--set: max_updates is not a key; did you mean training.max_updates?")]
    [InlineData("training.max_updates=ten", "--set: training.max_updates must be a whole number of at least 1, or null, got \"ten\".")]
    [InlineData("training.max_updates", "--set: must be key=value, for example training.max_updates=1000, got training.max_updates.")]
    [InlineData("model.encoder_kernel_widths=3,x", "--set: model.encoder_kernel_widths must be a list of whole numbers from 1 to 255, got \"3,x\".")]
    [InlineData("preset=dynamicconv_bse", "--set: preset must be one of transformer_base, transformer_iwslt, transformer_big, transformer_wmt_en_fr_big, transformer_wmt_en_de_big, transformer_wmt_en_de_big_t2t, lightconv_base, lightconv_iwslt, lightconv_big, lightconv_wmt_en_fr_big, lightconv_wmt_zh_en_big, dynamicconv_base, dynamicconv_iwslt, dynamicconv_big, dynamicconv_wmt_en_fr_big, dynamicconv_wmt_zh_en_big, got \"dynamicconv_bse\"; did you mean dynamicconv_base?")]
    public void RefusesASettingOrACombination(string setting, string message) => Assert.Contains(message, Refused(Small, setting));

    [Fact]
    public void SharingAllEmbeddingsNeedsAJointVocabulary()
        => Assert.Equal(["r.json: model.share_embeddings all needs data.joint true, got false."], Refused(Small, "model.share_embeddings=all", "data.joint=false"));

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
        Assert.Equal(new CorpusFiles("x.en", "x.de"), recipe.Data.Train);
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
              "training": { "max_updates": 100, "warmup_update": 10, "schedule": "cosine" },
              "decoding": [],
              "extra": 1
            }
            """;
        Assert.Equal(
            [
                "ten.json: model.heads is not a key; did you mean attention_heads?",
                "ten.json: data.valid is given twice.",
                "ten.json: training.warmup_update is not a key; did you mean warmup_updates?",
                "ten.json: decoding must be an object with the keys beam, length_penalty, max_length_a, max_length_b, batch_tokens, graphs, got [].",
                "ten.json: extra is not a key; the keys are base, name, architecture, preset, model, data, training, decoding.",
                "ten.json: name must be text, got 5.",
                "ten.json: architecture must be transformer, lightconv or dynamicconv, got \"dynamic\".",
                "ten.json: model.model_width must be a whole number from 4 to 1000000, got \"wide\".",
                "ten.json: model.dropout must be a number of at least 0 and below 1, got 2.",
                "ten.json: data.train must be [source file, target file], got \"train.en\".",
                "ten.json: training.schedule must be inverse_sqrt or fixed, got \"cosine\".",
            ],
            Assert.Throws<RecipeException>(() => Recipe.Parse(Json, "ten.json")).Problems);
    }

    [Theory]
    [InlineData("", "r.json: is not JSON, line 1: The input does not contain any JSON tokens. Expected the input to start with a valid JSON token, when isFinalBlock is true.")]
    [InlineData("{\n  \"name\": x\n}", "r.json: is not JSON, line 2: 'x' is an invalid start of a value.")]
    [InlineData("[1]", "r.json: must be a JSON object, got [1].")]
    public void RefusesWhatIsNoRecipeAtAll(string json, string message) => Assert.Equal([message], Refused(json));

    [Fact]
    public void AnEmptyRecipeIsToldWhatItNeeds()
        => Assert.Equal(
            [
                "r.json: architecture must be given: transformer, lightconv or dynamicconv; or preset, which names one.",
                "r.json: data.train must be given: [source file, target file].",
                "r.json: data.valid must be given: [source file, target file].",
                "r.json: training.max_updates or training.max_minutes must be given, or the run would never end.",
            ],
            Refused("{}"));

    [Fact]
    public void ResumingComparesWhatMakesTheExperiment()
    {
        var recipe = Recipe.Parse(Small);
        Assert.Null(recipe.FirstDifference(Recipe.Parse(Small, "other.json", ["training.max_updates=20", "decoding.beam=1"])));
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
    public void ThePageAboutRecipesIsCurrent() => Repository.AssertSame("docs/recipes.md", RecipePage.ToMarkdown());

    private static IReadOnlyList<string> Refused(string json, params string[] settings)
        => Assert.Throws<RecipeException>(() => Recipe.Parse(json, "r.json", settings)).Problems;
}
