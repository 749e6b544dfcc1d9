namespace CudaSeq.Models;

/// <summary>All analyses, by their names.</summary>
public static class Analyses
{
    /// <summary>One of each, in the order of the help.</summary>
    public static IReadOnlyList<Analysis> All =>
    [
        new LayerAttentionAnalysis(),
        new LesionAnalysis(),
        new EmbeddingsAnalysis(),
        new AttentionEntropyAnalysis(),
        new AttentionAnalysis(),
        new ExitsAnalysis(),
        new AnytimeAnalysis(),
        new ExitThresholdsAnalysis(),
        new WordTranslationAnalysis(),
        new FeedForwardMemoriesAnalysis(),
        new FeedForwardCompositionAnalysis(),
    ];

    /// <summary>The analysis of a name.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static Analysis Of(string name) => All.FirstOrDefault(a => a.Name == name)
        ?? throw new ArgumentException($"analyze: there is no analysis {name}; they are {string.Join(", ", All.Select(a => a.Name))}.");
}
