using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using CudaSeq.Models;

namespace CudaSeq.Cli;

/// <summary>What was found in a corpus, for people and for programs.</summary>
/// <remarks>The keys of the JSON are described in docs/data.md.</remarks>
internal static class CorpusReportText
{
    /// <summary>File by file, pair by pair, split by split; only what was found, with the first places.</summary>
    /// <param name="terminal">Where.</param>
    /// <param name="report">What was found.</param>
    /// <param name="content">What was looked at.</param>
    /// <param name="options">What counted as worth telling.</param>
    /// <param name="folder">The folder that files are named from; empty for none.</param>
    public static void Write(Terminal terminal, CorpusReport report, CorpusFolderContent content, CorpusCheckOptions options, string folder)
    {
        string prefix = folder.Length == 0 ? "" : Path.Combine(folder, " ")[..^1];
        foreach (var text in report.Texts)
        {
            string longest = text.Lines == 0 ? "" : Invariant($", longest {text.LongestCharacters:N0} (line {text.LongestLine})");
            Heading(text.Path.StartsWith(prefix, StringComparison.Ordinal) ? text.Path[prefix.Length..] : text.Path, $"{Counted(text.Lines, "line")}, {Counted(text.Words, "word")}, {Counted(text.Characters, "character")}{longest}");
            Findings(text.Findings);
        }

        foreach (var pair in report.Pairs)
        {
            Heading(pair.Name, Counted(pair.Pairs, "pair"));
            Findings(pair.Findings);
        }

        foreach (var leak in report.Leaks)
        {
            Heading($"{leak.Name} in {leak.Earlier}", leak.Findings.Count == 0 ? "nothing in common" : "in common");
            Findings(leak.Findings);
        }

        foreach (var (name, sides) in content.Undecided)
            terminal.Out.WriteLine($"{name} has {sides.Count} sides, {string.Join(", ", sides)}, and is no pair; --sides A B chooses two.");
        if (content.Skipped.Count > 0)
            terminal.Out.WriteLine($"not looked at: {string.Join(", ", content.Skipped)}");
        terminal.Out.WriteLine(report.Findings == 0 ? "nothing found" : Counted(report.Findings, "finding"));

        void Heading(string name, string what) => terminal.Out.WriteLine($"{terminal.Bold(name)}  {what}");

        void Findings(IReadOnlyList<CorpusFinding> findings)
        {
            foreach (var finding in findings)
                terminal.Out.WriteLine(Invariant($"  {Label(finding.Fault, options),-24}  {finding.Count,9:N0}  {Places(finding)}").TrimEnd());
        }
    }

    /// <summary>One object of JSON.</summary>
    public static void WriteJson(Terminal terminal, CorpusReport report, CorpusFolderContent content)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, NewLine = "\n" }))
        {
            json.WriteStartObject();
            json.WriteStartArray("texts");
            foreach (var text in report.Texts)
            {
                json.WriteStartObject();
                json.WriteString("file", text.Path);
                json.WriteNumber("bytes", text.Bytes);
                json.WriteNumber("lines", text.Lines);
                json.WriteNumber("words", text.Words);
                json.WriteNumber("characters", text.Characters);
                json.WriteNumber("longest_line", text.LongestLine);
                json.WriteNumber("longest_line_characters", text.LongestCharacters);
                WriteFindings(json, text.Findings);
            }

            json.WriteEndArray();
            json.WriteStartArray("pairs");
            foreach (var pair in report.Pairs)
            {
                json.WriteStartObject();
                json.WriteString("name", pair.Name);
                json.WriteString("source", pair.Source);
                json.WriteString("target", pair.Target);
                json.WriteNumber("pairs", pair.Pairs);
                WriteFindings(json, pair.Findings);
            }

            json.WriteEndArray();
            json.WriteStartArray("leaks");
            foreach (var leak in report.Leaks)
            {
                json.WriteStartObject();
                json.WriteString("name", leak.Name);
                json.WriteString("in", leak.Earlier);
                WriteFindings(json, leak.Findings);
            }

            json.WriteEndArray();
            json.WriteStartArray("not_looked_at");
            foreach (string name in content.Skipped)
                json.WriteStringValue(name);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        terminal.Out.WriteLine(Encoding.UTF8.GetString(stream.ToArray()));
    }

    private static void WriteFindings(Utf8JsonWriter json, IReadOnlyList<CorpusFinding> findings)
    {
        json.WriteStartArray("findings");
        foreach (var finding in findings)
        {
            json.WriteStartObject();
            json.WriteString("finding", Key(finding.Fault));
            json.WriteNumber("count", finding.Count);
            json.WriteStartArray("first");
            foreach (var place in finding.First)
            {
                json.WriteStartObject();
                json.WriteNumber("line", place.Line);
                if (place.Byte is { } at)
                    json.WriteNumber("byte", at);
                if (place.Other is { } other)
                    json.WriteNumber("same_as_line", other);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static string Places(CorpusFinding finding)
    {
        if (finding.Fault is CorpusFault.ByteOrderMark or CorpusFault.CrLf || finding.First.Count == 0)
            return "";
        string more = finding.Count > finding.First.Count && finding.Fault != CorpusFault.NoPartner ? ", ..." : "";
        return $"{(finding.First.Count == 1 ? "line" : "lines")} {string.Join(", ", finding.First.Select(Place))}{more}";
    }

    private static string Place(CorpusPlace place)
    {
        string at = place.Byte is { } offset ? Invariant($" (byte {offset})") : "";
        string same = place.Other is { } other ? Invariant($" (= {other})") : "";
        return Invariant($"{place.Line}{at}{same}");
    }

    // InvalidUtf8 becomes invalid_utf8.
    private static string Key(CorpusFault fault)
        => string.Concat(fault.ToString().Select((c, i) => char.IsAsciiLetterUpper(c) ? $"{(i > 0 ? "_" : "")}{char.ToLowerInvariant(c)}" : $"{c}"));

    private static string Label(CorpusFault fault, CorpusCheckOptions options) => fault switch
    {
        CorpusFault.NoLines => "nothing in it",
        CorpusFault.InvalidUtf8 => "not UTF-8",
        CorpusFault.ByteOrderMark => "byte order mark",
        CorpusFault.CrLf => "line ends CR LF",
        CorpusFault.MixedLineEnds => "mixed line ends, CR LF",
        CorpusFault.NoFinalLineEnd => "no line end at the end",
        CorpusFault.Nul => "NUL",
        CorpusFault.ControlCharacters => "control characters",
        CorpusFault.LineSeparators => "other line separators",
        CorpusFault.InnerByteOrderMark => "U+FEFF inside",
        CorpusFault.ZeroWidth => "zero-width characters",
        CorpusFault.Replacement => "U+FFFD",
        CorpusFault.NotNfc => "not NFC",
        CorpusFault.Empty => "empty",
        CorpusFault.Long => Invariant($"over {options.LongLine:N0} characters"),
        CorpusFault.RepeatedLine => "repeated lines",
        CorpusFault.NoPartner => "without a partner, from",
        CorpusFault.OneSideEmpty => "one side empty",
        CorpusFault.WordRatio => Invariant($"words beyond 1:{options.Ratio}"),
        CorpusFault.CharacterRatio => Invariant($"characters beyond 1:{options.Ratio}"),
        CorpusFault.RepeatedPair => "repeated pairs",
        CorpusFault.SameSides => "both sides the same",
        CorpusFault.LeakedLine => "lines",
        CorpusFault.LeakedPair => "pairs",
        CorpusFault.LeakedSource => "source lines",
        _ => "target lines",
    };

    private static string Counted(long count, string what) => Invariant($"{count:N0} {what}{(count == 1 ? "" : "s")}");

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
