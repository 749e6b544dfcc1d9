using System.Globalization;
using System.Text;
using CudaSeq.Models;

namespace CudaSeq.Benchmarks;

/// <summary>The page of a comparison: ceilings, and for each group of cases how many times our time each rival takes, times over sizes, and all numbers.</summary>
internal static class ComparePage
{
    /// <summary>Writes it: one file that needs nothing beside it.</summary>
    public static string Write(MachineCeilings machine, IReadOnlyList<Rival> rivals, IReadOnlyList<CompareResult> results)
    {
        var page = new StringBuilder();
        page.Append("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>CudaSeq beside others</title>\n");
        page.Append($"<style>\n{HtmlStyle.Css}{HtmlStyle.Figures}</style>\n</head>\n<body>\n<h1>CudaSeq beside others</h1>\n");
        string[] names = [.. rivals.Select(r => r.Name)];
        page.Append($"<p>{HtmlText.Of($"{machine.Processor}, {machine.Threads} threads, {machine.Tier}; cudaseq {BuildInfo.Version} ({BuildInfo.Commit[..Math.Min(10, BuildInfo.Commit.Length)]}); rivals: {(names.Length == 0 ? "none" : string.Join(", ", names))}.")}</p>\n");
        page.Append("<p>Outputs were compared first. Both sides were timed in turns in one run; numbers are medians.</p>\n");
        Section(page, "What the machine can do", [
            new Table("", ["what", "at most"], [
                .. machine.FlopsByTier.Select(t => (string[])[$"multiply-adds, {t.Tier}", string.Create(CultureInfo.InvariantCulture, $"{t.Flops:f0} GFLOP/s")]),
                .. machine.ReadBySize.Select(r => (string[])[string.Create(CultureInfo.InvariantCulture, $"reading {r.Kilobytes} kB a thread"), string.Create(CultureInfo.InvariantCulture, $"{r.Bandwidth:f0} GB/s")]),
                ["copying memory", Bandwidth(machine.Copy)], ["reading memory", Bandwidth(machine.Read)], ["a = b + 3 c in memory", Bandwidth(machine.Triad)],
            ])]);
        foreach (var group in results.GroupBy(r => r.Case.Group))
            Section(page, group.Key, Figures([.. group]));
        return page.Append("</body>\n</html>\n").ToString();
    }

    private static IReadOnlyList<Figure> Figures(CompareResult[] results)
    {
        string[] rivals = [.. results.SelectMany(r => r.Rivals).Select(r => r.Label).Distinct()];
        var figures = new List<Figure>();

        // As many series as the bars have forms.
        foreach (string[] some in rivals.Chunk(Bars.MostSeries))
        {
            figures.Add(new Bars(
                "their time through ours (above 1 ours is shorter)", [.. results.Select(r => r.Case.Label)],
                [.. some.Select(name => (name, (IReadOnlyList<double>)[.. results.Select(r => Of(r, name)?.Ratio?.Median ?? double.NaN)]))], "0.00"));
        }

        if (results.Length > 2 && results.All(r => r.Case.X is not null))
        {
            Series own = new("ours", [.. results.Select(r => (r.Case.X!.Value, 1e3 * r.Seconds.Median))]);
            IEnumerable<Series> others = rivals.Select(name => new Series(name, [.. results.Where(r => Of(r, name)?.Seconds is not null).Select(r => (r.Case.X!.Value, 1e3 * Of(r, name)!.Seconds!.Value.Median))]));
            figures.Add(new Curves("milliseconds", "K", [own, .. others.Where(s => s.Points.Count > 0)], Logarithmic: true));
        }

        figures.Add(new Table("", ["case", "time", "rate", "of ceiling", .. rivals], [.. results.Select(r => (string[])
        [
            r.Case.Label, QuickRun.Duration(r.Seconds.Median), r.Case.Work.Rate(r.Seconds.Median, r.BoundByMemory), string.Create(CultureInfo.InvariantCulture, $"{r.Fraction:p0}"),
            .. rivals.Select(name => Cell(Of(r, name))),
        ])]));
        return figures;
    }

    private static string Cell(RivalResult? rival) => rival switch
    {
        null => "–",
        { Ratio: { } ratio } => string.Create(CultureInfo.InvariantCulture, $"{ratio.Median:f2} ({ratio.Low:f2} .. {ratio.High:f2})"),
        _ => "outputs differ",
    };

    private static RivalResult? Of(CompareResult result, string label) => result.Rivals.FirstOrDefault(r => r.Label == label);

    private static string Bandwidth(double value) => string.Create(CultureInfo.InvariantCulture, $"{value:f1} GB/s");

    private static void Section(StringBuilder page, string title, IReadOnlyList<Figure> figures)
    {
        page.Append($"<h2>{HtmlText.Of(title)}</h2>\n<div class=\"figures\">\n");
        foreach (var figure in figures)
            page.Append(figure.ToHtml());
        page.Append("</div>\n");
    }
}
