using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using CudaSeq.Models;

namespace CudaSeq.Cli;

/// <summary>Scores for people and for programs.</summary>
/// <remarks>The keys of the JSON are described in docs/scores.md.</remarks>
internal static class ScoreReport
{
    /// <summary>A score in two lines: the number with what it was computed from, and the signature.</summary>
    public static void Write(Terminal terminal, BleuScore bleu) => Write(terminal, [bleu]);

    /// <summary>One score and its signature; or the scores one below the other, and then the signatures.</summary>
    public static void Write(Terminal terminal, IReadOnlyList<IMetricScore> scores)
    {
        if (scores.Count == 1)
        {
            terminal.Out.WriteLine($"{scores[0].Name} {Number(scores[0])}{Details(scores[0])}");
            terminal.Out.WriteLine($"signature {scores[0].Signature}");
            return;
        }

        int width = scores.Max(s => s.Name.Length), digits = scores.Max(s => Number(s).Length);
        foreach (var score in scores)
            terminal.Out.WriteLine($"{score.Name.PadRight(width)}  {Number(score).PadLeft(digits)}{Details(score)}");
        terminal.Out.WriteLine();
        WriteSignatures(terminal, [.. scores.Select(s => (s.Name, s.Signature))]);
    }

    /// <summary>The signatures of metrics, one below the other.</summary>
    public static void WriteSignatures(Terminal terminal, IReadOnlyList<(string Name, string Signature)> signatures)
    {
        int width = signatures.Max(s => s.Name.Length);
        terminal.Out.WriteLine(terminal.Bold("signatures"));
        foreach (var (name, signature) in signatures)
            terminal.Out.WriteLine($"{name.PadRight(width)}  {signature}");
    }

    /// <summary>Scores as JSON: an object for one, an array of objects for more.</summary>
    public static void WriteJson(Terminal terminal, IReadOnlyList<IMetricScore> scores)
        => terminal.Out.WriteLine(Json(indented: true, json => WriteAll(json, scores)));

    /// <summary>
    /// The scores of each line: its number and the scores with tabs between, the signatures as notes beside them; or a line of JSON with <c>line</c> and
    /// <c>scores</c>, an array.
    /// </summary>
    public static void WriteSentences(Terminal terminal, IEnumerable<IReadOnlyList<IMetricScore>> lines, bool asJson)
    {
        int number = 0;
        foreach (var scores in lines)
        {
            if (number++ == 0 && !asJson)
            {
                foreach (var score in scores)
                    terminal.Error.WriteLine($"{score.Name} {score.Signature}");
            }

            terminal.Out.WriteLine(asJson
                ? Json(indented: false, json => WriteLine(json, number, scores))
                : string.Create(CultureInfo.InvariantCulture, $"{number}\t{string.Join('\t', scores.Select(Number))}"));
        }
    }

    private static string Number(IMetricScore score) => ScoreText.Fixed(score.Score, 4);

    private static string Details(IMetricScore score) => score switch
    {
        BleuScore bleu => Text($"  {bleu.PrecisionText}  (brevity penalty {ScoreText.Fixed(bleu.BrevityPenalty, 3)}, length ratio {ScoreText.Fixed(bleu.Ratio, 3)}: {bleu.HypothesisLength} / {bleu.ReferenceLength})"),
        TerScore ter => Text($"  ({ter.Edits} edits / {ter.ReferenceLength:0.##} words)"),
        RougeScore rouge => Text($"  (precision {ScoreText.Fixed(rouge.Precision, 4)}, recall {ScoreText.Fixed(rouge.Recall, 4)})"),
        GleuScore { Deviation: > 0 } gleu => Text($"  (standard deviation of the draws {ScoreText.Fixed(gleu.Deviation, 4)})"),
        MaxMatchScore m2 => Text($"  (precision {ScoreText.Fixed(m2.Precision, 4)}, recall {ScoreText.Fixed(m2.Recall, 4)}: {m2.Correct} right of {m2.Proposed}, {m2.Gold} wanted)"),
        _ => "",
    };

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>A text of JSON.</summary>
    public static string Json(bool indented, Action<Utf8JsonWriter> write)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = indented, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, NewLine = "\n" }))
            write(json);
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static void WriteLine(Utf8JsonWriter json, int number, IReadOnlyList<IMetricScore> scores)
    {
        json.WriteStartObject();
        json.WriteNumber("line", number);
        json.WriteStartArray("scores");
        foreach (var score in scores)
            Write(json, score);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteAll(Utf8JsonWriter json, IReadOnlyList<IMetricScore> scores)
    {
        if (scores.Count == 1)
        {
            Write(json, scores[0]);
            return;
        }

        json.WriteStartArray();
        foreach (var score in scores)
            Write(json, score);
        json.WriteEndArray();
    }

    /// <summary>A score as an object.</summary>
    public static void Write(Utf8JsonWriter json, IMetricScore score)
    {
        json.WriteStartObject();
        json.WriteString("name", score.Name);
        json.WriteNumber("score", Math.Round(score.Score, 6));
        json.WriteString("signature", score.Signature);
        if (score is BleuScore bleu)
        {
            json.WriteString("verbose_score", bleu.Verbose);
            WriteNumbers("counts", bleu.Matches);
            WriteNumbers("totals", bleu.Totals);
            WriteNumbers("precisions", bleu.Precisions.Select(p => Math.Round(p, 6)));
            json.WriteNumber("bp", Math.Round(bleu.BrevityPenalty, 6));
            json.WriteNumber("ratio", Math.Round(bleu.Ratio, 6));
            json.WriteNumber("sys_len", bleu.HypothesisLength);
            json.WriteNumber("ref_len", bleu.ReferenceLength);
        }
        else if (score is ChrfScore chrf)
        {
            WriteNumbers("counts", chrf.Matches);
            WriteNumbers("sys_totals", chrf.HypothesisTotals);
            WriteNumbers("ref_totals", chrf.ReferenceTotals);
        }
        else if (score is TerScore ter)
        {
            json.WriteNumber("num_edits", ter.Edits);
            json.WriteNumber("ref_length", Math.Round(ter.ReferenceLength, 6));
        }
        else if (score is RougeScore rouge)
        {
            json.WriteNumber("precision", Math.Round(rouge.Precision, 6));
            json.WriteNumber("recall", Math.Round(rouge.Recall, 6));
        }
        else if (score is GleuScore gleu)
        {
            json.WriteNumber("deviation", Math.Round(gleu.Deviation, 6));
            WriteNumbers("interval", new[] { gleu.Low, gleu.High }.Select(end => Math.Round(end, 6)));
        }
        else if (score is MaxMatchScore m2)
        {
            json.WriteNumber("precision", Math.Round(m2.Precision, 6));
            json.WriteNumber("recall", Math.Round(m2.Recall, 6));
            json.WriteNumber("correct", m2.Correct);
            json.WriteNumber("proposed", m2.Proposed);
            json.WriteNumber("gold", m2.Gold);
        }

        WriteParts(json, score.Signature);
        json.WriteEndObject();

        // In one line, whatever the indentation.
        void WriteNumbers<T>(string name, IEnumerable<T> numbers)
        {
            json.WritePropertyName(name);
            json.WriteRawValue(JsonSerializer.SerializeToUtf8Bytes(numbers));
        }
    }

    /// <summary>The parts of a signature under their own keys.</summary>
    public static void WriteParts(Utf8JsonWriter json, string signature)
    {
        foreach (string part in signature.Split('|'))
        {
            string[] pair = part.Split(':', 2);
            json.WriteString(pair[0], pair[1]);
        }
    }
}
