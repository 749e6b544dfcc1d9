using System.Globalization;
using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Benchmarks;

/// <summary>
/// <c>quick [--filter TEXT] [--threads N] [--tier TIER] [--rounds N] [--clock wall|cpu]</c>: every case for a few hundred milliseconds, each sample next to a sample of the
/// ceiling that limits it, so that a fraction stays right when the machine changes its clock. The table shows medians. On a machine that others use, <c>--clock cpu</c>
/// counts the time this process computed rather than the time that passed; it computes on one thread, as waiting threads would count too.
/// </summary>
internal static class QuickRun
{
    private const double SampleSeconds = 0.02;

    public static int Run(string[] options)
    {
        string filter = "";
        int? threads = null;
        InstructionTier? tier = null;
        int rounds = 9;
        var clock = Clock.Wall;
        for (int i = 0; i + 1 < options.Length; i += 2)
        {
            switch (options[i])
            {
                case "--filter": filter = options[i + 1].Trim('*'); break;
                case "--threads": threads = int.Parse(options[i + 1], CultureInfo.InvariantCulture); break;
                case "--tier": tier = Enum.Parse<InstructionTier>(options[i + 1], ignoreCase: true); break;
                case "--rounds": rounds = int.Parse(options[i + 1], CultureInfo.InvariantCulture); break;
                case "--clock": clock = Enum.Parse<Clock>(options[i + 1], ignoreCase: true); break;
                default: return Usage(options[i]);
            }
        }

        if (options.Length % 2 != 0)
            return Usage(options[^1]);
        using var cpu = new CpuDevice(clock == Clock.Cpu ? 1 : threads, tier);
        using var memory = new MemoryCeiling(cpu, clock);
        var ceilings = Ceilings.Measure(cpu, clock);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{cpu.Tier}, {cpu.Threads} threads: {ceilings.GigaflopsPerSecond:f0} GFLOP/s, copy {ceilings.GigabytesPerSecond:f1} GB/s, read {Best(memory.Read):f1} GB/s, triad {Best(memory.Triad):f1} GB/s"));
        QuickCase[] cases = [.. All().Where(c => c.Name.Contains(filter, StringComparison.OrdinalIgnoreCase))];
        if (cases.Length == 0)
        {
            Console.Error.WriteLine($"quick: no case matches \"{filter}\".");
            return 1;
        }

        int width = cases.Max(c => c.Name.Length);
        Console.WriteLine($"{"case".PadRight(width)}  {"time",10}  {"rate",16}  {"of ceiling",10}  {"items/s",10}");
        foreach (var c in cases)
        {
            var (seconds, fraction, bound) = Time(c, cpu, memory, ceilings, clock, rounds);
            string items = c.Work.Items > 0 ? Number(c.Work.Items / seconds) : "";
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{c.Name.PadRight(width)}  {Duration(seconds),10}  {c.Work.Rate(seconds, bound),16}  {fraction,10:p1}  {items,10}"));
        }

        return 0;
    }

    private static IEnumerable<QuickCase> All() => typeof(QuickRun).Assembly.GetTypes()
        .Where(t => t is { IsClass: true, IsAbstract: false } && t.IsAssignableTo(typeof(IQuickBenchmarks)))
        .OrderBy(t => t.Name, StringComparer.Ordinal)
        .SelectMany(t => ((IQuickBenchmarks)Activator.CreateInstance(t)!).Cases);

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

    private static double Sample(Action call, Clock clock, int repetitions)
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

    private static string Duration(double seconds) => seconds switch
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

    private static int Usage(string option)
    {
        Console.Error.WriteLine($"quick: unknown or incomplete option {option}; options are --filter TEXT, --threads N, --tier TIER, --rounds N, --clock wall|cpu.");
        return 2;
    }
}
