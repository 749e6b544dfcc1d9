using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace CudaSeq.Cli;

/// <summary>The page about figures measured on GPUs, <c>docs/results/gpu.md</c>: what should be reached, and what was. A figure that nobody measured is not on it.</summary>
internal static class GpuPage
{
    private static readonly (string By, string Heading)[] Rivals =
        [("torch", "PyTorch"), ("torch compiled", "compiled"), ("torch conv1d", "conv1d"), ("fairseq", "fairseq")];

    private static readonly string[] MachineFacts = ["driver", "cuda", "compute_capability", "multiprocessors", "memory_bytes", "kernels", "system", "runtime"];

    /// <summary>The page as Markdown.</summary>
    /// <param name="runs">Oldest first; none where nothing was measured.</param>
    public static string Write(IReadOnlyList<GpuRun> runs)
    {
        var page = new StringBuilder();
        page.Append(
            """
            # On a GPU

            Written by `cudaseq report --gpu docs/results/gpu --output docs/results/gpu.md` from the files in that folder, which `eng/gpu-check.sh` measured; do not edit.


            """.ReplaceLineEndings("\n"));
        GpuRun[] newest = [.. runs.GroupBy(r => r.Gpu).Select(g => g.Last()).OrderByDescending(r => r.Date, StringComparer.Ordinal).ThenBy(r => r.Gpu, StringComparer.Ordinal)];
        if (newest.Length == 0)
            page.Append("No GPU has been measured with this code so far: everything on this page is not yet measured.\n\n");
        Targets(page, newest);
        foreach (var run in newest)
            Describe(page, run);
        return page.ToString();
    }

    private static void Targets(StringBuilder page, GpuRun[] runs)
    {
        page.Append("## Targets\n\nOn an H200, with bfloat16 elements, 65,536 tokens in sequences of 64 and of 512, 1024 channels in 16 heads.\n\n");
        page.Append($"| target | wanted | {(runs.Length == 0 ? "measured" : string.Join(" | ", runs.Select(r => $"{r.Gpu}, {r.Date}")))} |\n|---|---|---{string.Concat(Enumerable.Repeat("|---", Math.Max(0, runs.Length - 1)))}|\n");
        foreach (var target in GpuTarget.All)
        {
            string measured = runs.Length == 0 ? GpuTarget.NotMeasured : string.Join(" | ", runs.Select(target.Verdict));
            page.Append($"| {target.What} | {target.WantedText} | {measured} |\n");
        }
    }

    private static void Describe(StringBuilder page, GpuRun run)
    {
        page.Append($"\n## {run.Gpu}, {run.Date}\n\n* commit: `{run.Commit}`\n");
        foreach (string key in MachineFacts)
            Fact(page, key.Replace('_', ' '), run.Machine[key]);
        if (run.Section("torch") is { Count: > 0 } torch)
            page.Append($"* PyTorch: {string.Join(", ", torch.Select(f => $"{f.Key} `{f.Value}`"))}\n");
        foreach (var (name, ceiling) in run.Section("ceilings"))
            page.Append(CultureInfo.InvariantCulture, $"* ceiling, {name}: **{(double)ceiling!["value"]!:f0} {ceiling["unit"]}** ({ceiling["how"]})\n");
        var tests = run.Section("tests");
        page.Append(
            tests.Count == 0
                ? "* tests: not yet measured\n"
                : $"* tests: {tests["device_passed"]} passed on {tests["device"]}, {tests["device_skipped"]} skipped there; {tests["passed"]} passed, {tests["failed"]} failed, {tests["skipped"]} skipped in all\n");
        foreach (var (tool, result) in run.Section("sanitizer"))
            page.Append($"* {tool}: {result}\n");
        Kernels(page, run);
        Models(page, run);
        var failures = run.Failures.ToArray();
        if (failures.Length == 0)
            return;
        page.Append("\n### Not measured\n\n");
        foreach (var (by, name, reason) in failures)
            page.Append($"* {by}, {name}: {reason}\n");
    }

    private static void Kernels(StringBuilder page, GpuRun run)
    {
        GpuFigure[] own = [.. run.Figures.Where(f => f.By == GpuFigure.Own && f.Mode is null)];
        if (own.Length == 0)
            return;
        page.Append("\n### Ops\n\nMedian times; the tenth and the nine-tenths of the samples beside it. A rival's time is followed by how often ours goes into it.\n");
        page.Append("PyTorch's convolutions are unfolded; fairseq's kernels get normalised taps and are in float16 where ours are in bfloat16.\n\n");
        page.Append($"| case | type | time, us | from .. to | rate | of its ceiling | of a copy | {string.Join(" | ", Rivals.Select(r => r.Heading))} |\n|---|---|---:|---:|---:|---:|---:|{string.Concat(Rivals.Select(_ => "---:|"))}\n");
        foreach (var f in own)
        {
            page.Append(CultureInfo.InvariantCulture, $"| {f.Case} | {f.DType} | {Microseconds(f.Seconds)} | {Microseconds(f.Number("low"))} .. {Microseconds(f.Number("high"))} ");
            page.Append(CultureInfo.InvariantCulture, $"| {f.Value:f0} {f.Unit} | {Share(f.Number("of_ceiling"))} | {Share(f.OfCopy)} |");
            foreach (var (by, _) in Rivals)
                page.Append(run.Rival(f, by) is { Seconds: { } seconds } ? string.Create(CultureInfo.InvariantCulture, $" {Microseconds(seconds)} ({seconds / f.Seconds:f2}) |") : " |");
            page.Append('\n');
        }
    }

    private static void Models(StringBuilder page, GpuRun run)
    {
        GpuFigure[] own = [.. run.Figures.Where(f => f.By == GpuFigure.Own && f.Mode is not null)];
        if (own.Length == 0)
            return;
        page.Append("\n### Models\n\n| case | type | mode | rate | from .. to | PyTorch, max-autotune, bfloat16 |\n|---|---|---|---:|---:|---:|\n");
        foreach (var f in own)
        {
            string value = f.Unit == "tokens/s" ? Count(f.Value) : $"{Share(f.Value)} {f.Unit}";
            string rival = GpuTarget.BestOfTorch(run, f) is { } torch ? string.Create(CultureInfo.InvariantCulture, $"{Count(torch.Value)} ({f.Value / torch.Value:f2})") : "";
            page.Append($"| {f.Case} | {f.DType} | {f.Mode} | {value} | {(f.Number("low") is { } low ? $"{Count(low)} .. {Count(f.Number("high") ?? low)}" : "")} | {rival} |\n");
        }

        page.Append("\nPyTorch by itself, tokens/s:\n\n| case | type | mode | rate | from .. to |\n|---|---|---|---:|---:|\n");
        foreach (var f in run.Figures.Where(f => f.By == "torch" && f.Mode is not null))
            page.Append($"| {f.Case} | {f.DType} | {f.Mode} | {Count(f.Value)} | {Count(f.Number("low") ?? f.Value)} .. {Count(f.Number("high") ?? f.Value)} |\n");
    }

    private static void Fact(StringBuilder page, string name, JsonNode? value)
    {
        if (value is not null)
            page.Append($"* {name}: `{value}`\n");
    }

    private static string Microseconds(double? seconds) => seconds is { } s ? (s * 1e6).ToString("f1", CultureInfo.InvariantCulture) : "";

    private static string Share(double? share) => share is { } s ? s.ToString("p1", CultureInfo.InvariantCulture) : "";

    private static string Count(double value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
