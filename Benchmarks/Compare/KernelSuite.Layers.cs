using System.Text.Json.Nodes;
using CudaSeq.Tensors;

namespace CudaSeq.Benchmarks;

/// <summary>What layers are made of: linear layers, convolutions, attention, and the projection to the vocabulary with its loss.</summary>
internal static partial class KernelSuite
{
    private const float Smoothing = 0.1f;

    private static readonly string[] LightVariants = ["unfold", "band", "conv1d"];
    private static readonly string[] DynamicVariants = ["unfold", "band"];
    private static readonly string[] AttentionVariants = ["products", "fused"];

    /// <summary>The ways in which PyTorch can convolve; empty for a model that attends.</summary>
    internal static IReadOnlyList<string> VariantsOf(Models.Architecture architecture) => architecture switch
    {
        Models.Architecture.LightConv => LightVariants,
        Models.Architecture.DynamicConv => DynamicVariants,
        _ => [],
    };

    private static IEnumerable<CompareCase> Linears(bool smoke)
    {
        // As many rows as training, and as a decoding has hypotheses.
        LinearShape[] shapes = smoke
            ? [new(20, 32, 48)]
            : [new(2048, 512, 512), new(2048, 512, 2048), new(2048, 2048, 512), new(1024, 512, 8000), new(1, 512, 512), new(8, 512, 512), new(32, 512, 512), new(256, 512, 512), new(32, 256, 8000)];
        foreach (var s in shapes)
        {
            yield return Linear(s, backward: false);
            if (s.N >= 1024 || smoke)
                yield return Linear(s, backward: true);
        }
    }

    private static CompareCase Linear(LinearShape s, bool backward) => new(
        $"Linear {s}{Suffix(backward)}",
        Group("Linear with bias", backward),
        $"{s}",
        s.WorkOf(PassOf(backward)),
        new JsonObject { ["op"] = "linear", ["n"] = s.N, ["i"] = s.I, ["o"] = s.O, ["backward"] = backward },
        [],
        Prepared(backward, [[s.N, s.I], [s.O, s.I], [s.O]], _ => x => Ops.Linear(x[0], x[1], x[2])))
    {
        Places = [new("rows", s.N, $"{s.I} to {s.O} channels")],
    };

    private static IEnumerable<CompareCase> Convolutions(bool smoke)
    {
        // Filters of the papers, then sentences of all lengths and widths of models, some 2048 columns each.
        ConvShape[] shapes = smoke
            ? [new(2, 9, 16, 2, 3)]
            : [.. new[] { 3, 7, 15, 31 }.Select(k => new ConvShape(32, 64, 512, 8, k)), new(128, 16, 512, 8, 31), new(8, 256, 512, 8, 31), new(2, 1024, 512, 8, 31), new(32, 64, 256, 4, 31), new(32, 64, 1024, 16, 31)];
        foreach (var s in shapes)
        {
            foreach (bool backward in (bool[])[false, true])
            {
                yield return LightConv(s, backward);
                yield return DynamicConv(s, backward);
            }
        }
    }

    /// <summary>LightConv, both neighbours under the filter.</summary>
    internal static CompareCase LightConv(ConvShape s, bool backward)
        => Convolution("LightConv", s, backward, [s.H, s.K], 0, LightVariants, (x, w) => Ops.LightConv(x, w, s.K / 2));

    /// <summary>The same with a filter for each position.</summary>
    internal static CompareCase DynamicConv(ConvShape s, bool backward)
        => Convolution("DynamicConv", s, backward, [s.B, s.T, s.H * s.K], s.Logits, DynamicVariants, (x, w) => Ops.DynamicConv(x, w, s.H, s.K / 2));

    // The logits are given: predicting them is a product like any other.
    private static CompareCase Convolution(string op, ConvShape s, bool backward, Shape logits, double logitElements, string[] variants, Func<Tensor, Tensor, Tensor> convolve) => new(
        $"{op} {s}{Suffix(backward)}",
        Group(op, backward),
        $"T={s.T} C={s.C} K={s.K}",
        s.WorkOf(PassOf(backward), logitElements),
        new JsonObject { ["op"] = op.ToLowerInvariant(), ["b"] = s.B, ["t"] = s.T, ["c"] = s.C, ["h"] = s.H, ["k"] = s.K, ["backward"] = backward },
        variants,
        Prepared(backward, [[s.B, s.T, s.C], logits], _ => x => convolve(x[0], x[1])))
    {
        Places = [new("K", s.K, $"T = {s.T}, C = {s.C}"), new("T", s.T, $"{s.B * s.T} columns, C = {s.C}, K = {s.K}"), new("C", s.C, $"T = {s.T}, K = {s.K}")],
    };

    private static IEnumerable<CompareCase> Attentions(bool smoke)
    {
        AttentionShape[] shapes = smoke
            ? [new(2, 9, 9, 16, 2)]
            : [.. new[] { 16, 64, 256, 1024 }.Select(t => new AttentionShape(4096 / t, t, t, 512, 8)), .. new[] { 64, 256 }.Select(t => new AttentionShape(4096 / t, t, t, 256, 4))];
        foreach (var s in shapes)
        {
            foreach (bool causal in (bool[])[false, true])
            {
                foreach (bool backward in (bool[])[false, true])
                    yield return Attention(s with { Causal = causal }, backward);
            }
        }
    }

    /// <summary>Attention. Queries, keys and values are given: predicting them are products like any other.</summary>
    internal static CompareCase Attention(AttentionShape s, bool backward) => new(
        $"Attention {s}{Suffix(backward)}",
        Group(s.Causal ? "Causal attention" : "Attention", backward),
        $"T={s.T} C={s.C}",
        s.WorkOf(PassOf(backward)),
        new JsonObject { ["op"] = "attention", ["b"] = s.B, ["t"] = s.T, ["c"] = s.C, ["h"] = s.H, ["causal"] = s.Causal, ["backward"] = backward },
        AttentionVariants,
        Prepared(backward, [[s.B, s.T, s.C], [s.B, s.T, s.C], [s.B, s.T, s.C]], _ => x => Ops.Attention(x[0], x[1], x[2], s.H, causal: s.Causal)))
    {
        Places = [new("T", s.T, $"{s.B * s.T} queries, C = {s.C}")],
    };

    private static IEnumerable<CompareCase> CrossEntropies(bool smoke)
    {
        CrossEntropyShape[] shapes = smoke ? [new(20, 32, 50)] : [new(1024, 256, 8000), new(1024, 512, 8000)];
        foreach (var s in shapes)
        {
            foreach (bool backward in (bool[])[false, true])
                yield return CrossEntropy(s, backward);
        }
    }

    // With the projection, as both sides would compute it from features; smoothing over all words is the form that PyTorch has an op for.
    private static CompareCase CrossEntropy(CrossEntropyShape s, bool backward) => new(
        $"CrossEntropy {s}{Suffix(backward)}",
        Group("Cross-entropy", backward),
        $"{s}",
        s.WorkOf(PassOf(backward)),
        new JsonObject { ["op"] = "crossentropy", ["n"] = s.N, ["c"] = s.C, ["v"] = s.V, ["smoothing"] = Smoothing, ["backward"] = backward },
        [],
        Prepared(
            backward,
            [[s.N, s.C], [s.V, s.C]],
            device =>
            {
                var targets = Inputs.Tokens(device, [s.N], s.V);
                return x => Ops.CrossEntropy(x[0], x[1], targets, Smoothing, form: LabelSmoothing.Uniform).Loss;
            }));
}
