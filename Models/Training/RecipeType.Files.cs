using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;

namespace CudaSeq.Models;

/// <content>Files, and corpora of them.</content>
internal static partial class RecipeTypes
{
    private sealed class FilesType : RecipeType<CorpusFiles?>
    {
        /// <summary>The files of a translation.</summary>
        public const string Pair = "[source file, target file]";

        public override string Description => $"{Pair}, or [file] for a language model";

        public override bool TryRead(JsonElement json, out CorpusFiles? value)
        {
            value = null;
            if (json.ValueKind == JsonValueKind.Null)
                return true;
            if (json.ValueKind != JsonValueKind.Array || json.GetArrayLength() is not (1 or 2))
                return false;
            string?[] names = [.. json.EnumerateArray().Select(n => n.ValueKind == JsonValueKind.String ? n.GetString() : null)];
            if (names.Any(string.IsNullOrEmpty))
                return false;
            value = new CorpusFiles(names.Length == 1 ? "" : names[0]!, names[^1]!);
            return true;
        }

        public override void Write(Utf8JsonWriter json, CorpusFiles? value)
        {
            if (value is null)
            {
                json.WriteNullValue();
                return;
            }

            json.WriteStartArray();
            foreach (string name in value.Names)
                json.WriteStringValue(name);
            json.WriteEndArray();
        }

        public override void WriteSchema(Utf8JsonWriter schema)
        {
            schema.WriteStartArray("type");
            schema.WriteStringValue("array");
            schema.WriteStringValue("null");
            schema.WriteEndArray();
            schema.WriteStartObject("items");
            schema.WriteString("type", "string");
            schema.WriteNumber("minLength", 1);
            schema.WriteEndObject();
            schema.WriteNumber("minItems", 1);
            schema.WriteNumber("maxItems", 2);
        }

        /// <summary>One name, or two with a comma between them, or JSON.</summary>
        public override string FromCommandLine(string text)
            => text.StartsWith('[') || text == "null" ? base.FromCommandLine(text) : $"[{string.Join(',', text.Split(',').Select(Quote))}]";
    }

    /// <summary>The files of one corpus as they are written there, or a list of corpora with their weights.</summary>
    private sealed class CorporaType : RecipeType<TrainingFiles?>
    {
        private const string FilesKey = "files";
        private const string WeightKey = "weight";

        public override string Description
            => string.Create(CultureInfo.InvariantCulture, $$"""{{Files.Description}}, or a list of { "{{FilesKey}}": {{FilesType.Pair}}, "{{WeightKey}}": number above 0, at most {{CorpusPart.MostWeight}} }""");

        public override bool TryRead(JsonElement json, out TrainingFiles? value)
        {
            value = null;
            if (json.ValueKind != JsonValueKind.Array || json.GetArrayLength() == 0 || json[0].ValueKind != JsonValueKind.Object)
            {
                bool good = Files.TryRead(json, out var files);
                value = files;
                return good;
            }

            var corpora = new List<WeightedFiles>();
            foreach (var item in json.EnumerateArray())
            {
                if (!TryReadCorpus(item, out var corpus))
                    return false;
                corpora.Add(corpus);
            }

            value = new TrainingFiles(corpora);
            return true;
        }

        public override void Write(Utf8JsonWriter json, TrainingFiles? value)
        {
            if (value is null || value.IsPlain)
            {
                Files.Write(json, value?[0].Files);
                return;
            }

            json.WriteStartArray();
            foreach (var (files, weight) in value)
            {
                json.WriteStartObject();
                json.WritePropertyName(FilesKey);
                Files.Write(json, files);
                json.WriteNumber(WeightKey, weight);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        public override void WriteSchema(Utf8JsonWriter schema)
        {
            schema.WriteStartArray("anyOf");
            schema.WriteStartObject();
            Files.WriteSchema(schema);
            schema.WriteEndObject();
            schema.WriteStartObject();
            schema.WriteString("type", "array");
            schema.WriteNumber("minItems", 1);
            schema.WriteStartObject("items");
            schema.WriteString("type", "object");
            schema.WriteBoolean("additionalProperties", false);
            schema.WriteStartArray("required");
            schema.WriteStringValue(FilesKey);
            schema.WriteEndArray();
            schema.WriteStartObject("properties");
            schema.WriteStartObject(FilesKey);
            Files.WriteSchema(schema);
            schema.WriteEndObject();
            schema.WriteStartObject(WeightKey);
            schema.WriteString("type", "number");
            schema.WriteNumber("exclusiveMinimum", 0);
            schema.WriteNumber("maximum", CorpusPart.MostWeight);
            schema.WriteNumber("default", 1);
            schema.WriteEndObject();
            schema.WriteEndObject();
            schema.WriteEndObject();
            schema.WriteEndObject();
            schema.WriteEndArray();
        }

        public override string FromCommandLine(string text) => Files.FromCommandLine(text);

        private static bool TryReadCorpus(JsonElement json, [MaybeNullWhen(false)] out WeightedFiles corpus)
        {
            corpus = null;
            if (json.ValueKind != JsonValueKind.Object)
                return false;
            CorpusFiles? files = null;
            decimal? weight = null;
            foreach (var property in json.EnumerateObject())
            {
                if (property.Name == FilesKey && files is null && Files.TryRead(property.Value, out files) && files is not null)
                    continue;
                if (property.Name != WeightKey || weight is not null || property.Value.ValueKind != JsonValueKind.Number
                    || !property.Value.TryGetDecimal(out decimal number) || number is <= 0 or > CorpusPart.MostWeight)
                    return false;

                // Without zeros at its end, so that 2 and 2.0 are written alike.
                weight = number / 1.0000000000000000000000000000m;
            }

            corpus = files is null ? null : new WeightedFiles(files, weight ?? 1);
            return corpus is not null;
        }
    }
}
