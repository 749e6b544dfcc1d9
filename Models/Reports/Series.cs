using System.Text.Json.Nodes;

namespace CudaSeq.Models;

/// <summary>Points of one run in a chart.</summary>
/// <param name="Name">What the legend calls it.</param>
/// <param name="Points">By ascending X; finite.</param>
internal sealed record Series(string Name, IReadOnlyList<(double X, double Y)> Points)
{
    // More points than a chart has dots across are nothing to see and much to load.
    private const int MostPoints = 300;

    /// <summary>A fact of some events, where they have it as a finite number.</summary>
    /// <param name="name">What the legend calls it.</param>
    /// <param name="events">In the order of the log.</param>
    /// <param name="x">Key of what goes to the right.</param>
    /// <param name="y">Key of what goes up.</param>
    /// <param name="xScale">What x is multiplied by.</param>
    public static Series Of(string name, IEnumerable<JsonObject> events, string x, string y, double xScale = 1)
    {
        var points = new List<(double X, double Y)>();
        foreach (var e in events)
        {
            if (Number(e[x]) is { } across && Number(e[y]) is { } up)
                points.Add((across * xScale, up));
        }

        return new Series(name, Thinned(points));
    }

    // Means of neighbours; the last point stays, for it is what a reader looks for.
    private static IReadOnlyList<(double X, double Y)> Thinned(List<(double X, double Y)> points)
    {
        if (points.Count <= MostPoints)
            return points;
        var means = new (double X, double Y)[MostPoints];
        for (int i = 0; i < MostPoints - 1; i++)
        {
            int from = (int)((long)(points.Count - 1) * i / (MostPoints - 1)), to = (int)((long)(points.Count - 1) * (i + 1) / (MostPoints - 1));
            means[i] = (points[from..to].Average(p => p.X), points[from..to].Average(p => p.Y));
        }

        means[^1] = points[^1];
        return means;
    }

    private static double? Number(JsonNode? node)
        => node is JsonValue value && value.TryGetValue(out double number) && double.IsFinite(number) ? number : null;
}
