using System.Globalization;

namespace CudaSeq.Benchmarks;

/// <summary>Something that a processor should reach, of the cases of a comparison.</summary>
/// <param name="What">In words.</param>
/// <param name="Wanted">At least; or at most, see <paramref name="AtMost"/>.</param>
/// <param name="Unit">Behind the numbers; empty for a ratio.</param>
/// <param name="Of">The figure of a case, null where the case is not asked or has none. The worst of all cases counts.</param>
/// <param name="AtMost">Whether less is better.</param>
internal sealed record CpuTarget(string What, double Wanted, string Unit, Func<MeasuredCase, double?> Of, bool AtMost = false)
{
    private const string Small = " small B=16 T=64 V=8000";
    private const string Base = " base B=16 T=64 V=8000";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<CpuTarget> All { get; } =
    [
        new("Products of matrices, beside the fastest BLAS", 1, "", c => c.Is("MatMul") ? c.LeastRatio : null),
        new("Products of 1024 and more each way, of the peak of multiply-adds", 0.76, "%", c => c.Is("MatMul") && (c.Has("1024x1024x1024") || c.Has("2048x2048x2048")) ? c.OfCeiling : null),
        new("Products of 32 rows, of the peak", 0.45, "%", c => c.Is("MatMul") && c.Has(" 32x") ? c.OfCeiling : null),
        new("128 products of 64x64x64, beside the fastest BLAS", 1.3, "", c => c.Is("MatMul") && c.Has("128 x") ? c.LeastRatio : null),
        new("LightConv and DynamicConv with backward, T = 64, C = 512, beside PyTorch's fastest", 5, "", c => (c.Is("LightConv") || c.Is("DynamicConv")) && c.Has("T=64 C=512") && c.Has("backward") ? c.LeastRatio : null),
        Train("Transformer", "small", 1.7), Train("LightConv", "small", 1.5), Train("DynamicConv", "small", 1.9),
        Train("Transformer", "base", 1.25), Train("LightConv", "base", 1.25), Train("DynamicConv", "base", 2),
        new("An update, of the peak", 0.55, "%", c => c.Is("Train ") ? c.OfCeiling : null),
        new("An update: managed memory", 100, " kB", c => c.Is("Train ") ? c.ManagedBytes / 1e3 : null, AtMost: true),
        new("An update: new buffers", 0, "", c => c.Is("Train ") ? c.Buffers : null, AtMost: true),
        new("An update: collections of generations 1 and 2", 0, "", c => c.Is("Train ") ? c.OlderCollections : null, AtMost: true),
        new("Greedy decoding of 32 sentences, T = 64, beside PyTorch", 4, "", c => c.Is("Decode ") && c.Has("greedy B=32") && c.Has("T=64 ") ? c.LeastRatio : null),
        new("Beam 4 for 16 sentences, T = 64, beside PyTorch", 4, "", c => c.Is("Decode ") && c.Has("beam 4 B=16") && c.Has("T=64 ") ? c.LeastRatio : null),
        new("Greedy decoding of one sentence, T = 64", 1, " ms a token", c => c.Is("Decode ") && c.Has(" B=1 ") && c.Has("T=64 ") && !c.Has("int8") ? 1e3 / c.ItemsPerSecond : null, AtMost: true),
        Mixer(64, 1.03), Mixer(256, 1.2), Mixer(1024, 2),
        new("An update on two threads, beside one", 1.8, "", c => c.Is("Threads: Train ") ? c.RatioTo("one thread") : null),
        new("Integers of 8 bits, beside float32", 1, "", c => c.Is("Decode ") && c.Has("int8") ? c.RatioTo("float32") : null),
    ];

    /// <summary>What was wanted.</summary>
    public string WantedText => $"{(AtMost ? "at most" : "at least")} {Show(Wanted)}";

    /// <summary>The worst of the cases and whether it is good enough; that nobody measured any, where nobody did.</summary>
    public string Verdict(IEnumerable<MeasuredCase> cases)
    {
        double[] values = [.. cases.Select(Of).OfType<double>()];
        if (values.Length == 0)
            return "not measured";
        double worst = AtMost ? values.Max() : values.Min();
        string all = values.Length > 1 ? $" (the worst of {values.Length})" : "";
        return (AtMost ? worst <= Wanted : worst >= Wanted) ? $"{Show(worst)}{all}" : $"**{Show(worst)}**{all}, missed";
    }

    private static CpuTarget Train(string model, string preset, double wanted) => new(
        $"An update of {model}, {preset}, beside PyTorch's fastest", wanted, "", c => c.Name == $"Train {model.ToLowerInvariant()}{(preset == "small" ? Small : Base)}" ? c.LeastRatio : null);

    private static CpuTarget Mixer(int steps, double wanted) => new(
        FormattableString.Invariant($"Greedy decoding by DynamicConv, 32 sentences, T = {steps}, beside our self-attention"), wanted, "",
        c => c.Is("Decode dynamicconv") && c.Has("greedy B=32") && c.Has(FormattableString.Invariant($"T={steps} ")) ? c.RatioTo("self-attention") : null);

    private string Show(double value) => Unit == "%" ? string.Create(CultureInfo.InvariantCulture, $"{value:p0}") : string.Create(CultureInfo.InvariantCulture, $"{value:0.##}{Unit}");
}
