using System.Globalization;
using System.Text.Json.Nodes;
using CudaSeq.Kernels;
using CudaSeq.Models;

namespace CudaSeq.Benchmarks;

/// <summary>Those of a processor: arithmetic by instruction set, caches and memory.</summary>
/// <param name="Processor">What it calls itself.</param>
/// <param name="Threads">Threads that were used.</param>
/// <param name="Tier">The instruction set that ops use.</param>
/// <param name="FlopsByTier">GFLOP/s of fused multiply-adds in registers, for each instruction set there is.</param>
/// <param name="ReadBySize">GB/s of reading what lies in so many kilobytes a thread, again and again.</param>
/// <param name="Copy">GB/s of a copy through memory, reads and writes counted.</param>
/// <param name="Read">GB/s of reading memory.</param>
/// <param name="Triad">GB/s of a = b + 3 c.</param>
internal sealed record ProcessorCeilings(
    string Processor, int Threads, InstructionTier Tier, IReadOnlyList<(InstructionTier Tier, double Flops)> FlopsByTier, IReadOnlyList<(int Kilobytes, double Bandwidth)> ReadBySize, double Copy, double Read, double Triad)
    : MachineCeilings(FlopsByTier.Single(t => t.Tier == Tier).Flops, Copy)
{
    /// <summary>Measurements of each that a comparison takes the best of.</summary>
    public const int Tries = 5;

    // In the first cache, the second, and what lies between them and memory.
    private static readonly int[] Sizes = [16, 128, 1024, 4096];

    /// <inheritdoc/>
    public override string Title => $"{Processor}, {Threads} threads, {Tier}";

    /// <summary>Measures all.</summary>
    /// <param name="cpu">Gives threads and instructions.</param>
    /// <param name="tries">Measurements of each, of which the best counts.</param>
    public static ProcessorCeilings Measure(CpuDevice cpu, int tries = Tries)
    {
        using var memory = new MemoryCeiling(cpu);
        var flops = new List<(InstructionTier, double)>();
        foreach (var tier in Enum.GetValues<InstructionTier>().Where(t => t <= cpu.Tier))
        {
            using var own = new CpuDevice(cpu.Threads, tier);
            flops.Add((tier, Best(tries, () => Ceilings.FmaPeak(own, Clock.Wall, 10))));
        }

        using var cache = new CacheCeiling(cpu);
        return new ProcessorCeilings(
            Machine.Processor(), cpu.Threads, cpu.Tier, flops, [.. Sizes.Select(s => (s, Best(tries, () => cache.Read(s))))], Best(tries, memory.Copy), Best(tries, memory.Read), Best(tries, memory.Triad));
    }

    /// <inheritdoc/>
    public override IEnumerable<string> Lines()
    {
        yield return Title;
        yield return $"multiply-adds: {string.Join(", ", FlopsByTier.Select(t => string.Create(CultureInfo.InvariantCulture, $"{t.Tier} {t.Flops:f0}")))} GFLOP/s";
        yield return $"reading caches: {string.Join(", ", ReadBySize.Select(r => string.Create(CultureInfo.InvariantCulture, $"{r.Kilobytes} kB a thread {r.Bandwidth:f0}")))} GB/s";
        yield return string.Create(CultureInfo.InvariantCulture, $"memory: copy {Copy:f1}, read {Read:f1}, triad {Triad:f1} GB/s");
    }

    /// <inheritdoc/>
    public override IEnumerable<(string What, string Most)> Rows() =>
    [
        .. FlopsByTier.Select(t => ($"multiply-adds, {t.Tier}", string.Create(CultureInfo.InvariantCulture, $"{t.Flops:f0} GFLOP/s"))),
        .. ReadBySize.Select(r => (string.Create(CultureInfo.InvariantCulture, $"reading {r.Kilobytes} kB a thread"), string.Create(CultureInfo.InvariantCulture, $"{r.Bandwidth:f0} GB/s"))),
        ("copying memory", Bandwidth(Copy)), ("reading memory", Bandwidth(Read)), ("a = b + 3 c in memory", Bandwidth(Triad)),
    ];

    /// <inheritdoc/>
    public override JsonObject ToJson() => new()
    {
        ["processor"] = Processor,
        ["threads"] = Threads,
        ["instructions"] = $"{Tier}",
        ["gigaflops"] = new JsonObject(FlopsByTier.Select(t => KeyValuePair.Create<string, JsonNode?>($"{t.Tier}", t.Flops))),
        ["cache_gigabytes"] = new JsonObject(ReadBySize.Select(r => KeyValuePair.Create<string, JsonNode?>(FormattableString.Invariant($"{r.Kilobytes} kB"), r.Bandwidth))),
        ["copy_gigabytes"] = Copy,
        ["read_gigabytes"] = Read,
        ["triad_gigabytes"] = Triad,
    };

    private static string Bandwidth(double gigabytes) => string.Create(CultureInfo.InvariantCulture, $"{gigabytes:f1} GB/s");

    private static double Best(int tries, Func<double> measure) => Enumerable.Range(0, tries).Max(_ => measure());
}
