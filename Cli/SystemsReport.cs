using System.Globalization;
using System.Text.Json;
using CudaSeq.Models;

namespace CudaSeq.Cli;

/// <summary>Scores of several systems, and tests of their differences, for people and for programs.</summary>
/// <remarks>The keys of the JSON are described in docs/scores.md.</remarks>
internal static class SystemsReport
{
    private const int Decimals = 4;

    /// <summary>The results of one metric for each system.</summary>
    internal sealed record MetricTest(string Name, string Signature, IReadOnlyList<PairedTestResult> Results);

    /// <summary>A table with a row for each system, and the signatures.</summary>
    public static void Write(Terminal terminal, string[] systems, IReadOnlyList<IReadOnlyList<IMetricScore>> scores)
    {
        var table = new TextTable(["system", .. scores[0].Select(s => s.Name)]);
        for (int i = 0; i < systems.Length; i++)
            table.Add([systems[i], .. scores[i].Select(s => Number(s.Score))]);
        table.Write(terminal);
        terminal.Out.WriteLine();
        ScoreReport.WriteSignatures(terminal, [.. scores[0].Select(s => (s.Name, s.Signature))]);
    }

    /// <summary>A table for each metric: scores, means and confidence intervals of the resamples, and how probable each difference to the first system is by chance.</summary>
    public static void Write(Terminal terminal, string[] systems, IReadOnlyList<MetricTest> tests)
    {
        foreach (var test in tests)
        {
            var table = new TextTable("system", test.Name, "mean", "95 %", "p");
            for (int i = 0; i < systems.Length; i++)
            {
                var result = test.Results[i];
                table.Add(systems[i], Number(result.Score), Number(result.Mean), $"\u00B1 {Number(result.Interval)}", result.PValue is { } p ? Number(p) : "baseline");
            }

            table.Write(terminal);
            terminal.Out.WriteLine();
        }

        ScoreReport.WriteSignatures(terminal, [.. tests.Select(t => (t.Name, t.Signature))]);
    }

    /// <summary>An array with an object for each system: <c>system</c>, and <c>scores</c> with an object for each metric.</summary>
    public static void WriteJson(Terminal terminal, string[] systems, IReadOnlyList<IReadOnlyList<IMetricScore>> scores)
        => WriteSystems(terminal, systems, (json, i) =>
        {
            foreach (var score in scores[i])
                ScoreReport.Write(json, score);
        });

    /// <summary>An array with an object for each system, whose scores have <c>mean</c>, <c>ci</c> and <c>p_value</c>.</summary>
    public static void WriteJson(Terminal terminal, string[] systems, IReadOnlyList<MetricTest> tests)
        => WriteSystems(terminal, systems, (json, i) =>
        {
            foreach (var test in tests)
            {
                var result = test.Results[i];
                json.WriteStartObject();
                json.WriteString("name", test.Name);
                json.WriteNumber("score", Math.Round(result.Score, 6));
                json.WriteString("signature", test.Signature);
                json.WriteNumber("mean", Math.Round(result.Mean, 6));
                json.WriteNumber("ci", Math.Round(result.Interval, 6));
                if (result.PValue is { } p)
                    json.WriteNumber("p_value", p);
                else
                    json.WriteNull("p_value");
                ScoreReport.WriteParts(json, test.Signature);
                json.WriteEndObject();
            }
        });

    private static void WriteSystems(Terminal terminal, string[] systems, Action<Utf8JsonWriter, int> write)
        => terminal.Out.WriteLine(ScoreReport.Json(indented: true, json =>
        {
            json.WriteStartArray();
            for (int i = 0; i < systems.Length; i++)
            {
                json.WriteStartObject();
                json.WriteString("system", systems[i]);
                json.WriteStartArray("scores");
                write(json, i);
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }));

    private static string Number(double value) => value.ToString(string.Create(CultureInfo.InvariantCulture, $"F{Decimals}"), CultureInfo.InvariantCulture);
}
