using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace CudaSeq.Models;

/// <summary>All that is known of a plan: the plan itself and what was done of it. As a file: the plan in the first line, then a result in each.</summary>
internal sealed class PaperLog
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerOptions.Strict)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        RespectRequiredConstructorParameters = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly List<PaperResult> _results = [];
    private readonly List<PaperSpeed> _speeds = [];

    /// <summary>Begins the log of a plan.</summary>
    /// <param name="name">What the plan's file is called.</param>
    /// <param name="plan">The plan.</param>
    public PaperLog(string name, PaperPlan plan) => (Name, Plan) = (name, plan);

    /// <summary>What the plan's file is called.</summary>
    public string Name { get; }

    /// <summary>The plan.</summary>
    public PaperPlan Plan { get; }

    /// <summary>What came of its rows.</summary>
    public IReadOnlyList<PaperResult> Results => _results;

    /// <summary>Which decodes faster.</summary>
    public IReadOnlyList<PaperSpeed> Speeds => _speeds;

    /// <summary>The results of a row, in the order of its seeds.</summary>
    public IReadOnlyList<PaperResult> Of(string row) => [.. _results.Where(r => r.Row == row).OrderBy(r => r.Seed)];

    /// <summary>Adds a result, in place of an earlier one of the same row and seed.</summary>
    public void Add(PaperResult result)
    {
        _results.RemoveAll(r => r.Row == result.Row && r.Seed == result.Seed);
        _results.Add(result);
    }

    /// <summary>Adds a comparison, in place of an earlier one of the same rows and seed.</summary>
    public void Add(PaperSpeed speed)
    {
        _speeds.RemoveAll(s => s.First == speed.First && s.Second == speed.Second && s.Seed == speed.Seed);
        _speeds.Add(speed);
    }

    /// <summary>Forgets what a plan that has changed since no longer means.</summary>
    /// <param name="current">Whether a result is of the plan as it is.</param>
    /// <param name="currentSpeed">Whether a comparison is.</param>
    /// <returns>How many results and comparisons were forgotten.</returns>
    internal int Keep(Func<PaperResult, bool> current, Func<PaperSpeed, bool> currentSpeed)
        => _results.RemoveAll(r => !current(r)) + _speeds.RemoveAll(s => !currentSpeed(s));

    /// <summary>Reads a log; what is of rows and seeds that the plan no longer has is left out.</summary>
    /// <param name="path">The file.</param>
    /// <param name="plan">The plan as it is now; null for the one in the file.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">A line is damaged.</exception>
    public static PaperLog Read(string path, PaperPlan? plan = null)
    {
        if (!File.Exists(path))
            throw TextFile.NotThere(path);
        PaperLog? log = null;
        int number = 0;
        foreach (string text in TextFile.ReadLines(path))
        {
            number++;
            var line = Parse(path, number, text);
            if (log is null)
            {
                if (line.Plan is null)
                    throw new InvalidDataException($"{path}: line 1 must be a plan, as cudaseq reproduce writes it.");
                log = new PaperLog(Path.GetFileNameWithoutExtension(path), plan ?? PaperPlan.FromJson(line.Plan.Value.GetRawText(), path));
                continue;
            }

            if (line.Result is { } result && log.Has(result.Row, result.Seed))
                log.Add(result);
            if (line.Speed is { } speed && log.Has(speed.First, speed.Seed) && log.Has(speed.Second, speed.Seed))
                log.Add(speed);
        }

        return log ?? throw new InvalidDataException($"{path}: line 1 must be a plan, as cudaseq reproduce writes it.");
    }

    /// <summary>Writes the file anew, whole or not at all.</summary>
    public void Save(string path)
    {
        var text = new StringBuilder();
        text.Append("{\"plan\":").Append(Plan.ToJson()).Append("}\n");
        foreach (var row in Plan.Rows)
        {
            foreach (var result in Of(row.Name))
                text.Append(JsonSerializer.Serialize(new Line { Result = result }, Options)).Append('\n');
        }

        foreach (var speed in _speeds)
            text.Append(JsonSerializer.Serialize(new Line { Speed = speed }, Options)).Append('\n');
        TextFile.WriteWhole(path, stream => stream.Write(Encoding.UTF8.GetBytes(text.ToString())));
    }

    private bool Has(string row, ulong seed) => Plan.Rows.Any(r => r.Name == row && Plan.SeedsOf(r).Contains(seed));

    private static Line Parse(string path, int number, string text)
    {
        try
        {
            return JsonSerializer.Deserialize<Line>(text, Options) ?? throw new JsonException("null");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path}: line {number} must be a plan, a result or a speed ({e.Message.Split(" Path:")[0].TrimEnd('.')}).", e);
        }
    }

    private sealed record Line
    {
        public JsonElement? Plan { get; init; }

        public PaperResult? Result { get; init; }

        public PaperSpeed? Speed { get; init; }
    }
}
