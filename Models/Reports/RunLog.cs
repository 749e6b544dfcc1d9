using System.Text.Json;
using System.Text.Json.Nodes;

namespace CudaSeq.Models;

/// <summary>A run as its log tells it. Whatever the log lacks is null or empty: a run may still be going on, or have been killed.</summary>
public sealed class RunLog
{
    // What an event must have where it comes at all.
    private static readonly Dictionary<string, string[]> Needed = new()
    {
        ["run"] = ["parameters"],
        ["update"] = ["update", "seconds", "epoch", "tokens"],
        ["validation"] = ["update", "seconds", "epoch"],
        ["test"] = [],
        ["warning"] = [],
        ["end"] = [],
    };

    private static readonly string[] Numbers =
    [
        "update", "seconds", "epoch", "loss", "nll", "ppl", "bleu", "lr", "gradient_norm", "tokens", "tokens_per_second", "memory", "parameters", "max_minutes", "max_updates",
        "beam", "length_penalty", "min_length", "no_repeat_ngram_size", "checkpoint_update", "bits_per_character", "unknown", "context_window",
    ];

    private readonly IReadOnlyList<JsonObject> _events;

    /// <summary>Takes the events of a log.</summary>
    /// <param name="name">What the run is called.</param>
    /// <param name="events">In order, as <see cref="TrainingLog.Read"/> gives them.</param>
    /// <exception cref="InvalidDataException">There is no <c>run</c> event, or an event lacks what it must have or has something else in its place.</exception>
    public RunLog(string name, IReadOnlyList<JsonObject> events)
    {
        for (int i = 0; i < events.Count; i++)
        {
            if (Problem(events[i]) is { } problem)
                throw new InvalidDataException($"{name}: line {i + 1} of the log: {problem}");
        }

        Name = name;
        _events = events;
        Start = events.FirstOrDefault(e => (string?)e["event"] == "run")
            ?? throw new InvalidDataException($"{name}: the log has no run event; a log is written by cudaseq train.");
    }

    /// <summary>What the run is called.</summary>
    public string Name { get; }

    /// <summary>The facts it began with.</summary>
    public JsonObject Start { get; }

    /// <summary>Progress during training, several times a minute.</summary>
    public IEnumerable<JsonObject> Training => Of("update");

    /// <summary>Losses and scores on the validation pairs.</summary>
    public IEnumerable<JsonObject> Validations => Of("validation");

    /// <summary>What the run warned of.</summary>
    public IEnumerable<JsonObject> Warnings => Of("warning");

    /// <summary>The validation whose checkpoint was kept.</summary>
    public JsonObject? Best => Validations.LastOrDefault(e => (bool?)e["best"] == true);

    /// <summary>The score on the test pairs.</summary>
    public JsonObject? Test => Of("test").LastOrDefault();

    /// <summary>How the test pairs were translated, in words; null where they were not.</summary>
    public string? TestDecoding => Test is not { } test || test["beam"] is null ? null : string.Concat(
        $"beam {test["beam"]}, length penalty {test["length_penalty"]}",
        (string?)test["length_penalty_form"] == "gnmt" ? " of GNMT's form" : "",
        (int?)test["min_length"] is > 1 and var least ? $", minimum length {least}" : "",
        (int?)test["no_repeat_ngram_size"] is > 0 and var n ? $", no repeated {n}-gram" : "");

    /// <summary>Updates of the parameters.</summary>
    public long Updates => Training.Select(e => (long)e["update"]!).DefaultIfEmpty(0).Max();

    /// <summary>Passes over the training pairs, the last one begun.</summary>
    public int Epochs => Training.Select(e => (int)e["epoch"]!).DefaultIfEmpty(0).Max();

    /// <summary>Target tokens that were trained on.</summary>
    public double Tokens => Training.Select(e => (double)e["tokens"]!).DefaultIfEmpty(0).Max();

    /// <summary>Training time, validation and checkpoints included.</summary>
    public double Minutes => _events.Select(e => (double?)e["seconds"] ?? 0).DefaultIfEmpty(0).Max() / 60;

    /// <summary>Target tokens a second over the whole run, validation and checkpoints included.</summary>
    public double TokensPerSecond => Tokens / Math.Max(1e-9, Minutes * 60);

    /// <summary>Whether a language model was trained: on blocks of text, not on pairs.</summary>
    public bool IsOfText => Start["train_blocks"] is not null;

    /// <summary>Whether the model's probabilities sum to 1; those of hard surface fusion, a weighted geometric mean, sum to less.</summary>
    public bool IsNormalized => (string?)Start["surface_fusion"] != "hard";

    /// <summary>What the run was given to spend, in words; null where its log does not say.</summary>
    public string? Budget
    {
        get
        {
            string[] parts =
            [
                .. Start["max_minutes"] is { } minutes ? [FormattableString.Invariant($"{(double)minutes:0.##} minutes")] : Array.Empty<string>(),
                .. Start["max_updates"] is { } updates ? [FormattableString.Invariant($"{(long)updates:N0} updates")] : Array.Empty<string>(),
            ];
            return parts.Length > 0 ? string.Join(" or ", parts) : null;
        }
    }

    /// <summary>Reads the log of a run's folder, and calls the run by the folder's name.</summary>
    /// <exception cref="FileNotFoundException">The folder has none.</exception>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public static RunLog Read(string folder)
    {
        string path = new RunDirectory(folder).Log;
        return File.Exists(path)
            ? new RunLog(Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder))), [.. TrainingLog.Read(path)])
            : throw (File.Exists(folder) ? new InvalidDataException($"{folder}: must be a run's folder, is a file.")
                : Directory.Exists(folder) ? TextFile.NotThere(path) : new DirectoryNotFoundException($"{folder}: there is no such folder."));
    }

    /// <summary>Reads a log that was kept (<see cref="ResultsFolder"/>), and calls the run by the file's name.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public static RunLog ReadFile(string path) => File.Exists(path)
        ? new RunLog(Path.GetFileNameWithoutExtension(path), [.. TrainingLog.Read(path)])
        : throw TextFile.NotThere(path);

    /// <summary>A figure of an event; null where it has none.</summary>
    internal static double? Number(JsonObject? e, string key) => (double?)e?[key];

    /// <summary>A figure as pages write it; null where the event has none. A perplexity that no double holds is logged as null.</summary>
    internal static string? Shown(JsonObject? e, string key, string format)
        => Number(e, key) is { } number ? ReadableNumber.Of(number, format) : key == "ppl" && e?.ContainsKey(key) is true ? ReadableNumber.Of(double.PositiveInfinity, format) : null;

    // What is read later is read without asking again.
    private static string? Problem(JsonObject e)
    {
        if (e["event"] is not JsonValue value || !value.TryGetValue(out string? kind))
            return $"event must be a text, got {Shown(e["event"])}.";
        foreach (var (key, node) in e)
        {
            if (node is not null && Numbers.Contains(key) && !IsNumber(node))
                return $"{key} must be a number, got {Shown(node)}.";
        }

        if (e["best"] is { } best && best.GetValueKind() is not (JsonValueKind.True or JsonValueKind.False))
            return $"best must be true or false, got {Shown(best)}.";
        if (e["signature"] is { } signature && signature.GetValueKind() != JsonValueKind.String)
            return $"signature must be a text, got {Shown(signature)}.";
        return Needed.GetValueOrDefault(kind, []).FirstOrDefault(k => e[k] is null) is { } missing ? $"{missing} must be given with event {kind}." : null;

        static bool IsNumber(JsonNode node) => node is JsonValue value && value.TryGetValue(out double number) && double.IsFinite(number);

        static string Shown(JsonNode? node) => node?.ToJsonString() is not { } json ? "nothing" : json.Length <= 60 ? json : $"{json.AsSpan(0, 57)}...";
    }

    private IEnumerable<JsonObject> Of(string kind) => _events.Where(e => (string?)e["event"] == kind);
}
