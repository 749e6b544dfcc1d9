using System.Globalization;
using System.Text;
using System.Text.Json;

namespace CudaSeq.Models;

/// <summary>One key of a recipe: the line of the table from which reading, checking, writing and documentation come.</summary>
internal abstract class RecipeKey(string path, string explanation)
{
    /// <summary>Section and name, for example <c>training.seed</c>.</summary>
    public string Path { get; } = path;

    /// <summary>The object the key stands in; empty at the top.</summary>
    public string Section { get; } = path.Contains('.', StringComparison.Ordinal) ? path[..path.IndexOf('.', StringComparison.Ordinal)] : "";

    /// <summary>The key as it stands in the file.</summary>
    public string Name { get; } = path[(path.IndexOf('.', StringComparison.Ordinal) + 1)..];

    /// <summary>What it means, for the documentation.</summary>
    public string Explanation { get; } = explanation;

    /// <summary>Completes "must be ...".</summary>
    public abstract string Description { get; }

    /// <summary>Puts a value into a recipe; null when the value is not of the key's type.</summary>
    public abstract Recipe? Read(Recipe recipe, JsonElement value);

    public abstract void Write(Recipe recipe, Utf8JsonWriter json);

    /// <summary>What JSON Schema calls its values: properties of an object that the caller has begun.</summary>
    public abstract void WriteSchema(Utf8JsonWriter schema);

    /// <summary>The JSON for what was typed after <c>--set key=</c>.</summary>
    public abstract string FromCommandLine(string text);

    /// <summary>The value in a recipe as JSON.</summary>
    public string Show(Recipe recipe)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
            Write(recipe, json);
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    /// <summary>A value as error messages show it: one line, not too long.</summary>
    public static string Show(JsonElement value)
    {
        string raw = string.Join(' ', value.GetRawText().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return raw.Length <= 60 ? raw : string.Create(CultureInfo.InvariantCulture, $"{raw.AsSpan(0, 57)}...");
    }
}

/// <summary>A key whose values are of one .NET type.</summary>
internal sealed class RecipeKey<T>(string path, RecipeType<T> type, Func<Recipe, T> get, Func<Recipe, T, Recipe> set, string explanation)
    : RecipeKey(path, explanation)
{
    public override string Description => type.Description;

    public override Recipe? Read(Recipe recipe, JsonElement value) => type.TryRead(value, out var read) ? set(recipe, read) : null;

    public override void Write(Recipe recipe, Utf8JsonWriter json) => type.Write(json, get(recipe));

    public override void WriteSchema(Utf8JsonWriter schema) => type.WriteSchema(schema);

    public override string FromCommandLine(string text) => type.FromCommandLine(text);
}
