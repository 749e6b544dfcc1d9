using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace CudaSeq.Models;

/// <summary>What an analysis found: numbers for programs and a page for people.</summary>
public sealed class AnalysisResult
{
    private static readonly JsonWriterOptions Json = new() { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Analysis _analysis;
    private readonly AnalysisRun _run;
    private readonly AnalysisText _text;
    private readonly AnalysisSettings _settings;
    private readonly AnalysisFinding _finding;

    internal AnalysisResult(Analysis analysis, AnalysisRun run, AnalysisText text, AnalysisSettings settings, AnalysisFinding finding)
        => (_analysis, _run, _text, _settings, _finding) = (analysis, run, text, settings, finding);

    /// <summary>The most important of it in one sentence.</summary>
    public string Headline => _finding.Headline;

    /// <summary>Refuses a folder that results could not be saved in, before anything is computed; nothing is left there.</summary>
    /// <param name="folder">The folder; it need not be there yet.</param>
    /// <param name="analysis">What will be saved.</param>
    /// <exception cref="IOException">It is a file, cannot be written to, or a folder is in the way of a file.</exception>
    public static void CheckFolder(string folder, Analysis analysis)
    {
        if (File.Exists(folder))
            throw new IOException($"{folder}: must be a folder, is a file.");
        CheckFiles(folder, [$"{analysis.Name}.json", $"{analysis.Name}.html"]);
        string above = Path.GetFullPath(folder);
        while (!Directory.Exists(above))
        {
            if (File.Exists(above))
                throw new IOException($"{folder}: cannot be a folder, {above} is a file.");
            above = Path.GetDirectoryName(above) ?? throw new IOException($"{folder}: cannot be written, there is nothing above it.");
        }

        // What will be made there first: a file, or a folder.
        string trial = Path.Combine(above, $".cudaseq-{Guid.NewGuid():N}");
        try
        {
            if (Directory.Exists(folder))
            {
                using var file = new FileStream(trial, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
            }
            else
            {
                Directory.CreateDirectory(trial);
                Directory.Delete(trial);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"{folder}: cannot be written.", e);
        }
    }

    /// <summary>Writes NAME.json, NAME.html and what else there is into a folder, which is made where there is none. Nothing is replaced before all of them could be written; links are followed.</summary>
    /// <param name="folder">The folder.</param>
    /// <returns>The files.</returns>
    /// <exception cref="IOException">They cannot be written.</exception>
    public IReadOnlyList<string> Save(string folder)
    {
        if (File.Exists(folder))
            throw new IOException($"{folder}: must be a folder, is a file.");
        (string Name, Action<Stream> Write)[] files =
        [
            ($"{_analysis.Name}.json", WriteJson), ($"{_analysis.Name}.html", stream => stream.Write(Encoding.UTF8.GetBytes(ToHtml()))), .. _finding.Files.Select(f => (f.Name, f.Write)),
        ];
        CheckFiles(folder, files.Select(f => f.Name));
        Directory.CreateDirectory(folder);
        string parts = Directory.CreateTempSubdirectory("cudaseq-").FullName;
        try
        {
            foreach (var (name, write) in files)
                TextFile.WriteWhole(Path.Combine(parts, name), write);
            foreach (var (name, _) in files)
            {
                using var part = TextFile.Open(Path.Combine(parts, name));
                TextFile.WriteWhole(Path.Combine(folder, name), part.CopyTo);
            }
        }
        finally
        {
            Directory.Delete(parts, recursive: true);
        }

        return [.. files.Select(f => Path.Combine(folder, f.Name))];
    }

    private static void CheckFiles(string folder, IEnumerable<string> names)
    {
        foreach (string path in names.Select(n => Path.Combine(folder, n)).Where(Directory.Exists))
            throw new IOException($"{path}: must be a file, is a folder.");
    }

    /// <summary>Writes all numbers as JSON: <c>analysis</c>, <c>model</c>, what was read and told, and <c>results</c>, whose keys docs/analyses.md has.</summary>
    /// <param name="stream">Where to.</param>
    public void WriteJson(Stream stream)
    {
        using (var json = new Utf8JsonWriter(stream, Json))
        {
            json.WriteStartObject();
            json.WriteString("analysis", _analysis.Name);
            json.WriteString("model", _run.Folder);
            json.WriteString("architecture", $"{_run.Config.Architecture}".ToLowerInvariant());
            if (_run.Update is { } update)
                json.WriteNumber("checkpoint_update", update);
            foreach (var (name, path) in Paths())
                json.Numbers(name, path.Select(l => (double)l));
            json.WriteString("precision", Precisions.Name(_run.Model.Precision));
            json.WriteString("device", $"{_run.Device}");
            json.WriteStartObject("options");
            foreach (var (name, value) in _settings.Values)
                WriteValue(json, name.TrimStart('-').Replace('-', '_'), value);
            json.WriteEndObject();
            if (_text.Report is { } report)
            {
                json.WriteStartObject("text");
                json.WriteString("input", _text.Input ?? "test");
                if (_text.Reference is { } reference)
                    json.WriteString("reference", reference);
                json.WriteNumber("lines", report.Lines);
                json.WriteNumber("samples", report.Kept);
                json.WriteNumber("empty", report.Empty);
                json.WriteNumber("too_long", report.TooLong);
                json.WriteEndObject();
            }

            json.WriteStartObject("results");
            _finding.Numbers(json);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        stream.WriteByte((byte)'\n');

        static void WriteValue(Utf8JsonWriter json, string name, object value)
        {
            switch (value)
            {
                case bool flag:
                    json.WriteBoolean(name, flag);
                    break;
                case long whole:
                    json.WriteNumber(name, whole);
                    break;
                case double number:
                    json.WriteNumber(name, number);
                    break;
                default:
                    json.WriteString(name, (string)value);
                    break;
            }
        }
    }

    /// <summary>The page: one file that needs nothing beside it, no network and no script.</summary>
    public string ToHtml()
    {
        string title = $"{_analysis.Name}: {_run.Name}";
        var page = new StringBuilder();
        page.Append($"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>{HtmlText.Of(title)}</title>\n");
        page.Append($"<style>\n{HtmlStyle.Css}{HtmlStyle.Figures}</style>\n</head>\n<body>\n<h1>{HtmlText.Of(title)}</h1>\n");
        page.Append($"<p>{HtmlText.Of(_analysis.Summary)}</p>\n<p><strong>{HtmlText.Of(Headline)}</strong></p>\n");
        foreach (var section in _finding.Sections)
            Write(page, section);
        page.Append($"<h2>How to read it</h2>\n<p>{HtmlText.Of(_analysis.Reading)}</p>\n<p class=\"small\">{HtmlText.Of(_analysis.Origin)}</p>\n");
        page.Append("<h2>What was looked at</h2>\n<div class=\"wide\"><table class=\"facts\">\n");
        foreach (var (name, value) in Facts())
            page.Append($"<tr><th>{HtmlText.Of(name)}</th><td><code>{HtmlText.Of(value)}</code></td></tr>\n");
        return page.Append("</table></div>\n</body>\n</html>\n").ToString();
    }

    private static void Write(StringBuilder page, AnalysisSection section)
    {
        page.Append(section.Folded ? $"<details>\n<summary>{HtmlText.Of(section.Title)}</summary>\n" : $"<h2>{HtmlText.Of(section.Title)}</h2>\n");
        foreach (string paragraph in section.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            page.Append($"<p>{HtmlText.Of(paragraph)}</p>\n");
        if (section.Figures.Count > 0)
        {
            page.Append("<div class=\"figures\">\n");
            foreach (var figure in section.Figures)
                page.Append(figure.ToHtml());
            page.Append("</div>\n");
        }

        if (section.Folded)
            page.Append("</details>\n");
    }

    // Layers in another order than that of their numbers.
    private IEnumerable<(string Name, IReadOnlyList<int> Path)> Paths()
        => new[] { ("encoder_path", _run.Config.EncoderPath), ("decoder_path", _run.Config.DecoderPath) }.Where(p => p.Item2.Count > 0);

    private IEnumerable<(string Name, string Value)> Facts()
    {
        var config = _run.Config;
        yield return ("model", _run.Folder);
        if (_run.Update is { } update)
            yield return ("updates", update.ToString("N0", CultureInfo.InvariantCulture));
        yield return ("architecture", $"{config.Architecture}".ToLowerInvariant());
        string encoder = config.IsLanguageModel ? "" : string.Create(CultureInfo.InvariantCulture, $"{config.EncoderDepth} encoder {(config.EncoderDepth == 1 ? "layer" : "layers")}, ");
        yield return ("layers", string.Create(CultureInfo.InvariantCulture, $"{encoder}{config.DecoderDepth} decoder {(config.DecoderDepth == 1 ? "layer" : "layers")}, {(config.WidthOfEncoder == config.ModelWidth ? "" : FormattableString.Invariant($"{config.WidthOfEncoder} and "))}{config.ModelWidth} channels, {config.AttentionHeads} {(config.AttentionHeads == 1 ? "head" : "heads")}"));
        foreach (var (name, path) in Paths())
            yield return (name.Replace('_', ' '), string.Join(", ", path));
        yield return ("computed in", $"{Precisions.Name(_run.Model.Precision)} on {_run.Device}");
        if (_text.Report is { } report)
        {
            yield return ("text", $"{_text.Input ?? "the pairs that the run was tested with"}{(_text.Reference is { } reference ? $", {reference}" : "")}");
            string left = report.Empty + report.TooLong > 0 ? string.Create(CultureInfo.InvariantCulture, $", {report.Empty:N0} left out as empty, {report.TooLong:N0} as too long") : "";
            yield return ("lines", string.Create(CultureInfo.InvariantCulture, $"{report.Lines:N0}{left}"));
        }

        foreach (var (name, value) in _settings.Values)
            yield return (name, value is bool ? "yes" : string.Create(CultureInfo.InvariantCulture, $"{value}"));
        yield return ("numbers", $"{_analysis.Name}.json");
        yield return ("version", $"cudaseq {BuildInfo.Version} ({BuildInfo.Commit})");
    }
}
