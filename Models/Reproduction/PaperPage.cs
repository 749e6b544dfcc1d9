using System.Globalization;
using System.Text;

namespace CudaSeq.Models;

/// <summary>The page of all papers' tables, made from their logs: every figure of it is read from one.</summary>
internal static class PaperPage
{
    private const string Introduction =
        """
        # Papers in miniature

        Written by `cudaseq report` from the logs in `papers/`; do not edit.

        Each table tries again what a paper found, on small data with small models and equal budgets, so the scores are far below the papers' and only their order can be compared. The plans
        are in `recipes/papers`; `cudaseq reproduce NAME` runs one of them and goes on where it was interrupted. BLEU is of the test files; ± is the standard deviation over the seeds.


        """;

    /// <summary>Writes the page.</summary>
    /// <param name="logs">In the order of the page.</param>
    public static string Write(IReadOnlyList<PaperLog> logs)
    {
        var page = new StringBuilder(Introduction.ReplaceLineEndings("\n"));
        foreach (var log in logs)
            page.Append(CultureInfo.InvariantCulture, $"* [{log.Plan.Title}](#{Anchor(log.Plan.Title)}){Summary(log)}\n");
        foreach (var log in logs)
            Section(page, log);
        return page.ToString().TrimEnd() + "\n";
    }

    /// <summary>What is known of a row, for tables elsewhere.</summary>
    public static (string Seeds, string Score, string Validation, string Parameters, string Depth) Cells(PaperLog log, string row)
    {
        var of = log.Of(row);
        return (string.Join(", ", of.Select(r => r.Seed)), Scores(of), Validation(log.Plan, row, of), Count(of.Select(r => r.Parameters)), Spread(of.Select(r => r.Depth), "f2"));
    }

    /// <summary>A figure of an analysis, the mean over the seeds; empty where it was not looked for.</summary>
    public static string Cell(PaperLog log, PaperFigure figure)
    {
        var numbers = PaperVerdict.Numbers(log, figure.Name, log.Plan.AllSeeds);
        return numbers.Any(double.IsNaN) ? "not defined" : Spread(numbers.Select(n => (double?)n), "G4");
    }

    private static void Section(StringBuilder page, PaperLog log)
    {
        var plan = log.Plan;
        page.Append(CultureInfo.InvariantCulture, $"\n## {plan.Title}\n\n{plan.Paper}. Plan: `recipes/papers/{log.Name}.json`.\n\n");
        foreach (string paragraph in plan.Text)
            page.Append(CultureInfo.InvariantCulture, $"{paragraph}\n\n");
        Table(page, log);
        Figures(page, plan, log);
        if (plan.Claims.Count > 0)
        {
            page.Append("| what should hold | here | measured |\n|---|---|---|\n");
            foreach (var claim in plan.Claims)
            {
                var verdict = PaperVerdict.Of(claim, log);
                page.Append(CultureInfo.InvariantCulture, $"| {Cell(claim.Text)} | {(verdict.Holds switch { true => "holds", false => "**does not show**", null => "open" })} | {Cell(verdict.Figures)} |\n");
            }

            page.Append('\n');
        }

        Runs(page, log);
    }

    private static void Table(StringBuilder page, PaperLog log)
    {
        var results = log.Results;
        bool published = log.Plan.Rows.Any(r => r.Published is not null && !r.IsAnalysis), times = results.Any(r => r.Updates > 0 && !r.Origin.Busy), depths = results.Any(r => r.Depth is not null);
        bool isText = results.Any(r => r.Perplexity is not null);
        List<string> columns = ["row", isText ? "test perplexity" : "test BLEU", "validation nats/token", "parameters", "in layers", "updates"];
        if (times)
            columns.Add("minutes");
        if (depths)
            columns.Add("decoder layers taken");
        if (published)
            columns.Add("published");
        page.Append(CultureInfo.InvariantCulture, $"| {string.Join(" | ", columns)} |\n|---|{string.Concat(Enumerable.Repeat("---:|", columns.Count - 1))}\n");
        foreach (var row in log.Plan.Rows.Where(r => !r.IsAnalysis))
        {
            var of = log.Of(row.Name);
            List<string> cells = [row.Name, Scores(of), Validation(log.Plan, row.Name, of), Count(of.Select(r => r.Parameters)), Count(of.Select(r => r.LayerParameters)), Count(of.Select(r => r.Updates))];
            if (times)
                cells.Add(Spread(of.Where(r => r.Updates > 0 && !r.Origin.Busy).Select(r => (double?)r.Minutes), "f1"));
            if (depths)
                cells.Add(Spread(of.Select(r => r.Depth), "f2"));
            if (published)
                cells.Add(row.Published ?? "");
            page.Append(CultureInfo.InvariantCulture, $"| {string.Join(" | ", cells.Select(Cell))} |\n");
        }

        page.Append('\n');
        string[] signatures = [.. results.Select(r => r.Signature).OfType<string>().Distinct()];
        if (signatures.Length > 0)
            page.Append(CultureInfo.InvariantCulture, $"BLEU: {string.Join(", ", signatures.Select(s => $"`{s}`"))}. ");
        if (results.Any(r => r.Origin.Busy))
            page.Append("The machine did other work meanwhile: times of training are left out, speeds were compared in turns. ");
        page.Append("Seeds: ").AppendJoin(", ", log.Plan.Seeds);
        foreach (var row in log.Plan.Rows.Where(r => r.Seeds is not null))
            page.Append(CultureInfo.InvariantCulture, $"; of \"{row.Name}\" {string.Join(", ", row.Seeds!)}");
        int due = log.Plan.Rows.Sum(r => log.Plan.SeedsOf(r).Count);
        if (results.Count < due)
            page.Append(CultureInfo.InvariantCulture, $"; {results.Count} of {due} runs were made so far");
        page.Append(".\n\n");
    }

    private static void Figures(StringBuilder page, PaperPlan plan, PaperLog log)
    {
        if (!plan.Rows.Any(r => r.IsAnalysis))
            return;
        page.Append("| analysis | figure | here | published |\n|---|---|---:|---:|\n");
        foreach (var row in plan.Rows.Where(r => r.IsAnalysis))
        {
            foreach (var figure in row.Figures)
                page.Append(CultureInfo.InvariantCulture, $"| {row.Name} | {figure.Name} | {Cell(log, figure)} | {figure.Published} |\n");
        }

        page.Append('\n');
    }

    private static void Runs(StringBuilder page, PaperLog log)
    {
        if (log.Results.Count == 0)
            return;
        page.Append("<details><summary>runs</summary>\n\n| row | seed | score | command | commit | device |\n|---|---:|---:|---|---|---|\n");
        foreach (var r in log.Plan.Rows.SelectMany(row => log.Of(row.Name)))
        {
            page.Append(
                CultureInfo.InvariantCulture,
                $"| {Cell(r.Row)} | {r.Seed} | {Scores([r])} | `{Cell(r.Origin.Command)}` | `{Short(r.Origin.Commit)}` | {r.Origin.Device}: {r.Origin.Processor}, {r.Origin.Processors} threads |\n");
        }

        foreach (var s in log.Speeds)
        {
            page.Append(
                CultureInfo.InvariantCulture,
                $"| {Cell(s.First)} beside {Cell(s.Second)} | {s.Seed} | {s.Ratio:f2} | {s.Sentences:N0} sentences, seconds {Seconds(s.FirstSeconds)} and {Seconds(s.SecondSeconds)} | `{Short(s.Origin.Commit)}` | {s.Origin.Device}: {s.Origin.Processor}, {s.Origin.Processors} threads |\n");
        }

        page.Append("\n</details>\n");
    }

    private static string Summary(PaperLog log)
    {
        bool?[] verdicts = [.. log.Plan.Claims.Select(c => PaperVerdict.Of(c, log).Holds)];
        return verdicts.Length == 0 ? "" : $": {verdicts.Count(v => v == true)} of {verdicts.Length} claims hold{(verdicts.Contains(null) ? $", {verdicts.Count(v => v is null)} open" : "")}";
    }

    private static string Scores(IReadOnlyList<PaperResult> results)
    {
        string[] failures = [.. results.Select(r => r.Failure).OfType<string>().Distinct()];
        string scores = Spread(results.Select(r => r.Bleu ?? r.Perplexity), "f2");
        return failures.Length == 0 ? scores : string.Join("; ", failures.Append(results.Any(r => r.Failure is null) ? scores : "").Where(s => s.Length > 0));
    }

    // Hard surface fusion is a weighted geometric mean whose probabilities sum to less than 1.
    private static string Validation(PaperPlan plan, string row, IReadOnlyList<PaperResult> of)
        => plan.Row(row).Set.Contains("model.surface_fusion=hard") && of.Any(r => r.ValidationLoss is not null) ? "not comparable" : Spread(of.Select(r => r.ValidationLoss), "f3");

    private static string Spread(IEnumerable<double?> values, string format)
    {
        double[] known = [.. values.OfType<double>()];
        if (known.Length == 0)
            return "";
        double mean = known.Average();
        string text = ReadableNumber.Of(mean, format);
        return known.Length == 1 ? text : $"{text} ± {ReadableNumber.Of(Math.Sqrt(known.Sum(v => (v - mean) * (v - mean)) / (known.Length - 1)), format)}";
    }

    // A bar would be the end of the cell.
    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);

    // The same for all seeds, or else what was there; 0 is nothing.
    private static string Count(IEnumerable<long> values) => string.Join(", ", values.Where(v => v > 0).Distinct().Select(v => v.ToString("N0", CultureInfo.InvariantCulture)));

    private static string Seconds(IEnumerable<double> seconds) => string.Join(" ", seconds.Select(s => s.ToString("f2", CultureInfo.InvariantCulture)));

    private static string Short(string commit) => commit.Length > 10 ? commit[..10] : commit;

    // As GitHub makes it of a heading.
    private static string Anchor(string title)
        => string.Concat(title.ToLowerInvariant().Where(c => char.IsLetterOrDigit(c) || c is ' ' or '-' or '_')).Replace(' ', '-');
}
