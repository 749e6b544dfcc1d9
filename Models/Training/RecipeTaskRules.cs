using static CudaSeq.Models.RecipeKeys;

namespace CudaSeq.Models;

/// <summary>Which keys of a recipe go with its task.</summary>
internal static class RecipeTaskRules
{
    /// <summary>Keys of the encoder: a language model has none.</summary>
    private static readonly string[] EncoderKeys =
        [.. ModelKeys.All.Where(k => k.IsInRecipes && k.Use.HasFlag(ModelKeyUse.Encoder)).Select(k => $"model.{k.Name}")];

    /// <summary>Keys of blocks of text: pairs have none. A resolved recipe writes them all out: only what is not the default is refused.</summary>
    private static readonly string[] BlockKeys = ["data.tokens_per_sample", "data.sample_break_mode", "data.context_window"];

    /// <summary>Keys of decoding that a language model's runs have a use for: <c>cudaseq generate</c> begins with a search of its own.</summary>
    private static readonly string[] UsedByTexts = ["decoding.batch_tokens", "decoding.graphs"];

    /// <summary>The recipe as its task has it: a language model has no encoder, whatever a preset says.</summary>
    public static Recipe Resolved(Recipe recipe) => recipe.Task == RecipeTask.LanguageModeling ? recipe with { Model = recipe.Model.AsLanguageModel() } : recipe;

    /// <summary>What is wrong, each with the keys that it is about.</summary>
    /// <param name="recipe">As it was read, not resolved.</param>
    /// <param name="given">Keys that the recipe gives.</param>
    public static IEnumerable<(string[] Keys, string Problem)> Broken(Recipe recipe, Func<string, bool> given)
        => recipe.Task == RecipeTask.LanguageModeling ? OfALanguageModel(recipe, given) : OfATranslation(recipe);

    private static IEnumerable<(string[] Keys, string Problem)> OfATranslation(Recipe recipe)
    {
        const string Rule = "[source file, target file]";
        if (recipe.Model.IsLanguageModel)
            yield return (["model.encoder_layers", "task"], "model.encoder_layers must be at least 1 with task translation, got 0.");
        foreach (var (key, files, must) in Files(recipe.Data))
        {
            if (files.Count == 0 && must)
                yield return ([key], $"{key} must be given: {Rule}.");
            else if (files.Any(f => f.IsText))
                yield return ([key, "task"], $"{key} must be {Rule} with task translation, got {Show(recipe, key)}.");
        }

        foreach (string key in BlockKeys)
        {
            if (!IsDefault(recipe, key))
                yield return ([key, "task"], $"{key} needs task language_modeling, got {Show(recipe, key)} and translation.");
        }
    }

    private static IEnumerable<(string[] Keys, string Problem)> OfALanguageModel(Recipe recipe, Func<string, bool> given)
    {
        var (data, resolved) = (recipe.Data, Resolved(recipe));
        foreach (string key in EncoderKeys)
        {
            if (given(key) && Show(recipe, key) != Show(resolved, key))
                yield return ([key, "task"], $"{key} has no meaning with task language_modeling, got {Show(recipe, key)}; leave it out.");
        }

        const string AttentionDropout = "model.attention_dropout";
        if (given(AttentionDropout) && Show(recipe, AttentionDropout) != Show(resolved, AttentionDropout))
            yield return ([AttentionDropout, ArchitectureKey, "task"], $"{AttentionDropout} has no meaning for a language model of convolutions, got {Show(recipe, AttentionDropout)}; leave it out.");

        foreach (var (key, files, must) in Files(data))
        {
            if (files.Count == 0 && must)
                yield return ([key], $"{key} must be given: [file].");
            else if (files.Any(f => !f.IsText) || (key == "data.train" && data.Train is { IsPlain: false }))
                yield return ([key, "task"], $"{key} must be [file] with task language_modeling, got {Show(recipe, key)}.");
        }

        foreach (string key in RecipeKeys.All.Where(k => k.Section == "decoding").Select(k => k.Path).Except(UsedByTexts))
        {
            if (!IsDefault(recipe, key))
                yield return ([key, "task"], $"{key} has no meaning with task language_modeling, got {Show(recipe, key)}; cudaseq generate has options for it.");
        }

        if (!data.Joint)
            yield return (["data.joint", "task"], "data.joint has no meaning with task language_modeling, whose text has one side, got false; leave it out.");
        if (data.SampleBreakMode != SampleBreak.Eos && !IsDefault(recipe, "data.max_length"))
            yield return (["data.max_length", "data.sample_break_mode", "task"], $"data.max_length needs data.sample_break_mode eos with task language_modeling, got {data.MaxLength} and {Show(recipe, "data.sample_break_mode")}.");

        string[] window = ["data.context_window", "data.tokens_per_sample", "data.sample_break_mode"];
        if (data is { SampleBreakMode: SampleBreak.Eos, ContextWindow: > 0 })
            yield return (window, $"data.context_window must be 0 with data.sample_break_mode eos, whose lines know nothing of each other, got {data.ContextWindow}.");
        else if (data.SampleBreakMode != SampleBreak.Eos && data.ContextWindow >= data.TokensPerSample)
            yield return (window, $"data.context_window must be below data.tokens_per_sample, got {data.ContextWindow} and {data.TokensPerSample}.");
        if (data.SampleBreakMode != SampleBreak.Eos && recipe.Training.BatchTokens is { } tokens && tokens < data.TokensPerSample)
            yield return (["data.tokens_per_sample", "training.batch_tokens"], $"training.batch_tokens must be at least data.tokens_per_sample, so that a batch holds a block, got {tokens} and {data.TokensPerSample}.");
    }

    private static (string Key, IReadOnlyList<CorpusFiles> Files, bool Must)[] Files(RecipeData data)
        => [("data.train", [.. data.Train?.Select(c => c.Files) ?? []], true), ("data.valid", OneOrNone(data.Valid), true), ("data.test", OneOrNone(data.Test), false)];

    private static IReadOnlyList<CorpusFiles> OneOrNone(CorpusFiles? files) => files is null ? [] : [files];
}
