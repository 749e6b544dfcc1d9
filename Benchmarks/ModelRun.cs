using System.Globalization;
using System.Text.Json.Nodes;
using CudaSeq.Kernels;

namespace CudaSeq.Benchmarks;

/// <summary>
/// <c>models [--device NAME] [--filter TEXT] [--sizes processor|gpu|smoke] [--json FILE]</c>: the papers' models as their users run them, trained and translating with
/// random tokens, in tokens a second; and how much of an eager training step the host is busy for.
/// </summary>
internal static class ModelRun
{
    private const string Verb = "models";

    private const string Eager = "eager";
    private const string Graphs = "graphs";

    // What is measured and how, in the order of the table; a processor has no graphs to capture and no host beside it.
    private static readonly (string Kind, string Mode)[] Kinds =
    [
        ("Training", Graphs), ("Training", Eager), ("Step", Eager), ("Greedy", Graphs), ("Greedy", Eager), ("Beam4", Graphs), ("Beam4", Eager),
    ];

    public static int Run(string[] arguments)
    {
        var options = new OptionList(Verb, arguments, "--device NAME", "--filter TEXT", "--sizes SIZES", "--json FILE");
        var filter = new NameFilter(Verb, options.Text("--filter"));
        using var device = options.OpenDevice("--device");
        var cuda = device as CudaDevice;
        var sizes = options.Choice<Sizes>("--sizes") ?? (cuda is null ? Sizes.Processor : Sizes.Gpu);
        var lines = filter.Of(
            from c in ModelCase.Of(sizes)
            from dtype in cuda is null ? (IReadOnlyList<DType>)[DType.Float32] : [DType.BFloat16, DType.Float32]
            from k in Kinds
            where cuda is not null || (k.Mode == Eager && k.Kind != "Step")
            select new Line(k.Kind, k.Mode, dtype, $"{k.Kind} {c}", c),
            l => l.Name);
        if (cuda is null && options.Text("--json") is not null)
            throw new OptionException("models: --json is for a GPU.");
        var figures = options.Text("--json") is { } path ? FiguresFile.Open(path) : null;
        if (cuda is not null)
            figures?.Describe(cuda);
        Console.WriteLine(device.Description);
        int width = lines.Max(c => c.Label.Length), failures = 0;
        foreach (var group in lines.GroupBy(l => l.Case))
        {
            int missing = Try(
                group.First(),
                width,
                () =>
                {
                    using var model = new OpenModel(group.Key, device);
                    foreach (var line in group)
                        failures += Try(line, width, () => Measure(line, width, model, device, sizes, figures), figures);
                },
                figures);
            failures += missing;
            device.TrimCache();
        }

        return failures == 0 ? 0 : 1;
    }

    private static int Try(Line line, int width, Action measure, FiguresFile? figures)
    {
        try
        {
            measure();
            return 0;
        }
        catch (Exception e) when (e is CudaException or KernelException or OutOfMemoryException or ArgumentException or InvalidOperationException)
        {
            Console.WriteLine($"{line.Label.PadRight(width)}  failed: {e.Message}");
            figures?.Fail(line.Label, e.Message);
            return 1;
        }
    }

    private static void Measure(Line line, int width, OpenModel model, Device device, Sizes sizes, FiguresFile? figures)
    {
        bool smoke = sizes == Sizes.Smoke;
        string label = line.Label.PadRight(width);
        var figure = new JsonObject { ["by"] = FiguresFile.Own, ["case"] = line.Name, ["dtype"] = FiguresFile.NameOf(line.DType), ["mode"] = line.Mode };
        if (line.Kind == "Step")
        {
            var (host, step) = model.Step(smoke ? 1 : 10, ((CudaDevice)device).Synchronize, line.DType);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{label}  host {host * 1e3:f2} ms of {step * 1e3:f2} ms, {host / step:p1}"));
            (figure["value"], figure["unit"], figure["host_seconds"], figure["seconds"]) = (host / step, "of the step", host, step);
        }
        else
        {
            var rate = line.Kind == "Training"
                ? model.Train(smoke ? TimeSpan.Zero : TimeSpan.FromSeconds(0.3), smoke ? 2 : 5, line.Mode == Graphs, line.DType)
                : model.Decode(line.Kind == "Greedy" ? 1 : 4, smoke ? 1 : 3, line.Mode == Graphs, line.DType);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{label}  {rate.Median:N0} tokens/s ({rate.Low:N0} .. {rate.High:N0})"));
            (figure["value"], figure["unit"], figure["low"], figure["high"]) = (rate.Median, "tokens/s", rate.Low, rate.High);
        }

        figures?.Add(figure);
    }

    private sealed record Line(string Kind, string Mode, DType DType, string Name, ModelCase Case)
    {
        public string Label => $"{Name} {FiguresFile.NameOf(DType)} {Mode}";
    }
}
