using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace CudaSeq.Models;

/// <summary>
/// One or several runs as a page of HTML that needs nothing beside it: no network, no script. Scores with their signatures, curves, translations side by side with what the
/// reference lacks marked, and the facts of each run. Every figure is read from a log.
/// </summary>
public static class HtmlReport
{
    private const int MostTranslations = 12;

    private static readonly string[] Facts = ["command", "recipe", "architecture", "parameters", "precision", "device", "gpu", "processor", "processors", "runtime", "version", "commit", "seed", "train_pairs", "valid_pairs", "train_blocks", "valid_blocks"];

    /// <summary>Writes the page.</summary>
    /// <param name="title">Its heading.</param>
    /// <param name="runs">At least one, in the order of the page, each with its translations of the test pairs where it has them.</param>
    /// <exception cref="InvalidDataException">Some runs are of language models and some are not: none of their figures can be compared.</exception>
    public static string Write(string title, IReadOnlyList<(RunLog Log, IReadOnlyList<TestTranslation>? Translations)> runs)
    {
        RunLog[] logs = [.. runs.Select(r => r.Log)];
        if (logs.FirstOrDefault(l => l.IsOfText) is { } text && logs.FirstOrDefault(l => !l.IsOfText) is { } pairs)
            throw new InvalidDataException($"runs must all be of language models or all of pairs to stand side by side, {text.Name} is a language model and {pairs.Name} is none.");
        var page = new StringBuilder();
        page.Append($"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>{Text(title)}</title>\n");
        page.Append($"<style>\n{HtmlStyle.Css}</style>\n</head>\n<body>\n<h1>{Text(title)}</h1>\n");
        Scores(page, logs, Comparability.Objection(runs));
        page.Append("<h2>Curves</h2>\n<div class=\"charts\">\n");
        foreach (var chart in Charts(logs))
            page.Append(chart.ToHtml());
        page.Append("</div>\n");
        Translations(page, runs);
        foreach (var log in logs)
            Describe(page, log, logs.Length == 1);
        return page.Append("</body>\n</html>\n").ToString();
    }

    private static void Scores(StringBuilder page, RunLog[] logs, string? objection)
    {
        bool ofText = logs[0].IsOfText;
        var (key, columns) = ofText
            ? ("ppl", "<th>test perplexity</th><th>validation perplexity</th><th>validation nats/token</th>")
            : ("bleu", "<th>test BLEU</th><th>validation BLEU</th><th>perplexity</th>");
        page.Append($"<h2>Scores</h2>\n<div class=\"wide\"><table>\n<tr><th>run</th>{columns}<th>parameters</th><th>updates</th><th>minutes</th><th>tokens/s</th></tr>\n");
        double? best = logs.Length < 2 || objection is not null ? null : ofText ? logs.Min(l => RunLog.Number(l.Test, key)) : logs.Max(l => RunLog.Number(l.Test, key));
        foreach (var log in logs)
        {
            string test = Shown(log.Test, key, "f2"), second = ofText ? Shown(log.Best, log.Best?["nll"] is null ? "loss" : "nll", "f4") : Shown(log.Best, "ppl", "f2");
            if (best is { } most && RunLog.Number(log.Test, key) == most)
                test = $"<strong>{test}</strong>";
            page.Append(
                CultureInfo.InvariantCulture,
                $"<tr><th>{Text(log.Name)}</th><td>{test}</td><td>{Shown(log.Best, key, "f2")}</td><td>{second}</td><td>{Shown(log.Start, "parameters", "N0")}</td><td>{log.Updates:N0}</td><td>{log.Minutes:f1}</td><td>{log.TokensPerSecond:N0}</td></tr>\n");
        }

        page.Append("</table></div>\n");
        foreach (string warning in new[] { objection, Comparability.Caution(logs) }.OfType<string>())
            page.Append($"<p><strong>{Text(warning)}</strong></p>\n");
        page.Append("<p>Validation figures are those of the checkpoint that was kept; tokens");
        page.Append(ofText ? " a second are over the whole time." : " are those of the target, over the whole time.");
        if (best is not null)
            page.Append(" The best test score is set in bold.");
        page.Append("</p>\n");
        foreach (var log in logs.Where(l => l.Test?.ContainsKey("ppl") is true))
        {
            page.Append(
                CultureInfo.InvariantCulture,
                $"<p>{(logs.Length == 1 ? "" : $"{Text(log.Name)}: ")}test perplexity <strong>{Shown(log.Test, "ppl", "f2")}</strong>, {Shown(log.Test, "loss", "f4")} nats for each of the {Shown(log.Test, "tokens", "N0")} tokens of {Text((string?)log.Test!["source"] ?? "")}.</p>\n");
        }

        foreach (var group in logs.Where(l => l.Test?["signature"] is not null).GroupBy(l => $"{l.Test!["signature"]}, {l.Test["source"]}, {l.TestDecoding}"))
            page.Append($"<p class=\"small\">{(logs.Length == 1 ? "" : $"{Text(string.Join(", ", group.Select(l => l.Name)))}: ")}<code>{Text(group.Key)}</code></p>\n");
    }

    private static IEnumerable<Chart> Charts(RunLog[] logs)
    {
        bool single = logs.Length == 1;
        const string Update = "update";
        if (single)
        {
            yield return new Chart("loss", Update, [Series.Of("training", logs[0].Training, "update", "loss"), Series.Of("validation", logs[0].Validations, "update", "loss")]);
        }
        else
        {
            yield return Of("training loss", l => l.Training, "loss");
            yield return Of("validation loss", l => l.Validations, "loss");
            yield return new Chart("validation BLEU by time", "minutes", [.. logs.Select(l => Series.Of(l.Name, l.Validations, "seconds", "bleu", 1.0 / 60))]);
        }

        yield return Of("validation BLEU", l => l.Validations, "bleu");
        yield return Of("validation perplexity", l => l.Validations, "ppl", logarithmic: true);
        yield return Of("learning rate", l => l.Training, "lr");
        yield return Of("gradient norm", l => l.Training, "gradient_norm");
        yield return Of("target tokens a second", l => l.Training, "tokens_per_second");
        yield return Of("memory, bytes", l => l.Training, "memory");

        Chart Of(string title, Func<RunLog, IEnumerable<JsonObject>> events, string key, bool logarithmic = false)
            => new(title, Update, [.. logs.Select(l => Series.Of(l.Name, events(l), "update", key))], logarithmic);
    }

    // Lines that all runs have, spread over the test pairs; of several runs, those which they do not agree on.
    private static void Translations(StringBuilder page, IReadOnlyList<(RunLog Log, IReadOnlyList<TestTranslation>? Translations)> runs)
    {
        var with = runs.Where(r => r.Translations is { Count: > 0 }).Select(r => (r.Log.Name, Lines: r.Translations!)).ToArray();
        if (with.Length == 0)
            return;
        var first = with[0].Lines;
        var others = with.Where(r => r.Lines.Count == first.Count && r.Lines.Zip(first, (a, b) => a.Source == b.Source && a.Reference == b.Reference).All(same => same)).ToArray();
        int[] lines = [.. Enumerable.Range(0, first.Count).Where(i => others.Length == 1 || others.Any(r => r.Lines[i].Translation != first[i].Translation))];
        page.Append("<h2>Translations</h2>\n<p>");
        page.Append(others.Length == 1
            ? string.Create(CultureInfo.InvariantCulture, $"{Math.Min(MostTranslations, lines.Length)} of {first.Count:N0} test lines. ")
            : string.Create(CultureInfo.InvariantCulture, $"{Math.Min(MostTranslations, lines.Length)} of the {lines.Length:N0} test lines, {first.Count:N0} in all, that these runs translate differently. "));
        page.Append("What the reference has not in this order is <mark>underlined</mark>.</p>\n");
        if (others.Length < with.Length)
            page.Append($"<p class=\"small\">Left out, for they translated other lines: {Text(string.Join(", ", with.Except(others).Select(r => r.Name)))}.</p>\n");
        for (int n = 0, count = Math.Min(MostTranslations, lines.Length); n < count; n++)
        {
            int i = lines[(int)((long)lines.Length * n / count)];
            page.Append("<dl>\n");
            Row("source", Text(first[i].Source));
            Row("reference", Text(first[i].Reference));
            foreach (var (name, translations) in others)
            {
                var marked = new StringBuilder();
                foreach (var (part, shared) in TextDifference.Mark(translations[i].Translation, first[i].Reference))
                    marked.Append(shared ? Text(part) : $"<mark>{Text(part.TrimEnd(' '))}</mark>{part[part.TrimEnd(' ').Length..]}");
                Row(runs.Count == 1 ? "translation" : name, marked.Length == 0 ? "<em>nothing</em>" : marked.ToString());
            }

            page.Append("</dl>\n");
        }

        void Row(string name, string html) => page.Append($"<dt>{Text(name)}</dt><dd dir=\"auto\">{html}</dd>\n");
    }

    private static void Describe(StringBuilder page, RunLog log, bool open)
    {
        page.Append($"<h2>{Text(log.Name)}</h2>\n<div class=\"wide\"><table class=\"facts\">\n");
        foreach (string key in Facts)
        {
            if (log.Start[key] is { } value)
                page.Append($"<tr><th>{key.Replace('_', ' ')}</th><td><code>{Text(value is JsonValue ? value.ToString() : value.ToJsonString())}</code></td></tr>\n");
        }

        page.Append("</table></div>\n");
        foreach (var warning in log.Warnings)
            page.Append($"<p><strong>Warning</strong> at update {warning["update"]}: {Text($"{warning["key"]}: {warning["not_captured"]}")}</p>\n");
        if (!log.Validations.Any())
            return;
        page.Append($"<details{(open ? " open=\"open\"" : "")}>\n<summary>Validations</summary>\n<div class=\"wide\"><table>\n<tr><th>minutes</th><th>epoch</th><th>update</th><th>loss</th><th>perplexity</th><th>BLEU</th><th></th></tr>\n");
        foreach (var e in log.Validations)
        {
            page.Append(
                CultureInfo.InvariantCulture,
                $"<tr><td>{RunLog.Number(e, "seconds") / 60:f1}</td><td>{e["epoch"]}</td><td>{Shown(e, "update", "N0")}</td><td>{Shown(e, "loss", "f3")}</td><td>{Shown(e, "ppl", "f2")}</td><td>{Shown(e, "bleu", "f2")}</td><td>{(e == log.Best ? "kept" : (bool?)e["best"] == true ? "best so far" : "")}</td></tr>\n");
        }

        page.Append("</table></div>\n</details>\n");
    }

    private static string Shown(JsonObject? e, string key, string format) => RunLog.Shown(e, key, format) ?? "–";

    private static string Text(string text) => HtmlText.Of(text);
}
