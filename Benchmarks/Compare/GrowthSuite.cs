using System.Text.Json.Nodes;
using CudaSeq.Kernels;
using CudaSeq.Models;

namespace CudaSeq.Benchmarks;

/// <summary>
/// How cost grows: the mixers over the length of a sequence, updates and decodings of the small models over everything that makes them larger, and both on one thread and on all. Ours alone: other
/// suites have the rivals.
/// </summary>
internal static class GrowthSuite
{
    /// <summary>What an order of it begins with; no rival has it.</summary>
    public const string Op = "growth";

    /// <summary>The group of what only a processor has.</summary>
    public const string AllThreads = "All threads beside one";

    private static readonly Architecture[] Models = [Architecture.Transformer, Architecture.DynamicConv];

    /// <summary>All cases.</summary>
    /// <param name="sizes">Those of a processor, or as small as goes through everything.</param>
    public static IEnumerable<CompareCase> Of(Sizes sizes) => sizes == Sizes.Smoke
        ? [
            .. Mixers([4, 5, 6], c: 16, h: 2, k: 3), .. Updates(sizes, [1, 2, 3], [1, 2, 3], [20, 30, 40], [(3, 2), (2, 3), (1, 6)]),
            .. Decodings(sizes, [1, 2, 3], [1, 2, 3], [20, 30, 40], beamB: 1, b: 2, steps: 4), .. Threads(sizes, b: 2, steps: 4),
        ]
        : [
            .. Mixers([16, 32, 64, 128, 256, 512, 1024, 2048, 4096], c: 512, h: 8, k: 31),
            .. Updates(sizes, [1, 2, 4, 8, 16, 32], [1, 2, 3, 4, 6], [1000, 2000, 4000, 8000, 16000, 32000], [(64, 16), (32, 32), (16, 64), (8, 128), (4, 256), (2, 512)]),
            .. Decodings(sizes, [1, 2, 4, 8, 16, 32, 64], [1, 2, 4, 8, 16], [1000, 2000, 4000, 8000, 16000, 32000], beamB: 8, b: 32, steps: 64), .. Threads(sizes, b: 32, steps: 64),
        ];

    // One sequence: quadratic beside linear.
    private static IEnumerable<CompareCase> Mixers(int[] lengths, int c, int h, int k)
        => from t in lengths
           from part in new[]
           {
               ("self-attention", KernelSuite.Attention(new AttentionShape(1, t, t, c, h), backward: false)),
               ("LightConv", KernelSuite.LightConv(new ConvShape(1, t, c, h, k), backward: false)),
               ("DynamicConv", KernelSuite.DynamicConv(new ConvShape(1, t, c, h, k), backward: false)),
           }
           select On(part.Item2, FormattableString.Invariant($"Mixers over the length, B = 1, C = {c}, K = {k}"), part.Item1, "T", t);

    private static IEnumerable<CompareCase> Updates(Sizes sizes, int[] pairs, int[] layers, int[] vocabularies, (int B, int T)[] lengths)
    {
        foreach (var architecture in Models)
        {
            var small = CompareModels.Case(architecture, sizes, "small");
            foreach (int b in pairs)
                yield return Of("pairs", b, small with { B = b });
            foreach (int n in layers)
                yield return Of("layers a side", n, small with { Config = CompareModels.WithLayers(small.Config, n) });
            foreach (int v in vocabularies)
                yield return Of("vocabulary", v, small with { Config = small.Config with { SourceVocabulary = v, TargetVocabulary = v } });
            foreach (var (b, t) in lengths)
                yield return Of(FormattableString.Invariant($"length, {b * t} tokens a side"), t, small with { B = b, T = t });
        }

        static CompareCase Of(string over, int at, ModelCase c) => On(TrainSuite.Case(c), $"An update over {over}", c.Name, Axis(over), at);
    }

    private static IEnumerable<CompareCase> Decodings(Sizes sizes, int[] sentences, int[] beams, int[] vocabularies, int beamB, int b, int steps)
    {
        int source = DecodeSuite.SourceTokensOf(sizes);
        foreach (var architecture in Models)
        {
            var small = CompareModels.Case(architecture, sizes, "small");
            foreach (int n in sentences)
                yield return Of("sentences, greedy", n, small, n, 1);
            foreach (int beam in beams)
                yield return Of(FormattableString.Invariant($"beam, B = {beamB}"), beam, small, beamB, beam);
            foreach (int v in vocabularies)
                yield return Of(FormattableString.Invariant($"vocabulary, greedy, B = {b}"), v, small with { Config = small.Config with { SourceVocabulary = v, TargetVocabulary = v } }, b, 1);
        }

        CompareCase Of(string over, int at, ModelCase c, int n, int beam)
            => On(DecodeSuite.Case(c, n, beam, steps, source), FormattableString.Invariant($"A decoding of {steps} steps over {over}"), c.Name, Axis(over), at);
    }

    // All threads beside one: the ratio is what the others are worth.
    private static IEnumerable<CompareCase> Threads(Sizes sizes, int b, int steps)
    {
        foreach (var architecture in (Architecture[])[Architecture.Transformer, Architecture.LightConv, Architecture.DynamicConv])
        {
            var small = CompareModels.Case(architecture, sizes, "small");
            yield return BesideOne(TrainSuite.Case(small), "update");
            if (architecture != Architecture.LightConv)
                yield return BesideOne(DecodeSuite.Case(small, b, 1, steps, DecodeSuite.SourceTokensOf(sizes)), "greedy decoding");
        }

        static CompareCase BesideOne(CompareCase c, string what) => On(c, AllThreads, what, "", 0) with
        {
            Label = $"{what}, {c.Order["model"]!["architecture"]}",
            Name = $"Threads: {c.Name}",
            Places = [],
            Siblings = [new Sibling("one thread", _ => OnOneThread(c))],
        };
    }

    private static Contender OnOneThread(CompareCase c)
    {
        var cpu = new CpuDevice(1);
        try
        {
            var contender = c.Prepare(cpu);
            return contender with { Owner = new Both(contender.Owner, cpu) };
        }
        catch
        {
            cpu.Dispose();
            throw;
        }
    }

    private static string Axis(string over) => over.Split(',')[0];

    private static CompareCase On(CompareCase c, string group, string line, string axis, int at) => c with
    {
        Name = FormattableString.Invariant($"{group}: {line} {at}"),
        Group = group,
        Label = FormattableString.Invariant($"{line} {at}"),
        Order = new JsonObject { ["op"] = Op },
        Variants = [],
        Siblings = [],
        Places = [new Place(axis, at, line)],
        IsLatency = false,
    };

    private sealed class Both(IDisposable? first, IDisposable second) : IDisposable
    {
        public void Dispose()
        {
            first?.Dispose();
            second.Dispose();
        }
    }
}
