using System.Globalization;
using System.Text;

namespace CudaSeq.Models;

/// <summary>The page about recipes, made from the table of keys: <c>docs/recipes.md</c>.</summary>
public static class RecipePage
{
    private static readonly Dictionary<string, string> Headings = new()
    {
        [""] = "Top",
        ["model"] = "`model`",
        ["data"] = "`data`",
        ["training"] = "`training`",
        ["decoding"] = "`decoding`",
    };

    /// <summary>What <c>base</c> means.</summary>
    internal const string BaseExplanation = "Another recipe, by its path from this one: its keys hold where this one does not give them. A preset given here takes the place of all of its `model`.";

    /// <summary>What <c>preset</c> means.</summary>
    internal const string PresetExplanation = "A model of a paper; the keys of `model` change it.";

    /// <summary>The page as Markdown.</summary>
    public static string ToMarkdown()
    {
        var page = new StringBuilder();
        page.Append(
            """
            # Recipes

            <!-- Made from the table in Models/Training/RecipeKeys.cs; a test says how to renew it. -->

            A recipe is one experiment as a JSON file: `cudaseq train recipes/multi30k-dynamicconv.json`. Comments and trailing commas are allowed.
            Unknown keys and wrong values are refused, all at once, each in one line with the file, the key and the choices.
            `--set training.max_updates=1000` changes a key from the command line and is checked like the file; lists are written `--set model.encoder_kernel_widths=3,7,15`.

            `"$schema": "recipe.schema.json"` lets an editor complete keys and explain them ([recipe.schema.json](../recipes/recipe.schema.json)).
            `cudaseq recipe show recipes/multi30k-dynamicconv.json` prints a recipe as it is understood, with its base, its preset and every default.

            The run directory receives the recipe as it was understood, every key written out, as `recipe.json`.


            """.ReplaceLineEndings("\n"));
        var defaults = new Recipe();
        foreach (string section in RecipeKeys.Sections)
        {
            page.Append($"## {Headings[section]}\n\n| key | value | default | meaning |\n|---|---|---|---|\n");
            if (section.Length == 0)
            {
                page.Append($"| `{RecipeKeys.BaseKey}` | text | | {BaseExplanation} |\n");
                page.Append($"| `{RecipeKeys.PresetKey}` | a name from the list below | | {PresetExplanation} |\n");
            }


            foreach (var key in RecipeKeys.All.Where(k => k.Section == section))
                page.Append($"| `{key.Name}` | {key.Description} | {Default(key, defaults)} | {key.Explanation} |\n");
            page.Append('\n');
        }

        page.Append("## Presets\n\n| preset | model |\n|---|---|\n");
        foreach (var (name, model) in RecipePresets.All)
            page.Append($"| `{name}` | {Describe(model)} |\n");
        return page.ToString();
    }

    private static string Default(RecipeKey key, Recipe defaults)
    {
        string value = key.Show(defaults);
        return key.Path is "name" or RecipeKeys.ArchitectureKey || value is "null" or "\"\"" or "[]" ? "" : $"`{value.Trim('"')}`";
    }

    private static string Describe(ModelConfig model)
    {
        string text = $"{model.EncoderLayers} + {model.DecoderLayers} layers, width {model.ModelWidth}, feed-forward {model.FeedForwardWidth}, {model.AttentionHeads} heads";
        if (model.EncoderKernelWidths.Count > 0)
            text += $", widths {string.Join(" ", model.EncoderKernelWidths)} and {string.Join(" ", model.DecoderKernelWidths)}";
        text += $"{(model.EncoderGlu ? ", gated" : "")}{(model.PreNorm ? ", norms before the sub-layers" : "")}, dropout {Probability(model.Dropout)}";
        foreach (var (of, probability) in new[]
        {
            ("attention", model.AttentionDropout), ("activations", model.ActivationDropout), ("convolutions' inputs", model.InputDropout), ("convolutions' weights", model.WeightDropout),
        })
        {
            if (probability > 0)
                text += $", of {of} {Probability(probability)}";
        }

        return text + model.ShareEmbeddings switch
        {
            EmbeddingSharing.All => ", one token table (needs `data.joint`)",
            EmbeddingSharing.Decoder => ", target and output share a table",
            _ => "",
        };

        static string Probability(float p) => p.ToString(CultureInfo.InvariantCulture);
    }
}
