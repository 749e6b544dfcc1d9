using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using CudaSeq.Models;

namespace CudaSeq.Benchmarks;

/// <summary>The JSON file of a comparison: machine, rivals, and each case with its times, written anew after every case.</summary>
internal static class CompareFile
{
    /// <summary>The layout of the file.</summary>
    public const int Format = 1;

    private static readonly JsonSerializerOptions Options = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes it, its folder too where there is none.</summary>
    public static void Write(string path, MachineCeilings machine, IReadOnlyList<Rival> rivals, IReadOnlyList<CompareResult> results)
    {
        var root = new JsonObject
        {
            ["format"] = Format,
            ["date"] = DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            ["version"] = BuildInfo.Version,
            ["commit"] = BuildInfo.Commit,
            ["machine"] = machine.ToJson(),
            ["rivals"] = new JsonArray([.. rivals.Select(r => JsonValue.Create(r.Name))]),
            ["cases"] = new JsonArray([.. results.Select(Case)]),
        };
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        TextFile.WriteWhole(path, stream => stream.Write(Encoding.UTF8.GetBytes(root.ToJsonString(Options) + "\n")));
    }

    /// <summary>Our times of an earlier run, by case.</summary>
    /// <exception cref="InvalidDataException">It is no such file.</exception>
    public static IReadOnlyDictionary<string, Spread> Read(string path)
    {
        try
        {
            var root = JsonNode.Parse(File.ReadAllText(path))!;
            if ((int?)root["format"] != Format)
                throw new InvalidDataException($"{path}: must be of format {Format}, got {root["format"]?.ToJsonString() ?? "none"}.");
            return root["cases"]!.AsArray().ToDictionary(c => (string)c!["name"]!, c => Spread(c!["seconds"]!));
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException or NullReferenceException or InvalidOperationException or FormatException or ArgumentException)
        {
            throw new InvalidDataException($"{path}: must be what `compare --out` wrote.", e);
        }

        static Spread Spread(JsonNode node) => new((double)node["median"]!, (double)node["low"]!, (double)node["high"]!);
    }

    private static JsonObject Case(CompareResult r)
    {
        var (value, unit) = r.Case.Work.RateOf(r.Seconds.Median, r.BoundByMemory);
        return new JsonObject
        {
            ["name"] = r.Case.Name,
            ["group"] = r.Case.Group,
            ["label"] = r.Case.Label,
            ["whole"] = r.Case.Whole,
            ["latency"] = r.Case.IsLatency,
            ["places"] = new JsonArray([.. r.Case.Places.Select(p => new JsonObject { ["axis"] = p.Axis, ["at"] = p.At, ["line"] = p.Line })]),
            ["flops"] = r.Case.Work.Flops,
            ["bytes"] = r.Case.Work.Bytes,
            ["seconds"] = Of(r.Seconds),
            ["rate"] = value,
            ["unit"] = unit,
            ["of_ceiling"] = r.Fraction,
            ["items_per_second"] = r.Case.Work.Items > 0 ? r.Case.Work.Items / r.Seconds.Median : null,
            ["costs"] = new JsonObject
            {
                ["managed_bytes"] = r.Costs.ManagedBytes,
                ["collections"] = new JsonArray(r.Costs.Collections.First, r.Costs.Collections.Second, r.Costs.Collections.Third),
                ["new_buffers"] = r.Costs.Buffers,
                ["peak_bytes"] = r.Costs.PeakBytes,
            },
            ["rivals"] = new JsonArray([.. r.Rivals.Select(Rival)]),
        };
    }

    private static JsonObject Rival(RivalResult r)
    {
        var json = new JsonObject { ["name"] = r.Name, ["variant"] = r.Variant, ["difference"] = r.Difference is { } difference && double.IsFinite(difference) ? difference : null, ["sibling"] = r.IsSibling };
        if (r is { Seconds: { } seconds, Ratio: { } ratio })
            (json["seconds"], json["ratio"], json["turns"], json["peak_bytes"]) = (Of(seconds), Of(ratio), r.Turns, r.PeakBytes);
        return json;
    }

    private static JsonObject Of(Spread s) => new() { ["median"] = s.Median, ["low"] = s.Low, ["high"] = s.High };
}
