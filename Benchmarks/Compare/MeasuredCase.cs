using System.Text.Json;
using System.Text.Json.Nodes;

namespace CudaSeq.Benchmarks;

/// <summary>A case as a file of <see cref="CompareFile"/> has it.</summary>
internal sealed class MeasuredCase(JsonObject json)
{
    private readonly JsonObject _json = json;

    public string Name => (string)_json["name"]!;

    public string Group => (string)_json["group"]!;

    public string Label => (string)_json["label"]!;

    public string? Whole => (string?)_json["whole"];

    public double Seconds => (double)_json["seconds"]!["median"]!;

    public string Rate => FormattableString.Invariant($"{(double)_json["rate"]!:f1} {_json["unit"]}");

    public double OfCeiling => (double)_json["of_ceiling"]!;

    public double? ItemsPerSecond => (double?)_json["items_per_second"];

    public double ManagedBytes => (double)_json["costs"]!["managed_bytes"]!;

    public double Buffers => (double)_json["costs"]!["new_buffers"]!;

    public double OlderCollections => (double)_json["costs"]!["collections"]![1]! + (double)_json["costs"]!["collections"]![2]!;

    public long? PeakBytes => (long?)_json["costs"]!["peak_bytes"];

    /// <summary>The curves that it is a point of.</summary>
    public IReadOnlyList<Place> Places => [.. _json["places"]!.AsArray().Select(p => new Place((string)p!["axis"]!, (double)p["at"]!, (string)p["line"]!))];

    /// <summary>The fastest rival's time through ours; null where none was timed.</summary>
    public double? LeastRatio => Fastest is { } rival ? Median(rival) : null;

    /// <summary>The fastest rival and its ratio, in words; null where none was timed.</summary>
    public (string Name, string Ratio)? Beside => Fastest is { } rival
        ? (LabelOf(rival), FormattableString.Invariant($"{Median(rival):f2} ({(double)rival["ratio"]!["low"]!:f2} .. {(double)rival["ratio"]!["high"]!:f2})"))
        : null;

    /// <summary>Others of ours that it was timed beside, each with its time through this one's.</summary>
    public IReadOnlyList<(string Label, double Ratio)> Siblings => [.. Timed.Where(IsSibling).Select(r => ((string)r["variant"]!, Median(r)))];

    /// <summary>The cases of a file.</summary>
    /// <exception cref="InvalidDataException">It is no such file.</exception>
    public static (JsonObject Root, IReadOnlyList<MeasuredCase> Cases) Read(string path)
    {
        try
        {
            var root = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
            if ((int?)root["format"] != CompareFile.Format)
                throw new InvalidDataException($"{path}: must be of format {CompareFile.Format}, got {root["format"]?.ToJsonString() ?? "none"}.");
            return (root, [.. root["cases"]!.AsArray().Select(c => new MeasuredCase(c!.AsObject()))]);
        }
        catch (Exception e) when (e is JsonException or NullReferenceException or InvalidOperationException)
        {
            throw new InvalidDataException($"{path}: must be what `compare --out` wrote.", e);
        }
    }

    public bool Is(string start) => Name.StartsWith(start, StringComparison.Ordinal);

    public bool Has(string part) => (Name + " ").Contains(part, StringComparison.Ordinal);

    /// <summary>The time of one of ours through this one's; null where it was not timed.</summary>
    public double? RatioTo(string sibling) => Timed.FirstOrDefault(r => IsSibling(r) && (string?)r["variant"] == sibling) is { } other ? Median(other) : null;

    private JsonObject? Fastest => Timed.Where(r => !IsSibling(r)).MinBy(Median);

    private IEnumerable<JsonObject> Timed => _json["rivals"]!.AsArray().Select(r => r!.AsObject()).Where(r => r["ratio"] is not null);

    private static bool IsSibling(JsonObject rival) => (bool?)rival["sibling"] == true;

    private static double Median(JsonObject rival) => (double)rival["ratio"]!["median"]!;

    private static string LabelOf(JsonObject rival) => (string)rival["variant"]! is { Length: > 0 } variant ? $"{rival["name"]}, {variant}" : (string)rival["name"]!;
}
