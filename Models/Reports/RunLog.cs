using System.Text.Json.Nodes;

namespace CudaSeq.Models;

/// <summary>A run as its log tells it. Whatever the log lacks is null or empty: a run may still be going on, or have been killed.</summary>
public sealed class RunLog
{
    private readonly IReadOnlyList<JsonObject> _events;

    /// <summary>Takes the events of a log.</summary>
    /// <param name="name">What the run is called.</param>
    /// <param name="events">In order, as <see cref="TrainingLog.Read"/> gives them.</param>
    /// <exception cref="InvalidDataException">There is no <c>run</c> event.</exception>
    public RunLog(string name, IReadOnlyList<JsonObject> events)
    {
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
            : throw TextFile.NotThere(path);
    }

    /// <summary>Reads a log that was kept (<see cref="ResultsFolder"/>), and calls the run by the file's name.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public static RunLog ReadFile(string path) => File.Exists(path)
        ? new RunLog(Path.GetFileNameWithoutExtension(path), [.. TrainingLog.Read(path)])
        : throw TextFile.NotThere(path);

    private IEnumerable<JsonObject> Of(string kind) => _events.Where(e => (string?)e["event"] == kind);
}
