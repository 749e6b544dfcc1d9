using System.Globalization;

namespace CudaSeq.Cli;

/// <summary>Something the GPU side should reach, and how it is read off a run.</summary>
/// <param name="What">The target in words.</param>
/// <param name="Wanted">The figure to reach.</param>
/// <param name="Share">Whether figures are shares, written in per cent; else they are factors.</param>
/// <param name="AtMost">Whether less is better.</param>
/// <param name="Measure">The figures that must reach it, each with what it is of; none where it was not measured.</param>
internal sealed record GpuTarget(string What, double Wanted, bool Share, bool AtMost, Func<GpuRun, IEnumerable<(string Of, double Value)>> Measure)
{
    /// <summary>What is said of a target without figures.</summary>
    public const string NotMeasured = "not yet measured";

    private const string Training = "bfloat16";

    /// <summary>All targets: for an H200, with bfloat16 elements.</summary>
    public static IReadOnlyList<GpuTarget> All { get; } =
    [
        OfACopy("LightConv forward, K <= 31", 0.8, f => f is { Op: "LightConv", Pass: "forward" } && f.Size('K') <= 31),
        OfACopy("DynamicConv forward, K <= 31", 0.8, f => f is { Op: "DynamicConv", Pass: "forward" } && f.Size('K') <= 31),
        OfACopy("LightConv backward (inputs and weights), K <= 31", 0.65, f => f is { Op: "LightConv", Pass: "backward" } && f.Size('K') <= 31),
        OfACopy("DynamicConv backward (inputs and weights), K <= 31", 0.65, f => f is { Op: "DynamicConv", Pass: "backward" } && f.Size('K') <= 31),
        OfACopy("Layer norm", 0.85, f => f.Op == "LayerNorm"),
        OfACopy("Softmax", 0.85, f => f.Op == "Softmax"),
        new("Cross-entropy, the vocabulary's projection included, of its ceiling", 0.85, true, false, r => Own(r, f => f.Op == "CrossEntropy", f => f.Number("of_ceiling"))),
        new("Adam, of a copy of the same bytes", 0.85, true, false, r => Own(r, f => f.Op == "Adam", f => f.OfCopy, anyType: true)),
        new("Attention forward, T = 32 .. 512, times as fast as PyTorch's fused attention", 1, false, false, r => Own(r, f => f is { Op: "Attention", Pass: "forward" }, f => r.Rival(f, "torch")?.Seconds / f.Seconds)),
        new("Training of the base transformer, times the tokens/s of PyTorch's max-autotune with fused AdamW at the same batch", 1.3, false, false, r => Own(r, f => f.Mode == "graphs" && f.Case.StartsWith("Training transformer base ", StringComparison.Ordinal), f => f.Value / BestOfTorch(r, f)?.Value)),
        new("The host's share of an eager step of the base transformer", 0.1, true, true, r => Own(r, f => f.Case.StartsWith("Step transformer base ", StringComparison.Ordinal), f => f.Value)),
    ];

    /// <summary>The figure to reach, in words.</summary>
    public string WantedText => $"{(AtMost ? "at most " : "")}{Text(Wanted, 0)}";

    /// <summary>What a run says of it: the worst figure, what it is of, and whether it suffices.</summary>
    public string Verdict(GpuRun run)
    {
        (string Of, double Value)[] figures = [.. Measure(run)];
        if (figures.Length == 0)
            return NotMeasured;
        var (of, worst) = AtMost ? figures.MaxBy(f => f.Value) : figures.MinBy(f => f.Value);
        bool reached = AtMost ? worst <= Wanted : worst >= Wanted;
        string where = figures.Length > 1 ? string.Create(CultureInfo.InvariantCulture, $", the worst of {figures.Length}: {of}") : "";
        return $"{Text(worst, 1)}, {(reached ? "reached" : "missed")}{where}";
    }

    /// <summary>PyTorch's figure for a model, compiled with max-autotune, in bfloat16; null where it was not measured.</summary>
    public static GpuFigure? BestOfTorch(GpuRun run, GpuFigure own)
        => run.Figures.FirstOrDefault(f => f.By == "torch" && f.Case == own.Case && f.DType == Training && f.Mode == "max-autotune");

    private static GpuTarget OfACopy(string what, double wanted, Func<GpuFigure, bool> which)
        => new($"{what}, of a copy of the same bytes", wanted, true, false, r => Own(r, which, f => f.OfCopy));

    private static IEnumerable<(string Of, double Value)> Own(GpuRun run, Func<GpuFigure, bool> which, Func<GpuFigure, double?> value, bool anyType = false)
        => from f in run.Figures
           where f.By == GpuFigure.Own && (anyType || f.DType == Training) && which(f)
           let measured = value(f)
           where measured is not null
           select (f.Mode is null ? f.Case : $"{f.Case} ({f.Mode})", measured.Value);

    private string Text(double value, int decimals) => Share ? value.ToString($"p{decimals}", CultureInfo.InvariantCulture) : string.Create(CultureInfo.InvariantCulture, $"{value:f2}");
}
