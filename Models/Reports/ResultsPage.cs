using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace CudaSeq.Models;

/// <summary>Turns the logs of finished runs into one page of Markdown: what was run, for how long, and what came of it. Every figure is read from a log.</summary>
public static class ResultsPage
{
    /// <summary>Writes the page.</summary>
    /// <param name="title">The page's heading.</param>
    /// <param name="runs">In the order of the page.</param>
    /// <param name="text">Paragraphs of Markdown below the heading, for what no log knows.</param>
    /// <param name="times">Whether times and speeds are shown: those of a machine that did other work meanwhile are not worth it.</param>
    public static string Write(string title, IReadOnlyList<RunLog> runs, IReadOnlyList<string>? text = null, bool times = true)
    {
        var page = new StringBuilder();
        page.Append(CultureInfo.InvariantCulture, $"# {title}\n\n");
        page.Append("Written by `cudaseq report` from the logs of the runs; do not edit.\n\n");
        foreach (string paragraph in text ?? [])
            page.Append(CultureInfo.InvariantCulture, $"{paragraph}\n\n");
        if (!times)
            page.Append("The machine did other work meanwhile: times and speeds are left out.\n\n");
        Table(page, [.. runs.Where(r => !r.IsOfText)], times, $"{(times ? "target tokens/s | " : "")}best validation BLEU | test BLEU", run => $"{Score(run.Best)} | {Score(run.Test)}");
        Table(page, [.. runs.Where(r => r.IsOfText)], times, $"{(times ? "tokens/s | " : "")}validation perplexity | validation nats/token | test perplexity | test nats/token", run => $"{Figures(run.Best)} | {Figures(run.Test)}");
        foreach (var run in runs)
            Describe(page, run, times);
        return page.ToString().TrimEnd() + "\n";
    }

    private static void Table(StringBuilder page, IReadOnlyList<RunLog> runs, bool times, string columns, Func<RunLog, string> scores)
    {
        if (runs.Count == 0)
            return;
        bool budgets = runs.Any(r => r.Budget is not null);
        columns = $"run | parameters | {(budgets ? "budget | " : "")}{(times ? "minutes | " : "")}epochs | updates | {columns}";
        page.Append(CultureInfo.InvariantCulture, $"| {columns} |\n|---{string.Concat(Enumerable.Repeat("|---:", columns.Count(c => c == '|')))}|\n");
        foreach (var run in runs)
        {
            page.Append(
                CultureInfo.InvariantCulture,
                $"| {run.Name} | {run.Start["parameters"]!.GetValue<long>():N0} | {(budgets ? $"{run.Budget ?? "-"} | " : "")}{Time(run.Minutes, "f1")}{run.Epochs} | {run.Updates:N0} | {Time(run.TokensPerSecond, "N0")}{scores(run)} |\n");
        }

        page.Append('\n');

        string Time(double value, string format) => times ? value.ToString(format, CultureInfo.InvariantCulture) + " | " : "";
    }

    private static string Figures(JsonObject? e)
        => $"{Shown(e, "ppl", "f2")} | {Shown(e, e?["nll"] is null ? "loss" : "nll", "f4")}";

    private static void Describe(StringBuilder page, RunLog run, bool times)
    {
        page.Append(CultureInfo.InvariantCulture, $"## {run.Name}\n\n");
        foreach (string key in (string[])["command", "recipe", "commit", "version", "processor", "processors", "runtime", "train_pairs", "valid_pairs", "train_blocks", "valid_blocks", "seed"])
        {
            if (run.Start[key] is { } value)
                page.Append(CultureInfo.InvariantCulture, $"* {key.Replace('_', ' ')}: `{value}`\n");
        }

        if (run.Test is { } text && text["bleu"] is null)
        {
            page.Append(CultureInfo.InvariantCulture, $"* test: perplexity **{Shown(text, "ppl", "f2")}**, {text["loss"]} nats for each of the {text["tokens"]} tokens of {text["source"]}, ");
            page.Append(CultureInfo.InvariantCulture, $"context window {text["context_window"]}, checkpoint of update {text["checkpoint_update"]}, chosen on the validation text alone\n");
        }
        else if (run.Test is { } test)
        {
            page.Append(CultureInfo.InvariantCulture, $"* test: **{Score(test)}** BLEU with {run.TestDecoding}, ");
            page.Append(CultureInfo.InvariantCulture, $"checkpoint of update {test["checkpoint_update"]}, chosen on the validation pairs alone; signature `{test["signature"]}`\n");
        }

        page.Append($"\n<details><summary>validations</summary>\n\n|{(times ? " minutes |" : "")} epoch | update | validation loss | perplexity |{(run.IsOfText ? "" : " BLEU |")} |\n|{(times ? "---:|" : "")}---:|---:|---:|---:|{(run.IsOfText ? "" : "---:|")}---|\n");
        foreach (var e in run.Validations)
        {
            page.Append(
                CultureInfo.InvariantCulture,
                $"|{(times ? string.Create(CultureInfo.InvariantCulture, $" {e["seconds"]!.GetValue<double>() / 60:f1} |") : "")} {e["epoch"]} | {e["update"]} | {Shown(e, "loss", "f3")} | {Shown(e, "ppl", "f2")} |{(run.IsOfText ? "" : $" {Score(e)} |")} {(e == run.Best ? "best" : string.Empty)} |\n");
        }

        page.Append("\n</details>\n\n");
    }

    private static string Score(JsonObject? e) => Shown(e, "bleu", "f2");

    private static string Shown(JsonObject? e, string key, string format) => RunLog.Shown(e, key, format) ?? "-";
}
