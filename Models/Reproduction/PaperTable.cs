using System.Globalization;
using System.Text;

namespace CudaSeq.Models;

/// <summary>One number of one method.</summary>
/// <param name="Method">What was done.</param>
/// <param name="Metric">What was measured, larger or smaller being better as its name says.</param>
/// <param name="Values">One for each seed of the table, in their order.</param>
public sealed record PaperMeasure(string Method, string Metric, IReadOnlyList<double> Values)
{
    /// <summary>The mean over seeds.</summary>
    public double Mean => Values.Average();

    /// <summary>The deviation over seeds, of the sample (n - 1); 0 with one seed.</summary>
    public double Deviation => Values.Count < 2 ? 0 : Math.Sqrt(Values.Sum(v => Math.Pow(v - Mean, 2)) / (Values.Count - 1));
}

/// <summary>The results of an experiment.</summary>
/// <param name="Title">What was compared, on what.</param>
/// <param name="Seeds">What the runs began with.</param>
/// <param name="Measures">Methods in order of appearance, each with its metrics.</param>
public sealed record PaperTable(string Title, IReadOnlyList<int> Seeds, IReadOnlyList<PaperMeasure> Measures)
{
    /// <summary>A method's number.</summary>
    /// <exception cref="KeyNotFoundException">The table has no such measure.</exception>
    public PaperMeasure this[string method, string metric]
        => Measures.FirstOrDefault(m => m.Method == method && m.Metric == metric)
        ?? throw new KeyNotFoundException($"PaperTable: {Title} has no {metric} of {method}; the measures are {string.Join(", ", Measures.Select(m => $"{m.Metric} of {m.Method}"))}.");

    /// <summary>A row for each method, a column for each metric: the mean, with its deviation where there are several seeds.</summary>
    public override string ToString()
    {
        string[] metrics = [.. Measures.Select(m => m.Metric).Distinct()];
        string[] methods = [.. Measures.Select(m => m.Method).Distinct()];
        string[][] rows =
        [
            ["method", .. metrics],
            .. methods.Select(method => (string[])[method, .. metrics.Select(metric => Shown(Measures.FirstOrDefault(m => m.Method == method && m.Metric == metric)))]),
        ];
        int[] widths = [.. Enumerable.Range(0, metrics.Length + 1).Select(c => rows.Max(r => r[c].Length))];
        var text = new StringBuilder(Title).Append(CultureInfo.InvariantCulture, $" ({Seeds.Count} {(Seeds.Count == 1 ? "seed" : "seeds")})\n");
        foreach (string[] row in rows)
            text.Append(string.Join("  ", row.Select((cell, c) => c == 0 ? cell.PadRight(widths[c]) : cell.PadLeft(widths[c]))).TrimEnd()).Append('\n');
        return text.ToString();
    }

    /// <summary>Runs an experiment for each seed and gathers its numbers.</summary>
    /// <param name="title">What is compared, on what.</param>
    /// <param name="seeds">What the runs begin with; one or more.</param>
    /// <param name="run">The numbers of a seed, the same methods and metrics each time.</param>
    internal static PaperTable Of(string title, IReadOnlyList<int> seeds, Func<int, IEnumerable<(string Method, string Metric, double Value)>> run)
    {
        if (seeds.Count == 0)
            throw new ArgumentException($"PaperTable: {title} must have a seed, got none.");
        (string Method, string Metric, double Value)[][] runs = [.. seeds.Select(s => run(s).ToArray())];
        return new PaperTable(title, [.. seeds], [.. runs[0].Select((first, i) => new PaperMeasure(first.Method, first.Metric, [.. runs.Select(r => r[i].Value)]))]);
    }

    private static string Shown(PaperMeasure? measure)
        => measure is null ? string.Empty
        : measure.Values.Count < 2 ? measure.Mean.ToString("0.000", CultureInfo.InvariantCulture)
        : string.Create(CultureInfo.InvariantCulture, $"{measure.Mean:0.000} +- {measure.Deviation:0.000}");
}
