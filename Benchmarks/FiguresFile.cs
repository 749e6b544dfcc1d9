using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using CudaSeq.Kernels;
using CudaSeq.Models;

namespace CudaSeq.Benchmarks;

/// <summary>
/// The file that all parts of a run on one GPU write to, one after another, and that <c>cudaseq report --gpu</c> makes a page of. It is written anew after each figure,
/// so that a part that is stopped keeps what it has. A figure that is measured again takes the place of the older one.
/// </summary>
internal sealed class FiguresFile
{
    /// <summary>Who made the figures that are ours.</summary>
    public const string Own = "cudaseq";

    /// <summary>The layout of the file that this code writes and reads.</summary>
    public const int Format = 1;

    private static readonly JsonSerializerOptions Options = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly string _path;
    private readonly JsonObject _root;

    private FiguresFile(string path, JsonObject root)
    {
        _path = path;
        _root = root;
    }

    /// <summary>Opens a file to add to it, or begins one.</summary>
    /// <exception cref="InvalidDataException">It is no such file, or of another build.</exception>
    public static FiguresFile Open(string path)
    {
        if (!File.Exists(path))
        {
            return new(path, new JsonObject
            {
                ["format"] = Format,
                ["date"] = DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
                ["version"] = BuildInfo.Version,
                ["commit"] = BuildInfo.Commit,
            });
        }

        JsonObject? root;
        try
        {
            root = JsonNode.Parse(File.ReadAllText(path)) as JsonObject;
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path}: is no JSON: {e.Message}", e);
        }

        if ((int?)root?["format"] != Format)
            throw new InvalidDataException($"{path}: must have format {Format}, got {root?["format"]?.ToJsonString() ?? "none"}.");
        return (string?)root["commit"] == BuildInfo.Commit
            ? new(path, root)
            : throw new InvalidDataException($"{path}: holds figures of commit {root["commit"]}, this build is of {BuildInfo.Commit}; begin another file.");
    }

    /// <summary>An element type as other programs write it.</summary>
    public static string NameOf(DType dtype) => dtype.ToString().ToLowerInvariant();

    /// <summary>Says what machine the figures are of.</summary>
    /// <exception cref="InvalidDataException">The file holds figures of another GPU.</exception>
    public void Describe(CudaDevice cuda)
    {
        var machine = _root["machine"]?.AsObject() ?? new JsonObject();
        if ((string?)machine["gpu"] is { } other && other != cuda.Model)
            throw new InvalidDataException($"{_path}: holds figures of {other}, this is {cuda.Model}; begin another file.");
        machine["gpu"] = cuda.Model;
        machine["compute_capability"] = string.Create(CultureInfo.InvariantCulture, $"{cuda.ComputeCapability / 10}.{cuda.ComputeCapability % 10}");
        machine["multiprocessors"] = cuda.Multiprocessors;
        machine["memory_bytes"] = cuda.MemoryBytes;
        machine["l2_bytes"] = cuda.L2Bytes;
        machine["emulated"] = CudaDriver.IsEmulated;
        machine["cuda"] = CudaPresence.Spell(CudaPresence.OfProcess.DriverVersion);
        machine["kernels"] = cuda.ImageOrigin;
        machine["runtime"] = Environment.Version.ToString();
        machine["processors"] = Environment.ProcessorCount;
        Record("machine", machine);
    }

    /// <summary>Notes what the machine can do at most.</summary>
    public void Ceiling(string name, double value, string unit, string how)
    {
        var ceilings = _root["ceilings"]?.AsObject() ?? new JsonObject();
        ceilings[name] = new JsonObject { ["value"] = value, ["unit"] = unit, ["how"] = how };
        Record("ceilings", ceilings);
    }

    /// <summary>Adds a figure, known by its <c>by</c>, <c>case</c>, <c>dtype</c> and, where it has one, <c>mode</c>.</summary>
    public void Add(JsonObject figure)
    {
        var figures = List("figures");
        Remove(figures, f => ((string[])["by", "case", "dtype", "mode"]).All(key => (string?)f[key] == (string?)figure[key]));
        string name = $"{figure["case"]} {figure["dtype"]}{(figure["mode"] is { } mode ? $" {mode}" : "")}";
        Remove(List("failures"), f => (string?)f["by"] == (string?)figure["by"] && (string?)f["case"] == name);
        figures.Add(figure);
        Save();
    }

    /// <summary>Notes that a case, with its element type and mode, could not be measured.</summary>
    public void Fail(string @case, string reason)
    {
        var failures = List("failures");
        Remove(failures, f => (string?)f["by"] == Own && (string?)f["case"] == @case);
        failures.Add(new JsonObject { ["by"] = Own, ["case"] = @case, ["reason"] = reason });
        Save();
    }

    /// <summary>Sets a section of the file; what it had and the new one has not stays.</summary>
    public void Record(string section, JsonObject facts)
    {
        if (_root[section] is JsonObject present && !ReferenceEquals(present, facts))
        {
            foreach (var (key, value) in facts)
                present[key] = value?.DeepClone();
        }
        else if (_root[section] is null)
        {
            _root[section] = facts;
        }

        Save();
    }

    private static void Remove(JsonArray array, Func<JsonObject, bool> condition)
    {
        for (int i = array.Count - 1; i >= 0; i--)
        {
            if (array[i] is JsonObject item && condition(item))
                array.RemoveAt(i);
        }
    }

    private JsonArray List(string name)
    {
        if (_root[name] is not JsonArray array)
            _root[name] = array = new JsonArray();
        return array;
    }

    // Beside it and then in its place, so that whoever is stopped leaves a whole file.
    private void Save()
    {
        string written = _path + ".tmp";
        File.WriteAllText(written, _root.ToJsonString(Options) + "\n");
        File.Move(written, _path, overwrite: true);
    }
}
