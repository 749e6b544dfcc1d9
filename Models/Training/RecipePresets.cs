namespace CudaSeq.Models;

/// <summary>The papers' models by the name a recipe calls them: the architecture's, then the configuration's.</summary>
internal static class RecipePresets
{
    public static IReadOnlyDictionary<string, ModelConfig> All { get; } = Enum.GetValues<Architecture>()
        .SelectMany(a => SequenceModel.Presets(a), (a, preset) => KeyValuePair.Create($"{a.ToString().ToLowerInvariant()}_{preset.Key}", preset.Value))
        .ToDictionary();
}
