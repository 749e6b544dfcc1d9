using System.Globalization;
using System.Text;
using CudaSeq.Kernels;
using CudaSeq.Models;

namespace CudaSeq.Benchmarks;

/// <summary>
/// <c>compare [--suite kernels|train|decode|growth|all] [--device cpu|cuda|cuda:N] [--rivals auto|none] [--filter TEXT] [--rounds N] [--threads N] [--tier TIER] [--sizes processor|smoke] [--out DIR]
/// [--baseline FILE]</c>: what the machine can do at most, then every op, update or decoding beside every rival that is installed, results compared first, both sides timed in turns in one run.
/// </summary>
internal static class CompareRun
{
    private const string Verb = "compare";
    private const string FileName = "compare.json";
    private const string PageName = "compare.html";

    private enum Suite
    {
        Kernels,
        Train,
        Decode,
        Growth,
        All,
    }

    private enum RivalChoice
    {
        Auto,
        None,
    }

    public static int Run(string[] arguments) => Run(arguments, Console.Out);

    /// <summary>The same, writing elsewhere.</summary>
    internal static int Run(string[] arguments, TextWriter output)
    {
        var options = new OptionList(
            Verb, arguments, "--suite SUITE", "--device NAME", "--rivals auto|none", "--filter TEXT", "--rounds N", "--threads N", "--tier TIER", "--sizes SIZES", "--out DIR", "--baseline FILE");
        var suite = options.Choice<Suite>("--suite") ?? Suite.Kernels;
        var sizes = options.Choice("--sizes", Sizes.Processor, Sizes.Smoke) ?? Sizes.Processor;
        var filter = new NameFilter(Verb, options.Text("--filter"));
        bool onGpu = options.Text("--device") is not (null or "cpu");
        var cases = filter.Of(Cases(suite, sizes).Where(c => !onGpu || c.Group != GrowthSuite.AllThreads), c => c.Name);
        var baseline = options.Text("--baseline") is { } file ? CompareFile.Read(file) : null;
        string? folder = options.Text("--out");
        if (folder is not null && File.Exists(folder))
            throw new OptionException($"{Verb}: --out must be a folder, {folder} is a file.");

        using var device = MeasuredDevice.Open(options, sizes == Sizes.Smoke);
        var rivals = (options.Choice<RivalChoice>("--rivals") ?? RivalChoice.Auto) == RivalChoice.Auto ? Rivals(device.Device, cases, output) : [];
        try
        {
            return Measure(device, cases, rivals, options.Whole("--rounds") ?? 9, folder, baseline, output);
        }
        finally
        {
            foreach (var rival in rivals)
                rival.Dispose();
        }
    }

    private static IEnumerable<CompareCase> Cases(Suite suite, Sizes sizes) => suite switch
    {
        Suite.Kernels => KernelSuite.Of(sizes),
        Suite.Train => TrainSuite.Of(sizes),
        Suite.Decode => DecodeSuite.Of(sizes),
        Suite.Growth => GrowthSuite.Of(sizes),
        _ => [.. KernelSuite.Of(sizes), .. TrainSuite.Of(sizes), .. DecodeSuite.Of(sizes), .. GrowthSuite.Of(sizes)],
    };

    private static int Measure(
        MeasuredDevice device, CompareCase[] cases, IReadOnlyList<Rival> rivals, int rounds, string? folder, IReadOnlyDictionary<string, Spread>? baseline, TextWriter output)
    {
        var machine = device.Machine;
        foreach (string line in machine.Lines())
            output.WriteLine(line);
        output.WriteLine();
        var turns = new Turns(device, rounds);
        var results = new List<CompareResult>();
        int width = cases.Max(c => c.Name.Length);
        output.WriteLine(QuickRun.Head(width));
        foreach (var c in cases)
        {
            var result = turns.Measure(c, rivals);
            results.Add(result);
            output.WriteLine(QuickRun.Line(new QuickCase(c.Name, c.Work, _ => () => { }), width, result.Seconds.Median, result.Fraction, result.BoundByMemory));
            if (c.IsLatency)
                output.WriteLine($"    {PerToken(c, result.Seconds.Median)} ms a token");
            if (c.Whole is { } whole)
                output.WriteLine($"    {result.Costs.Line(whole)}");
            foreach (var rival in result.Rivals)
                output.WriteLine(Line(c, rival));

            // As it goes, so that what was measured is not lost when it is stopped.
            if (folder is not null)
            {
                CompareFile.Write(Path.Combine(folder, FileName), machine, rivals, results);
                TextFile.WriteWhole(Path.Combine(folder, PageName), stream => stream.Write(Encoding.UTF8.GetBytes(ComparePage.Write(machine, rivals, results))));
            }
        }

        output.WriteLine();
        foreach (string line in Summary(results, baseline))
            output.WriteLine(line);
        foreach (string name in folder is null ? [] : new[] { FileName, PageName })
            output.WriteLine(Path.Combine(folder!, name));
        return results.Any(r => r.Rivals.Any(v => v.Seconds is null)) ? 1 : 0;
    }

    private static IReadOnlyList<Rival> Rivals(Device device, CompareCase[] cases, TextWriter output)
    {
        var found = new List<Rival>();
        if (device is CpuDevice cpu)
        {
            found.AddRange(BlasRival.Start(cpu.Threads, out var missing));
            foreach (string why in missing)
                output.WriteLine($"rival left out, {why}");
        }

        var torch = TorchRival.Start(device, out string absent);
        if (torch is not null)
            found.AddRange(torch.WithMkl(device) is { } other ? [torch, other] : [torch]);
        else
            output.WriteLine($"rival left out, PyTorch: {absent}");
        if (cases.Any(c => (string?)c.Order["op"] == DecodeSuite.Op))
            output.WriteLine($"rival left out, CTranslate2: {(torch is { HasCTranslate2: true } ? "installed, compare cannot ask it yet" : "not installed")}");
        foreach (var rival in found)
            output.WriteLine($"rival: {rival.Name}");
        return found;
    }

    /// <summary>Milliseconds of a case for each of its tokens.</summary>
    internal static string PerToken(CompareCase c, double seconds) => string.Create(CultureInfo.InvariantCulture, $"{1e3 * seconds / c.Work.Items:f3}");

    private static string Line(CompareCase c, RivalResult rival) => rival is { Seconds: { } seconds, Ratio: { } ratio }
        ? string.Create(CultureInfo.InvariantCulture, $"    {QuickRun.Duration(seconds.Median),10}  {ratio.Median,6:f2} ({ratio.Low:f2} .. {ratio.High:f2}) times our time  {rival.Label}{(c.IsLatency ? $", {PerToken(c, seconds.Median)} ms a token" : "")}{(c.Whole is null || rival.IsSibling ? "" : $"; resident at most {Costs.Megabytes(rival.PeakBytes)}")}")
        : string.Create(CultureInfo.InvariantCulture, $"    not timed: its outputs differ by {rival.Difference:g3} of the largest  {rival.Label}");

    private static IEnumerable<string> Summary(IReadOnlyList<CompareResult> results, IReadOnlyDictionary<string, Spread>? baseline)
    {
        var timed = results.Where(r => r.Rivals.Any(v => v is { Ratio: not null, IsSibling: false })).ToArray();
        if (timed.Length > 0)
        {
            // Beyond the noise: nine of ten turns say so.
            var behind = timed.Where(r => r.Rivals.Any(v => v is { IsSibling: false, Ratio.High: < 1 })).ToArray();
            yield return $"Of {timed.Length} cases with a rival, {timed.Count(r => r.Rivals.All(v => v.IsSibling || v.Ratio is not { } ratio || ratio.Low > 1))} are faster here than with every rival, {behind.Length} slower than with one:";
            foreach (var r in behind)
                yield return $"    {r.Case.Name}";
        }

        if (baseline is null)
            yield break;
        var known = results.Where(r => baseline.ContainsKey(r.Case.Name)).ToArray();
        var slower = known.Where(r => r.Seconds.Low > baseline[r.Case.Name].High).ToArray();
        yield return $"Of {known.Length} cases that the earlier run has, {slower.Length} are slower beyond the noise:";
        foreach (var r in slower)
            yield return string.Create(CultureInfo.InvariantCulture, $"    {r.Case.Name}  {r.Seconds.Median / baseline[r.Case.Name].Median:f2} times as long");
    }
}
