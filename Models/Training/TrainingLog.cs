using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace CudaSeq.Models;

/// <summary>
/// A run's history as JSON lines, one event a line: <c>run</c>, <c>update</c>, <c>warning</c>, <c>validation</c>, <c>test</c>, <c>end</c>. Times live here and never in a checkpoint.
/// </summary>
public sealed class TrainingLog : IDisposable
{
    private static readonly JsonSerializerOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly StreamWriter _writer;

    private TrainingLog(StreamWriter writer) => _writer = writer;

    /// <summary>Starts a new log, replacing an older one.</summary>
    public static TrainingLog Create(string path) => new(new StreamWriter(path, append: false, new UTF8Encoding(false)) { NewLine = "\n" });

    /// <summary>Adds to a log, for example the scores of the finished model on the test set.</summary>
    public static TrainingLog Append(string path) => new(new StreamWriter(path, append: true, new UTF8Encoding(false)) { NewLine = "\n" });

    /// <summary>
    /// Continues a log from a checkpoint: events after <paramref name="update"/> are dropped, for they will happen again, and so is a line that a killed run left half written.
    /// </summary>
    public static TrainingLog Continue(string path, long update)
    {
        string kept = path + ".tmp";
        using (var writer = new StreamWriter(kept, append: false, new UTF8Encoding(false)) { NewLine = "\n" })
        {
            foreach (var line in Read(path))
            {
                if ((long?)line["update"] <= update)
                    writer.WriteLine(line.ToJsonString(Options));
            }
        }

        File.Move(kept, path, overwrite: true);
        return new TrainingLog(new StreamWriter(path, append: true, new UTF8Encoding(false)) { NewLine = "\n" });
    }

    /// <summary>The events of a log in order; a half-written last line is left out.</summary>
    /// <exception cref="InvalidDataException">A line before the last is not a JSON object.</exception>
    public static IEnumerable<JsonObject> Read(string path)
    {
        if (!File.Exists(path))
            yield break;
        int number = 0;
        string? pending = null;

        // The run that writes the log may still be open.
        using var reader = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        while (reader.ReadLine() is { } line)
        {
            if (pending is not null)
                yield return Parse(path, number, pending) ?? throw new InvalidDataException($"{path}: line {number} is not a JSON object.");
            pending = line;
            number++;
        }

        if (pending is not null && Parse(path, number, pending) is { } last)
            yield return last;
    }

    /// <summary>Seconds that the events up to <paramref name="update"/> account for.</summary>
    public static double SecondsAt(string path, long update)
        => Read(path).Where(e => (long?)e["update"] <= update).Select(e => (double?)e["seconds"] ?? 0).DefaultIfEmpty(0).Max();

    /// <summary>Appends one event and hands it to the operating system. JSON has no infinity: what is not finite, as the perplexity of a loss beyond 709, is null.</summary>
    /// <param name="kind">The event's name.</param>
    /// <param name="update">The update it belongs to.</param>
    /// <param name="seconds">Seconds of training so far.</param>
    /// <param name="facts">Everything else about it.</param>
    public void Write(string kind, long update, double seconds, params ReadOnlySpan<(string Key, JsonNode? Value)> facts)
    {
        var line = new JsonObject { ["event"] = kind, ["update"] = update, ["seconds"] = Math.Round(seconds, 2) };
        foreach (var (key, value) in facts)
            line[key] = value is JsonValue number && number.TryGetValue(out double figure) && !double.IsFinite(figure) ? null : value;
        _writer.WriteLine(line.ToJsonString(Options));
        _writer.Flush();
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => _writer.Dispose();

    private static JsonObject? Parse(string path, int number, string line)
    {
        try
        {
            return JsonNode.Parse(line) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
