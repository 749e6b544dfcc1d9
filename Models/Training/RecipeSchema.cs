using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace CudaSeq.Models;

/// <summary>
/// The JSON Schema of recipes, made from the table of keys: <c>recipes/recipe.schema.json</c>. An editor that reads a recipe's <c>$schema</c> completes keys and choices from it
/// and shows what they mean. What single keys cannot say (which of them must be given, and together) is not in it: <c>cudaseq recipe show</c> checks that.
/// </summary>
public static class RecipeSchema
{
    /// <summary>The schema as JSON.</summary>
    public static string ToJson()
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString(RecipeKeys.SchemaKey, "http://json-schema.org/draft-07/schema#");
            json.WriteString("title", "A recipe of CudaSeq");
            json.WriteBoolean("allowTrailingCommas", true);
            Section(json, "");
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray()) + "\n";
    }

    private static void Section(Utf8JsonWriter json, string section)
    {
        json.WriteString("type", "object");
        json.WriteBoolean("additionalProperties", false);
        json.WriteStartObject("properties");
        if (section.Length == 0)
        {
            Property(json, RecipeKeys.SchemaKey, "Where this schema is, for editors.", () => json.WriteString("type", "string"));
            Property(json, RecipeKeys.BaseKey, RecipePage.BaseExplanation, () => json.WriteString("type", "string"));
            Property(json, RecipeKeys.PresetKey, RecipePage.PresetExplanation, () =>
            {
                json.WriteStartArray("enum");
                foreach (string preset in RecipePresets.All.Keys)
                    json.WriteStringValue(preset);
                json.WriteEndArray();
            });
        }

        var defaults = new Recipe();
        foreach (var key in RecipeKeys.All.Where(k => k.Section == section))
        {
            Property(json, key.Name, key.Explanation, () =>
            {
                key.WriteSchema(json);
                if (key.Path is "name" or RecipeKeys.ArchitectureKey)
                    return;
                json.WritePropertyName("default");
                key.Write(defaults, json);
            });
        }

        foreach (string inner in section.Length == 0 ? RecipeKeys.Sections.Skip(1) : [])
        {
            json.WriteStartObject(inner);
            Section(json, inner);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static void Property(Utf8JsonWriter json, string name, string explanation, Action type)
    {
        json.WriteStartObject(name);
        json.WriteString("description", explanation);
        type();
        json.WriteEndObject();
    }
}
