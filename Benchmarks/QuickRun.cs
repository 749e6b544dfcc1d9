using System.Globalization;
using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Benchmarks;

/// <summary>
/// <c>quick [--device cpu|cuda|cuda:N] [--filter TEXT] [--sizes processor|gpu|smoke] [--dtype TYPE] [--rounds N] [--threads N] [--tier TIER] [--clock wall|cpu] [--json FILE]</c>:
/// every case for a few hundred milliseconds, each sample next to a sample of the ceiling that limits it, so that a fraction stays right when the machine changes its
/// clock. The table shows medians. On a machine that others use, <c>--clock cpu</c> counts the time this process computed rather than the time that passed; it
/// computes on one thread, as waiting threads would count too. On a GPU the time is the GPU's own, and <see cref="CudaQuickRun"/> measures.
/// </summary>
internal static class QuickRun
{
    private const string Verb = "quick";
    private const double SampleSeconds = 0.02;
    private const string CeilingLine = "Of ceiling: of these GFLOP/s where arithmetic limits a case, else of the copy; both are measured again beside each sample.";
    private const string AboveLine =
        "Above 100 %: a copy through memory also fetches what it overwrites. A case that reads more than it writes, or stays in a cache, moves more in the same time.";

    public static int Run(string[] arguments)
    {
        var options = new OptionList(
            Verb, arguments, "--device NAME", "--filter TEXT", "--sizes SIZES", "--dtype TYPE", "--rounds N", "--threads N", "--tier TIER", "--clock wall|cpu", "--json FILE");
        var filter = new NameFilter(Verb, options.Text("--filter"));
        int rounds = options.Whole("--rounds") ?? 9;
        string device = options.Text("--device") ?? "cpu";
        var sizes = options.Choice<Sizes>("--sizes") ?? (device == "cpu" ? Sizes.Processor : Sizes.Gpu);
        var setting = new Setting(sizes, options.Choice("--dtype", Setting.DTypes) ?? DType.Float32);
        var cases = filter.Of(All(setting), c => c.Name);
        string[] wrong = [.. (device == "cpu" ? (string[])["--json"] : ["--threads", "--tier", "--clock"]).Where(o => options.Text(o) is not null)];
        if (wrong.Length > 0)
            throw new OptionException($"quick: {wrong[0]} is {(device == "cpu" ? "for a GPU" : "about the processor")}, got --device {device}.");
        if (device == "cpu" && setting.DType != DType.Float32)
            throw new OptionException($"quick: a processor computes in float32 alone, got --dtype {FiguresFile.NameOf(setting.DType)}.");
        if (device != "cpu")
        {
            using var opened = options.OpenDevice("--device");
            return opened is CudaDevice cuda
                ? CudaQuickRun.Run(cuda, setting, cases, rounds, options.Text("--json"))
                : throw new OptionException($"quick: --device must be cpu, cuda or cuda:N, got {device}.");
        }

        var clock = options.Choice<Clock>("--clock") ?? Clock.Wall;
        using var cpu = new CpuDevice(clock == Clock.Cpu ? 1 : options.Whole("--threads"), options.Choice<InstructionTier>("--tier"));
        return Run(cpu, clock, cases, rounds);
    }

    /// <summary>All cases of all classes, ops in the order of their classes' names.</summary>
    public static IEnumerable<QuickCase> All(Setting setting) => typeof(QuickRun).Assembly.GetTypes()
        .Where(t => t is { IsClass: true, IsAbstract: false } && t.IsAssignableTo(typeof(IQuickBenchmarks)))
        .OrderBy(t => t.Name, StringComparer.Ordinal)
        .SelectMany(t => ((IQuickBenchmarks)Activator.CreateInstance(t)!).Cases(setting));

    /// <summary>The head of the table.</summary>
    /// <param name="width">Letters of the longest name.</param>
    public static string Head(int width) => $"{"case".PadRight(width)}  {"time",10}  {"rate",16}  {"of ceiling",10}  {"items/s",10}";

    /// <summary>A line of the table.</summary>
    public static string Line(QuickCase c, int width, double seconds, double fraction, bool boundByMemory)
    {
        string items = c.Work.Items > 0 ? Number(c.Work.Items / seconds) : "";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{c.Name.PadRight(width)}  {Duration(seconds),10}  {c.Work.Rate(seconds, boundByMemory),16}  {fraction,10:p1}  {items,10}");
    }

    private static int Run(CpuDevice cpu, Clock clock, QuickCase[] cases, int rounds)
    {
        using var memory = new MemoryCeiling(cpu, clock);
        var ceilings = Ceilings.Measure(cpu, clock);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{cpu.Tier}, {cpu.Threads} threads: {ceilings.GigaflopsPerSecond:f0} GFLOP/s, copy {ceilings.GigabytesPerSecond:f1} GB/s, read {Best(memory.Read):f1} GB/s, triad {Best(memory.Triad):f1} GB/s"));
        Console.WriteLine(CeilingLine);
        int width = cases.Max(c => c.Name.Length);
        Console.WriteLine(Head(width));
        bool above = false;
        foreach (var c in cases)
        {
            var (seconds, fraction, bound) = Time(c, cpu, memory, ceilings, clock, rounds);
            Console.WriteLine(Line(c, width, seconds, fraction, bound));
            above |= bound && fraction > 1;
        }

        if (above)
            Console.WriteLine(AboveLine);

        return 0;
    }

    private static (double Seconds, double Fraction, bool BoundByMemory) Time(
        QuickCase c, CpuDevice cpu, MemoryCeiling memory, Ceilings ceilings, Clock clock, int rounds)
    {
        using var scope = TensorScope.Begin();
        var call = c.Prepare(cpu);
        bool bound = c.Work.BoundByMemory(ceilings);
        double once = Sample(call, clock, 1);
        for (int i = 0; i < 3; i++)
            once = Math.Min(once, Sample(call, clock, 1));
        int repetitions = (int)Math.Clamp(SampleSeconds / once, 1, 1_000_000);
        var times = new double[rounds];
        var fractions = new double[rounds];
        for (int i = 0; i < rounds; i++)
        {
            double before = Ceiling();
            times[i] = Sample(call, clock, repetitions);
            double ceiling = (before + Ceiling()) / 2;
            fractions[i] = (bound ? c.Work.Bytes : c.Work.Flops) / times[i] / 1e9 / ceiling;
        }

        return (Median(times), Median(fractions), bound);

        double Ceiling() => bound ? memory.Copy() : Ceilings.FmaPeak(cpu, clock, 5);
    }

    internal static double Sample(Action call, Clock clock, int repetitions)
    {
        double start = clock.Seconds();
        for (int i = 0; i < repetitions; i++)
        {
            using var scope = TensorScope.Begin();
            call();
        }

        return (clock.Seconds() - start) / repetitions;
    }

    private static double Median(double[] values)
    {
        Array.Sort(values);
        return values[values.Length / 2];
    }

    private static double Best(Func<double> measure) => Enumerable.Range(0, 5).Max(_ => measure());

    internal static string Duration(double seconds) => seconds switch
    {
        < 1e-3 => string.Create(CultureInfo.InvariantCulture, $"{seconds * 1e6:f1} us"),
        < 1 => string.Create(CultureInfo.InvariantCulture, $"{seconds * 1e3:f2} ms"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{seconds:f2} s"),
    };

    private static string Number(double value) => value switch
    {
        >= 1e9 => string.Create(CultureInfo.InvariantCulture, $"{value / 1e9:f2} G"),
        >= 1e6 => string.Create(CultureInfo.InvariantCulture, $"{value / 1e6:f2} M"),
        >= 1e3 => string.Create(CultureInfo.InvariantCulture, $"{value / 1e3:f2} k"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{value:f2}"),
    };
}
