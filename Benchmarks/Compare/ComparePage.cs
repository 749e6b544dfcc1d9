using System.Globalization;
using System.Text;
using CudaSeq.Models;

namespace CudaSeq.Benchmarks;

/// <summary>
/// The page of a comparison: ceilings with all cases below them, and for each group of cases how many times our time each rival takes, times over sizes, and all numbers.
/// </summary>
internal static class ComparePage
{
    private const int LeastPoints = 3;

    private const string Style =
        """
        .roof { stroke: var(--ink); stroke-width: 1.4; fill: none; }
        .dot { stroke: var(--c0); fill: var(--paper); }
        .figures .whole th:first-child { white-space: normal; min-width: 9rem; }
        .numbered { list-style: decimal; padding-left: 1.6rem; display: block; columns: 2 12rem; }

        """;

    /// <summary>Writes it: one file that needs nothing beside it.</summary>
    public static string Write(MachineCeilings machine, IReadOnlyList<Rival> rivals, IReadOnlyList<CompareResult> results)
    {
        var page = new StringBuilder();
        page.Append("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>CudaSeq beside others</title>\n");
        page.Append($"<style>\n{HtmlStyle.Css}{HtmlStyle.Figures}{Style}</style>\n</head>\n<body>\n<h1>CudaSeq beside others</h1>\n");
        string[] names = [.. rivals.Select(r => r.Name)];
        page.Append($"<p>{HtmlText.Of($"{machine.Title}; cudaseq {BuildInfo.Version} ({BuildInfo.Commit[..Math.Min(10, BuildInfo.Commit.Length)]}); rivals: {(names.Length == 0 ? "none" : string.Join(", ", names))}.")}</p>\n");
        page.Append("<p>Outputs were compared first. Both sides were timed in turns in one run; numbers are medians.</p>\n");
        foreach (string note in Notes(results))
            page.Append($"<p>{HtmlText.Of(note)}</p>\n");
        if (InShort(results) is { Rows.Count: > 0 } table)
            Section(page, "In short", [table]);
        Section(page, "What the machine can do", [.. Roof(machine, results), Ceilings(machine)]);
        foreach (var group in results.GroupBy(r => r.Case.Group))
            Section(page, group.Key, Figures([.. group]));
        return page.Append("</body>\n</html>\n").ToString();
    }

    private static IEnumerable<string> Notes(IReadOnlyList<CompareResult> results)
    {
        string[] wholes = [.. results.Select(r => r.Case.Whole).OfType<string>().Distinct()];
        if (wholes.Length == 0)
            yield break;
        yield return "Operations of models are those of products of matrices, attention and convolutions, backward's twice forward's; tokens are the target's.";
        if (results.Any(r => r.Case.IsLatency))
            yield return "Models that decode have random parameters; each output is made to have T steps, its end-of-sentence included.";
        yield return "Resident memory is the most of each process while both sides were timed.";
    }

    // The fastest rival is the one that counts: the variants of a library are ways that its user may choose.
    private static Table InShort(IReadOnlyList<CompareResult> results)
    {
        var rows = new List<IReadOnlyList<string>>();
        foreach (var group in results.GroupBy(r => r.Case.Group))
        {
            double[] ratios = [.. group.Select(r => r.Rivals.Where(v => !v.IsSibling).Min(v => v.Ratio?.Median)).OfType<double>()];
            if (ratios.Length > 0)
                rows.Add([group.Key, Ratio(Math.Exp(ratios.Average(Math.Log))), Ratio(ratios.Min()), Ratio(ratios.Max())]);
        }

        return new Table("The fastest rival's time through ours (above 1 ours is shorter), geometric means", ["cases", "mean", "least", "most"], rows);
    }

    private static IEnumerable<Figure> Roof(MachineCeilings machine, IReadOnlyList<CompareResult> results)
    {
        (string, IReadOnlyList<(double, double)>)[] groups =
        [
            .. results.Where(r => r.Case.Work is { Flops: > 0, Bytes: > 0 }).GroupBy(r => r.Case.Group)
                .Select(g => (g.Key, (IReadOnlyList<(double, double)>)[.. g.Select(r => (r.Case.Work.Flops / r.Case.Work.Bytes, r.Case.Work.Flops / r.Seconds.Median / 1e9))])),
        ];
        if (groups.Length > 0)
            yield return new Roofline("Ours below the roofs of memory and arithmetic; above memory's, data comes from caches", machine.Flops, machine.Copy, groups);
    }

    private static Table Ceilings(MachineCeilings machine) => new("", ["what", "at most"], [.. machine.Rows().Select(r => (string[])[r.What, r.Most])]);

    private static IReadOnlyList<Figure> Figures(CompareResult[] results)
    {
        string[] rivals = [.. results.SelectMany(r => r.Rivals).Select(r => r.Label).Distinct()];
        var figures = new List<Figure>();

        // As many series as the bars have forms; one alone has no legend.
        foreach (string[] some in rivals.Chunk(Bars.MostSeries))
        {
            CompareResult[] known = [.. results.Where(r => some.Any(name => Of(r, name) is not null))];
            figures.Add(new Bars(
                $"{(some.Length == 1 ? $"{some[0]}: its" : "their")} time through ours (above 1 ours is shorter)", [.. known.Select(r => r.Case.Label)],
                [.. some.Select(name => (name, (IReadOnlyList<double>)[.. known.Select(r => Of(r, name)?.Ratio?.Median ?? double.NaN)]))], "0.00"));
        }

        var lines = results.SelectMany(r => r.Case.Places.Select(p => (Result: r, Place: p))).GroupBy(p => (p.Place.Axis, p.Place.Line)).Where(l => l.Count() >= LeastPoints)
            .Select(l => (l.Key.Axis, l.Key.Line, Points: l.OrderBy(p => p.Place.At).ToArray())).ToArray();

        // Beside rivals each line has a picture of its own; alone, lines over one axis share it.
        if (rivals.Length == 0)
        {
            figures.AddRange(lines.GroupBy(l => l.Axis).Select(g => new Curves("milliseconds", g.Key, [.. g.Select(l => Milliseconds(l.Line, l.Points, r => r.Seconds))], Logarithmic: true, LogarithmicAcross: true)));
            lines = [];
        }

        foreach (var (axis, line, points) in lines)
        {
            var others = rivals.Select(name => Milliseconds(name, points, r => Of(r, name)?.Seconds));
            figures.Add(new Curves($"milliseconds{(line.Length == 0 ? "" : $", {line}")}", axis, [Milliseconds("ours", points, r => r.Seconds), .. others.Where(s => s.Points.Count > 0)], Logarithmic: true, LogarithmicAcross: true));
        }

        bool whole = results.Any(r => r.Case.Whole is not null), latency = results.Any(r => r.Case.IsLatency);
        figures.Add(new Table("", ["case", "time", .. whole ? ["tokens/s"] : Array.Empty<string>(), .. latency ? ["ms a token"] : Array.Empty<string>(), "rate", "of ceiling", .. rivals], [.. results.Select(r => (string[])
        [
            r.Case.Label, QuickRun.Duration(r.Seconds.Median),
            .. whole ? [string.Create(CultureInfo.InvariantCulture, $"{r.Case.Work.Items / r.Seconds.Median:f0}")] : Array.Empty<string>(),
            .. latency ? [r.Case.IsLatency ? CompareRun.PerToken(r.Case, r.Seconds.Median) : "–"] : Array.Empty<string>(),
            r.Case.Work.Rate(r.Seconds.Median, r.BoundByMemory), string.Create(CultureInfo.InvariantCulture, $"{r.Fraction:p0}"),
            .. rivals.Select(name => Cell(Of(r, name))),
        ])]));
        if (whole)
            figures.Add(Costs(results, rivals));
        return figures;
    }

    private static Series Milliseconds(string name, IEnumerable<(CompareResult Result, Place Place)> points, Func<CompareResult, Spread?> seconds)
        => new(name, [.. points.Where(p => seconds(p.Result) is not null).Select(p => (p.Place.At, 1e3 * seconds(p.Result)!.Value.Median))]);

    private static Table Costs(CompareResult[] results, string[] rivals) => new(
        $"Of one {results[0].Case.Whole}, and the most resident memory",
        ["case", "managed memory", "collections 0 / 1 / 2", "new buffers", "resident, ours", .. rivals],
        [.. results.Select(r => (string[])
        [
            r.Case.Label, string.Create(CultureInfo.InvariantCulture, $"{r.Costs.ManagedBytes / 1e3:f1} kB"),
            string.Create(CultureInfo.InvariantCulture, $"{r.Costs.Collections.First:0.###} / {r.Costs.Collections.Second:0.###} / {r.Costs.Collections.Third:0.###}"),
            string.Create(CultureInfo.InvariantCulture, $"{r.Costs.Buffers:0.###}"), CudaSeq.Benchmarks.Costs.Megabytes(r.Costs.PeakBytes),
            .. rivals.Select(name => Of(r, name) is { Seconds: not null } rival ? CudaSeq.Benchmarks.Costs.Megabytes(rival.PeakBytes) : "–"),
        ])]);

    private static string Cell(RivalResult? rival) => rival switch
    {
        null => "–",
        { Ratio: { } ratio } => $"{Ratio(ratio.Median)} ({Ratio(ratio.Low)} .. {Ratio(ratio.High)})",
        _ => "outputs differ",
    };

    private static RivalResult? Of(CompareResult result, string label) => result.Rivals.FirstOrDefault(r => r.Label == label);

    private static string Ratio(double value) => string.Create(CultureInfo.InvariantCulture, $"{value:f2}");

    private static void Section(StringBuilder page, string title, IReadOnlyList<Figure> figures)
    {
        page.Append($"<h2>{HtmlText.Of(title)}</h2>\n<div class=\"figures\">\n");
        foreach (var figure in figures)
            page.Append(figure.ToHtml());
        page.Append("</div>\n");
    }
}
