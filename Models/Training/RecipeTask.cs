namespace CudaSeq.Models;

/// <summary>What a recipe's model learns.</summary>
public enum RecipeTask
{
    /// <summary>To write the target of a source.</summary>
    Translation,

    /// <summary>To go on with a text.</summary>
    LanguageModeling,
}
