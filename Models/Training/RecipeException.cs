namespace CudaSeq.Models;

/// <summary>A recipe was refused. All that is wrong with it is said at once.</summary>
public sealed class RecipeException : Exception
{
    internal RecipeException(IReadOnlyList<string> problems)
        : base(string.Join('\n', problems))
        => Problems = problems;

    /// <summary>One line for each mistake: file, key, rule, fact, and the valid choices.</summary>
    public IReadOnlyList<string> Problems { get; }
}
