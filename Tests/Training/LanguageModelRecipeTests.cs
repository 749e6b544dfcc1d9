using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>Recipes whose task is language modeling.</summary>
public sealed class LanguageModelRecipeTests
{
    private const string Small =
        """
        {
          "task": "language_modeling",
          "preset": "lightconv_iwslt",
          "data": { "train": ["train.txt"], "valid": ["valid.txt"], "tokens_per_sample": 64 },
          "training": { "batch_tokens": 128, "max_updates": 1 }
        }
        """;

    [Fact]
    public void TheModelIsThePresetsDecoder()
    {
        var recipe = Recipe.Parse(Small, "lm.json");
        Assert.Equal(RecipeTask.LanguageModeling, recipe.Task);
        Assert.Equal(LightConv2019.Iwslt.AsLanguageModel(), recipe.Model);
        Assert.Equal((0, 6), (recipe.Model.EncoderLayers, recipe.Model.DecoderLayers));
        var files = Assert.Single(recipe.Data.Train!).Files;
        Assert.Equal(new CorpusFiles("", "train.txt"), files);
        Assert.Equal(["train.txt"], files.Names);
        Assert.Equal(SampleBreak.None, recipe.Data.SampleBreakMode);
        var again = Recipe.Parse(recipe.ToJson(), "again.json", ["name=lm"]);
        Assert.Equal(recipe, again);
        Assert.Equal("data.sample_break_mode was \"none\" and is \"complete\"", recipe.FirstDifference(Recipe.Parse(Small, "lm.json", ["data.sample_break_mode=complete"])));
        Assert.Equal(EmbeddingSharing.Decoder, Recipe.Parse(Small, "lm.json", ["preset=transformer_base"]).Model.ShareEmbeddings);
    }

    [Theory]
    [InlineData("lm.json with --set: data.train must be given: [file].", "data.train=null")]
    [InlineData("lm.json with --set: data.valid must be [file] with task language_modeling, got [\"a\",\"b\"].", "data.valid=a,b")]
    [InlineData("lm.json with --set: data.test must be [file] with task language_modeling, got [\"a\",\"b\"].", "data.test=a,b")]
    [InlineData("lm.json with --set: model.encoder_layers has no meaning with task language_modeling, got 3; leave it out.", "model.encoder_layers=3")]
    [InlineData("lm.json with --set: model.encoder_kernel_widths has no meaning with task language_modeling, got [3]; leave it out.", "model.encoder_kernel_widths=3")]
    [InlineData("lm.json with --set: model.encoder_glu has no meaning with task language_modeling, got true; leave it out.", "model.encoder_glu=true")]
    [InlineData("lm.json with --set: model.attention_dropout has no meaning for a language model of convolutions, got 0.2; leave it out.", "model.attention_dropout=0.2")]
    [InlineData("lm.json with --set: model.surface_fusion has no meaning with task language_modeling, got hard; leave it out.", "model.surface_fusion=hard")]
    [InlineData("lm.json with --set: model.encoder_path has no meaning with task language_modeling, got [1,1]; leave it out.", "model.encoder_path=1,1")]
    [InlineData("lm.json with --set: decoding.beam has no meaning with task language_modeling, got 4; cudaseq generate has options for it.", "decoding.beam=4")]
    [InlineData("lm.json with --set: data.context_window must be below data.tokens_per_sample, got 64 and 64.", "data.context_window=64")]
    [InlineData("lm.json with --set: data.context_window must be 0 with data.sample_break_mode eos, whose lines know nothing of each other, got 8.", "data.context_window=8", "data.sample_break_mode=eos", "data.max_length=100")]
    [InlineData("lm.json with --set: training.batch_tokens must be at least data.tokens_per_sample, so that a batch holds a block, got 32 and 64.", "training.batch_tokens=32")]
    [InlineData("lm.json: training.batch_tokens must exceed data.max_length, so that a batch holds the longest sentence and its end, got 128 and 200.", "data.sample_break_mode=eos")]
    [InlineData("lm.json with --set: data.joint has no meaning with task language_modeling, whose text has one side, got false; leave it out.", "data.joint=false")]
    [InlineData("lm.json with --set: data.max_length needs data.sample_break_mode eos with task language_modeling, got 100 and complete.", "data.max_length=100", "data.sample_break_mode=complete")]
    [InlineData("lm.json with --set: data.merges needs data.tokenizer subword_nmt, got 50 and bpe.", "data.merges=50")]
    [InlineData("--set: training.seed must be given once, by --set or by an option of its own.", "training.seed=1", "training.seed=2")]
    [InlineData("--set: task must be translation or language_modeling, got \"lm\".", "task=lm", "data.train=a,b", "data.valid=a,b", "data.tokens_per_sample=512", "data.max_length=100")]
    public void RefusesWhatALanguageModelHasNot(string problem, params string[] settings) => Assert.Equal([problem], Refused(settings));

    [Theory]
    [InlineData("lm.json with --set: data.tokens_per_sample needs task language_modeling, got 64 and translation.")]
    [InlineData("lm.json with --set: model.encoder_layers must be at least 1 with task translation, got 0.", "data.tokens_per_sample=512", "model.encoder_layers=0")]
    [InlineData("lm.json with --set: data.sample_break_mode needs task language_modeling, got eos and translation.", "data.tokens_per_sample=512", "data.sample_break_mode=eos")]
    [InlineData("lm.json with --set: data.train must be [source file, target file] with task translation, got [\"c\"].", "data.tokens_per_sample=512", "data.train=c")]
    public void RefusesWhatATranslationHasNot(string problem, params string[] settings)
        => Assert.Equal([problem], Refused([.. new[] { "task=translation", "data.train=a,b", "data.valid=a,b", "data.max_length=100" }.Where(s => !settings.Any(t => t.Split('=')[0] == s.Split('=')[0])), .. settings]));

    [Theory]
    [InlineData("tinyshakespeare-transformer", Architecture.Transformer, 802_048)]
    [InlineData("tinyshakespeare-lightconv", Architecture.LightConv, 735_968)]
    [InlineData("tinyshakespeare-dynamicconv", Architecture.DynamicConv, 764_416)]
    public void ShakespearesRecipesAreOneExperiment(string name, Architecture architecture, long parameters)
    {
        var recipe = Recipe.Load(Repository.File($"recipes/{name}.json"));
        Assert.Equal((name, architecture, RecipeTask.LanguageModeling), (recipe.Name, recipe.Model.Architecture, recipe.Task));
        Assert.Equal((TokenizerKind.Character, SampleBreak.None, 128, 64), (recipe.Data.Tokenizer, recipe.Data.SampleBreakMode, recipe.Data.TokensPerSample, recipe.Data.ContextWindow));
        Assert.Equal((6000, 0f), (recipe.Training.MaxUpdates, recipe.Training.LabelSmoothing));

        // 64 characters, the end of the line, and the three other special symbols.
        using var model = new LanguageModel(recipe.Model with { TargetVocabulary = 68 });
        Assert.Equal(parameters, model.ParameterCount);
    }

    [Theory]
    [InlineData("wikitext-2-transformer", Architecture.Transformer)]
    [InlineData("wikitext-2-lightconv", Architecture.LightConv)]
    [InlineData("wikitext-2-dynamicconv", Architecture.DynamicConv)]
    public void WikiTextsRecipesAreOneExperiment(string name, Architecture architecture)
    {
        var recipe = Recipe.Load(Repository.File($"recipes/{name}.json"));
        Assert.Equal((name, architecture, TokenizerKind.Word), (recipe.Name, recipe.Model.Architecture, recipe.Data.Tokenizer));
        Assert.Equal(new CorpusFiles("", "train.txt"), Assert.Single(recipe.Data.Train!).Files);
        Assert.Equal((3000, 0f), (recipe.Training.MaxUpdates, recipe.Training.LabelSmoothing));
    }

    [Theory]
    [InlineData("g2p-transformer", false)]
    [InlineData("enja-transformer", true)]
    public void RecipesOfPairsWhoseWordsStandApart(string name, bool hasTest)
    {
        var recipe = Recipe.Load(Repository.File($"recipes/{name}.json"));
        Assert.Equal((name, RecipeTask.Translation, TokenizerKind.Word, false), (recipe.Name, recipe.Task, recipe.Data.Tokenizer, recipe.Data.Joint));
        Assert.Equal(hasTest, recipe.Data.Test is not null);
    }

    /// <summary>What a language model's configuration loses must not be lost without a word.</summary>
    [Theory]
    [InlineData("model.encoder_layer_drop=0.1")]
    [InlineData("model.encoder_fusion=fine")]
    [InlineData("model.fusion_drop_connect=0.3")]
    [InlineData("model.fusion_dropout=0.3")]
    [InlineData("model.fusion_weight_dropout=0.3")]
    [InlineData("model.surface_gate=0.5")]
    [InlineData("model.surface_scale=0.5")]
    [InlineData("model.surface_attention_heads=2")]
    [InlineData("model.surface_feed_forward=false")]
    public void NothingOfAnEncoderIsTakenInSilence(string setting)
        => Assert.StartsWith($"lm.json with --set: {setting.Split('=')[0]} has no meaning with task language_modeling, got ", Assert.Single(Refused(setting)));

    private static IReadOnlyList<string> Refused(params string[] settings)
        => Assert.Throws<RecipeException>(() => Recipe.Parse(Small, "lm.json", settings)).Problems;
}
