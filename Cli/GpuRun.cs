using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace CudaSeq.Cli;

/// <summary>One measurement on a GPU.</summary>
/// <param name="By">Who computed: <c>cudaseq</c>, <c>torch</c>, <c>torch compiled</c>, <c>fairseq</c>, ...</param>
/// <param name="Case">Op, sizes and, where it is not forward, the pass: <c>LightConv B=1024 T=64 C=1024 H=16 K=7 backward</c>.</param>
/// <param name="DType">Element type.</param>
/// <param name="Mode">How a model was run; null for ops.</param>
/// <param name="Value">The rate.</param>
/// <param name="Unit">Its unit.</param>
/// <param name="Fields">All of it.</param>
internal sealed record GpuFigure(string By, string Case, string DType, string? Mode, double Value, string Unit, JsonObject Fields)
{
    public const string Own = "cudaseq";

    private const string BackwardSuffix = " backward";
    private const string BothSuffix = " forward + backward";

    /// <summary>The first word of the case.</summary>
    public string Op => Case.Split(' ')[0];

    /// <summary>Forward, backward or both.</summary>
    public string Pass => Case.EndsWith(BothSuffix, StringComparison.Ordinal) ? "forward + backward" : Case.EndsWith(BackwardSuffix, StringComparison.Ordinal) ? "backward" : "forward";

    /// <summary>Seconds of one call; null for models.</summary>
    public double? Seconds => Number("seconds");

    /// <summary>The time of a copy that moves as many bytes, over the time of the call.</summary>
    public double? OfCopy => Number("copy_seconds") / Seconds;

    /// <summary>A number of the figure; null where it has none of that name.</summary>
    public double? Number(string name) => Fields[name] is JsonValue value && value.TryGetValue(out double number) ? number : null;

    /// <summary>A size in the case, 31 for K in <c>K=31</c>; null where it has none of that letter.</summary>
    public int? Size(char letter) => Case.Split(' ').FirstOrDefault(w => w.Length > 2 && w[0] == letter && w[1] == '=') is { } word
        ? int.Parse(word.AsSpan(2), CultureInfo.InvariantCulture)
        : null;
}

/// <summary>A file that eng/gpu-check.sh wrote: what one GPU did with one build.</summary>
internal sealed class GpuRun
{
    private const int Format = 1;

    private readonly string _file;
    private readonly JsonObject _root;

    /// <summary>Reads it.</summary>
    /// <param name="file">What it is called, for messages.</param>
    /// <param name="text">What is in it.</param>
    /// <exception cref="InvalidDataException">It is no such file, or was written by the emulator.</exception>
    public GpuRun(string file, string text)
    {
        _file = file;
        try
        {
            _root = JsonNode.Parse(text) as JsonObject ?? throw new InvalidDataException($"{file}: must be a JSON object.");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{file}: is no JSON: {e.Message}", e);
        }

        if ((int?)_root["format"] != Format)
            throw new InvalidDataException($"{file}: must have format {Format}, got {_root["format"]?.ToJsonString() ?? "none"}.");
        if ((bool?)Machine["emulated"] != false)
            throw new InvalidDataException($"{file}: must be of a GPU; times on the emulator mean nothing.");
        Figures = [.. Items("figures").Select(Figure)];
    }

    /// <summary>The GPU as its maker calls it.</summary>
    public string Gpu => Text(Machine, "gpu");

    /// <summary>The day it was measured.</summary>
    public string Date => Text(_root, "date");

    /// <summary>What the code was.</summary>
    public string Commit => Text(_root, "commit");

    public JsonObject Machine => Section("machine");

    /// <summary>All figures, in the order in which they were measured.</summary>
    public IReadOnlyList<GpuFigure> Figures { get; }

    /// <summary>A group of facts; empty where the file has none.</summary>
    public JsonObject Section(string name) => _root[name] as JsonObject ?? new JsonObject();

    /// <summary>What could not be measured, and why.</summary>
    public IEnumerable<(string By, string Case, string Reason)> Failures => Items("failures").Select(f => (Text(f, "by"), Text(f, "case"), Text(f, "reason")));

    /// <summary>The files of a folder, oldest first.</summary>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="InvalidDataException">A file of it is not as it should be.</exception>
    public static IReadOnlyList<GpuRun> ReadFolder(string folder)
    {
        if (!Directory.Exists(folder))
            throw new DirectoryNotFoundException($"{folder}: there is no such folder.");
        return
        [
            .. Directory.EnumerateFiles(folder, "*.json")
                .Order(StringComparer.Ordinal)
                .Select(f => new GpuRun(Path.GetFileName(f), File.ReadAllText(f)))
                .OrderBy(r => r.Date, StringComparer.Ordinal),
        ];
    }

    /// <summary>The figure of another for the same case; of the same element type, where fairseq's float16 stands for bfloat16, which it does not know.</summary>
    public GpuFigure? Rival(GpuFigure own, string by) => Figures.FirstOrDefault(
        f => f.By == by && f.Case == own.Case && (f.DType == own.DType || (by == "fairseq" && f.DType == "float16" && own.DType == "bfloat16")));

    private static GpuFigure Figure(JsonObject fields, string file)
        => new(
            Text(fields, "by", file), Text(fields, "case", file), Text(fields, "dtype", file), (string?)fields["mode"],
            fields["value"] is JsonValue v && v.TryGetValue(out double value) ? value : throw new InvalidDataException($"{file}: {fields["case"]} has no value."),
            Text(fields, "unit", file), fields);

    private static string Text(JsonObject from, string name, string file)
        => from[name] is JsonValue value && value.TryGetValue(out string? text) ? text : throw new InvalidDataException($"{file}: has no {name}.");

    private GpuFigure Figure(JsonObject fields) => Figure(fields, _file);

    private string Text(JsonObject from, string name) => Text(from, name, _file);

    private IEnumerable<JsonObject> Items(string name) => (_root[name] as JsonArray ?? new JsonArray()).OfType<JsonObject>();
}
