using System.Globalization;
using System.Text.Json;

namespace CudaSeq.Models;

/// <summary>What of an analysis a plan keeps.</summary>
/// <param name="Name">What page and claims call it; no other figure of the plan has the name.</param>
/// <param name="At">Where the number is in the analysis' JSON, as a JSON pointer (RFC 6901): <c>/results/layers/0/removal/last</c>. Of several numbers the mean is kept.</param>
internal sealed record PaperFigure(string Name, IReadOnlyList<string> At)
{
    /// <summary>The paper's own figure, in words; null where none is known.</summary>
    public string? Published { get; init; }

    /// <summary>Reads figures from what <c>cudaseq analyze</c> wrote.</summary>
    /// <param name="figures">Which.</param>
    /// <param name="path">The analysis' JSON.</param>
    /// <exception cref="InvalidDataException">A pointer leads to nothing, or to something that is no number; null is one that is not defined.</exception>
    internal static IReadOnlyList<PaperNumber> Read(IReadOnlyList<PaperFigure> figures, string path)
    {
        using var json = JsonDocument.Parse(File.ReadAllBytes(path));
        return [.. figures.Select(f => new PaperNumber(f.Name, f.At) { Value = f.Mean(json.RootElement, path) })];
    }

    private double? Mean(JsonElement root, string path)
    {
        double?[] numbers = [.. At.Select(pointer => Follow(root, pointer) switch
        {
            { ValueKind: JsonValueKind.Number } number => number.GetDouble(),
            { ValueKind: JsonValueKind.Null } => (double?)null,
            _ => throw new InvalidDataException($"{path}: must have a number at {pointer}, for the figure \"{Name}\"."),
        })];
        return numbers.Contains(null) ? null : numbers.Average();
    }

    private static JsonElement? Follow(JsonElement element, string pointer)
    {
        foreach (string part in pointer.Split('/').Skip(1))
        {
            string name = part.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            if (element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value))
                element = value;
            else if (element.ValueKind == JsonValueKind.Array && int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int index) && index < element.GetArrayLength())
                element = element[index];
            else
                return null;
        }

        return element;
    }
}

/// <summary>A figure as an analysis found it.</summary>
/// <param name="Name">Of the figure.</param>
/// <param name="At">Where it was.</param>
internal sealed record PaperNumber(string Name, IReadOnlyList<string> At)
{
    /// <summary>The number; null where it is not defined, as a change relative to 0 is not.</summary>
    public double? Value { get; init; }

    /// <summary>Whether it is what a plan asks for.</summary>
    internal bool Is(PaperFigure figure) => Name == figure.Name && At.SequenceEqual(figure.At);
}
