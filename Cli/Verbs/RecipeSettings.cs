using System.CommandLine;

namespace CudaSeq.Cli;

/// <summary>The option that changes keys of a recipe.</summary>
internal static class RecipeSettings
{
    /// <summary>May be followed by several key=value.</summary>
    public const string Name = "--set";

    /// <summary>The option of a verb.</summary>
    public static Option<string[]> Create() => new(Name)
    {
        HelpName = "KEY=VALUE ...",
        Description = "Change keys of the recipe, for example training.batch_tokens=2048.",
        Arity = new ArgumentArity(1, 1000),
    };
}
