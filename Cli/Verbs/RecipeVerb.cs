using System.CommandLine;
using CudaSeq.Models;

namespace CudaSeq.Cli;

/// <summary><c>cudaseq recipe</c>: what a recipe says, and what recipes may say.</summary>
internal sealed class RecipeVerb : Verb
{
    public RecipeVerb()
        : base("recipe", "Check recipes and show what they mean.")
    {
    }

    public override IReadOnlyList<Verb> Verbs => [new ShowVerb(), new SchemaVerb()];

    public override IReadOnlyList<(string Line, string What)> Examples =>
    [
        ("cudaseq recipe show recipes/multi30k-lightconv.json --set model.dropout=0.2", "A recipe as cudaseq train would run it."),
        ("cudaseq recipe schema > recipe.schema.json", "What an editor completes recipes from."),
    ];

    public override string Notes => "docs/recipes.md explains every key.";

    public override int Run(ParseResult arguments, Terminal terminal, CancellationToken cancellation) => throw new UsageException("a verb must be given.");

    /// <summary><c>cudaseq recipe show</c>.</summary>
    private sealed class ShowVerb : Verb
    {
        private readonly Argument<string> _recipe = Required("RECIPE", "A recipe: model, data and training as JSON.");
        private readonly Option<string[]> _set = RecipeSettings.Create();

        public ShowVerb()
            : base("show", "Check a recipe and print it with its base, its preset and every default.", "recipe")
        {
            Add(_recipe);
            Add(_set);
        }

        public override IReadOnlyList<(string Line, string What)> Examples =>
        [
            ("cudaseq recipe show recipes/multi30k-lightconv.json", "Every key of a recipe with its value."),
            ("cudaseq recipe show recipes/multi30k-lightconv.json --set training.seed=2 > seed2.json", "Another recipe, complete in itself."),
        ];

        public override string Notes => "Every mistake of the recipe gets a line. What is printed is a recipe too and means the same, wherever it is put.";

        public override int Run(ParseResult arguments, Terminal terminal, CancellationToken cancellation)
        {
            terminal.Out.Write(Recipe.Load(arguments.GetRequiredValue(_recipe), arguments.GetValue(_set)).ToJson());
            return CommandLine.Success;
        }
    }

    /// <summary><c>cudaseq recipe schema</c>.</summary>
    private sealed class SchemaVerb : Verb
    {
        public SchemaVerb()
            : base("schema", "Print the JSON Schema of recipes, for editors.", "recipe")
        {
        }

        public override IReadOnlyList<(string Line, string What)> Examples =>
        [
            ("cudaseq recipe schema > recipe.schema.json", "A recipe beside it names it: \"$schema\": \"recipe.schema.json\"."),
        ];

        public override int Run(ParseResult arguments, Terminal terminal, CancellationToken cancellation)
        {
            terminal.Out.Write(RecipeSchema.ToJson());
            return CommandLine.Success;
        }
    }
}
