using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using CudaSeq.Models;

namespace CudaSeq.Benchmarks;

/// <summary><c>page DIR --output FILE</c>: the page about processors, <c>docs/results/cpu.md</c>, of the files that <c>compare --out</c> wrote. A figure that nobody measured is not on it.</summary>
internal static class CpuPage
{
    private const int LeastPoints = 3;

    public static int Run(string[] arguments)
    {
        if (arguments is not [var folder, "--output", var file])
            throw new OptionException("page: wants a folder of files that compare wrote, and --output FILE.");
        if (!Directory.Exists(folder))
            throw new OptionException($"page: {folder} is no folder.");
        string text = Write(folder);
        TextFile.WriteWhole(file, stream => stream.Write(Encoding.UTF8.GetBytes(text)));
        Console.WriteLine(file);
        return 0;
    }

    /// <summary>The page as Markdown.</summary>
    /// <param name="folder">Where the files are, <c>*.json</c>.</param>
    /// <exception cref="InvalidDataException">A file is no such file, or there is none.</exception>
    public static string Write(string folder)
    {
        var files = Directory.GetFiles(folder, "*.json").Order(StringComparer.Ordinal).Select(OfProcessor).ToArray();
        if (files.Length == 0)
            throw new InvalidDataException($"{folder}: must hold files that `compare --out` wrote, it has none.");
        var page = new StringBuilder();
        page.Append(
            """
            # On a processor

            Written by `dotnet run -c Release --project Benchmarks -- page docs/results/cpu --output docs/results/cpu.md` from the files in that folder, which `compare --out` measured; do not edit.

            Outputs were compared before anything was timed. Times are medians; a ratio is another's time through ours, of both in turns in one run, so that above 1 ours is shorter. A target is as it was
            set for a machine with MKL and jemalloc; rivals are those that are named here. A case's ceiling was measured before and after it: what multiply-adds reach, or copies of memory for those that bytes bound.
            More than 100 % of it is data that comes from caches, or a processor whose speed changed in between.

            """.ReplaceLineEndings("\n"));

        // The suites of one machine and build stand together, whatever files they were written to.
        foreach (var machine in files.GroupBy(f => ((string?)f.Root["machine"]!["processor"], (int?)f.Root["machine"]!["threads"], (string?)f.Root["commit"])))
            Machine(page, machine.First().Root, [.. machine.SelectMany(f => f.Root["rivals"]!.AsArray()).Select(r => (string)r!).Distinct()], [.. machine.SelectMany(f => f.Cases)]);
        return page.ToString();
    }

    private static (JsonObject Root, IReadOnlyList<MeasuredCase> Cases) OfProcessor(string path)
    {
        var file = MeasuredCase.Read(path);
        return file.Root["machine"]?["processor"] is null ? throw new InvalidDataException($"{path}: must be of a processor, it is of a GPU.") : file;
    }

    private static void Machine(StringBuilder page, JsonObject root, string[] rivals, IReadOnlyList<MeasuredCase> cases)
    {
        var machine = root["machine"]!;
        page.Append(CultureInfo.InvariantCulture, $"\n## {machine["processor"]}, {machine["threads"]} threads, {root["date"]}\n\n");
        page.Append(CultureInfo.InvariantCulture, $"* commit: `{((string)root["commit"]!)[..Math.Min(10, ((string)root["commit"]!).Length)]}`\n");
        page.Append($"* rivals: {(rivals.Length > 0 ? string.Join("; ", rivals) : "none")}\n");
        page.Append($"* multiply-adds: {string.Join(", ", machine["gigaflops"]!.AsObject().Select(g => FormattableString.Invariant($"{g.Key} {(double)g.Value!:f0}")))} GFLOP/s, computed in {machine["instructions"]}\n");
        page.Append($"* reading caches: {string.Join(", ", machine["cache_gigabytes"]!.AsObject().Select(g => FormattableString.Invariant($"{g.Key} a thread {(double)g.Value!:f0}")))} GB/s\n");
        page.Append(CultureInfo.InvariantCulture, $"* memory: copy {(double)machine["copy_gigabytes"]!:f1}, read {(double)machine["read_gigabytes"]!:f1}, triad {(double)machine["triad_gigabytes"]!:f1} GB/s\n");

        page.Append("\n### Targets\n\n| target | wanted | measured |\n|---|---|---|\n");
        foreach (var target in CpuTarget.All)
            page.Append($"| {target.What} | {target.WantedText} | {target.Verdict(cases)} |\n");

        InShort(page, cases);
        var grown = cases.GroupBy(c => c.Group).Where(IsGrowth).ToArray();
        if (grown.Length > 0)
            page.Append("\n### How cost grows\n");
        foreach (var group in grown)
            Growth(page, [.. group]);
        page.Append("\n### All cases\n");
        foreach (var group in cases.GroupBy(c => c.Group).Where(g => !IsGrowth(g)))
            Group(page, [.. group]);
    }

    private static void InShort(StringBuilder page, IReadOnlyList<MeasuredCase> cases)
    {
        var groups = cases.GroupBy(c => c.Group).Select(g => (g.Key, Ratios: g.Select(c => c.LeastRatio).OfType<double>().ToArray())).Where(g => g.Ratios.Length > 0).ToArray();
        if (groups.Length == 0)
            return;
        page.Append("\n### Beside the fastest rival\n\n| cases | mean | least | most | |\n|---|---:|---:|---:|---|\n");
        foreach (var (name, ratios) in groups)
            page.Append(CultureInfo.InvariantCulture, $"| {name} | {Math.Exp(ratios.Average(Math.Log)):f2} | {ratios.Min():f2} | {ratios.Max():f2} | {(ratios.Length == 1 ? "one case" : $"{ratios.Length} cases")} |\n");
    }

    private static bool IsGrowth(IEnumerable<MeasuredCase> group)
        => group.All(c => c.Places.Count == 1 && c.LeastRatio is null) && group.GroupBy(c => c.Places[0].Line).All(l => l.Count() >= LeastPoints);

    // A column for each line; beside each time, how many times the one above it.
    private static void Growth(StringBuilder page, MeasuredCase[] group)
    {
        string axis = group[0].Places[0].Axis;
        string[] lines = [.. group.Select(c => c.Places[0].Line).Distinct()];
        page.Append($"\n**{group[0].Group}**\n\n| {axis} |{string.Concat(lines.Select(l => $" {l} | |"))}\n|---:|{string.Concat(lines.Select(_ => "---:|---|"))}\n");
        var last = new double[lines.Length];
        foreach (var row in group.GroupBy(c => c.Places[0].At).OrderBy(r => r.Key))
        {
            page.Append(CultureInfo.InvariantCulture, $"| {row.Key:N0} |");
            for (int i = 0; i < lines.Length; i++)
            {
                double seconds = row.FirstOrDefault(c => c.Places[0].Line == lines[i])?.Seconds ?? double.NaN;
                page.Append(CultureInfo.InvariantCulture, $" {QuickRun.Duration(seconds)} | {(last[i] > 0 ? $"{(seconds / last[i]).ToString("f2", CultureInfo.InvariantCulture)} times" : "")} |");
                last[i] = seconds;
            }

            page.Append('\n');
        }
    }

    private static void Group(StringBuilder page, MeasuredCase[] group)
    {
        bool whole = group[0].Whole is not null, rivals = group.Any(c => c.Beside is not null), siblings = group.Any(c => c.Siblings.Count > 0);
        string[] heads = ["case", "time", .. whole ? (string[])["tokens/s"] : [], "rate", "of ceiling", .. rivals ? (string[])["ratio", "fastest rival"] : [], .. siblings ? (string[])["beside ours"] : [], .. whole ? (string[])["managed memory", "resident"] : []];
        page.Append($"\n<details><summary>{group[0].Group}</summary>\n\n| {string.Join(" | ", heads)} |\n|---|{string.Concat(heads.Skip(1).Select(_ => "---:|"))}\n");
        foreach (var c in group)
        {
            string[] cells =
            [
                c.Label, QuickRun.Duration(c.Seconds),
                .. whole ? (string[])[string.Create(CultureInfo.InvariantCulture, $"{c.ItemsPerSecond:N0}")] : [],
                c.Rate, string.Create(CultureInfo.InvariantCulture, $"{c.OfCeiling:p0}"),
                .. rivals ? (string[])[c.Beside?.Ratio ?? "–", c.Beside?.Name ?? "–"] : [],
                .. siblings ? (string[])[string.Join(", ", c.Siblings.Select(s => FormattableString.Invariant($"{s.Label} {s.Ratio:f2}")).DefaultIfEmpty("–"))] : [],
                .. whole ? (string[])[string.Create(CultureInfo.InvariantCulture, $"{c.ManagedBytes / 1e3:f0} kB"), Costs.Megabytes(c.PeakBytes)] : [],
            ];
            page.Append($"| {string.Join(" | ", cells)} |\n");
        }

        page.Append("\n</details>\n");
    }
}
