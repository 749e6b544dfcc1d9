using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace CudaSeq.Models;

/// <summary>A line of the test pairs and what a run made of it.</summary>
/// <param name="Source">What was translated.</param>
/// <param name="Reference">How a person did.</param>
/// <param name="Translation">How the run did.</param>
public sealed record TestTranslation(string Source, string Reference, string Translation)
{
    private static readonly JsonSerializerOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes them as JSON lines, all or none.</summary>
    public static void Save(string path, IEnumerable<TestTranslation> lines)
        => TextFile.WriteLines(path, lines.Select(l => new JsonObject { ["source"] = l.Source, ["reference"] = l.Reference, ["translation"] = l.Translation }.ToJsonString(Options)));

    /// <summary>Reads them; null where there is no such file.</summary>
    /// <exception cref="InvalidDataException">A line is not one of them.</exception>
    public static IReadOnlyList<TestTranslation>? Load(string path) => File.Exists(path) ? [.. Read(path)] : null;

    /// <summary>Reads them while they are asked for.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">A line is not one of them.</exception>
    public static IEnumerable<TestTranslation> Read(string path)
    {
        long number = 0;
        foreach (string line in TextFile.ReadLines(path))
        {
            number++;
            yield return Of(line) ?? throw new InvalidDataException($"{path}: line {number} must be a JSON object with source, reference and translation.");
        }
    }

    private static TestTranslation? Of(string line)
    {
        try
        {
            return JsonNode.Parse(line) is JsonObject o && (string?)o["source"] is { } source && (string?)o["reference"] is { } reference && (string?)o["translation"] is { } translation
                ? new TestTranslation(source, reference, translation)
                : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}
