using System.Text.Json.Nodes;
using CudaSeq.Tensors;

namespace CudaSeq.Benchmarks;

/// <summary>The ops that models spend their time in, at the sizes of the papers' models.</summary>
internal static class KernelSuite
{
    private static readonly string[] LightVariants = ["unfold", "band", "conv1d"];
    private static readonly string[] DynamicVariants = ["unfold", "band"];

    /// <summary>All cases.</summary>
    /// <param name="sizes">Those of a processor, or as small as goes through everything.</param>
    public static IEnumerable<CompareCase> Of(Sizes sizes)
    {
        foreach (var (m, n, k) in sizes == Sizes.Smoke
            ? [(32, 24, 40)]
            : new[] { (512, 512, 512), (2048, 512, 512), (2048, 512, 2048), (2048, 2048, 512), (1024, 1024, 1024), (2048, 2048, 2048), (1024, 512, 8000), (1024, 8000, 512), (32, 512, 512), (32, 8000, 256) })
        {
            yield return Product(1, m, n, k, ta: false, tb: true);
            yield return Product(1, m, n, k, ta: false, tb: false);
        }

        yield return Product(sizes == Sizes.Smoke ? 2 : 128, 64, 64, 64, ta: false, tb: true);
        var shapes = sizes == Sizes.Smoke ? [new ConvShape(2, 9, 16, 2, 3)] : new[] { 3, 7, 15, 31 }.Select(k => new ConvShape(32, 64, 512, 8, k));
        foreach (var s in shapes)
        {
            foreach (bool backward in (bool[])[false, true])
            {
                yield return Light(s, backward);
                yield return Dynamic(s, backward);
            }
        }
    }

    private static CompareCase Product(int batch, int m, int n, int k, bool ta, bool tb)
    {
        Shape left = ta ? [k, m] : [m, k], right = tb ? [n, k] : [k, n];
        if (batch > 1)
            (left, right) = ([batch, left[0], left[1]], [batch, right[0], right[1]]);
        var one = Work.OfProduct(m, n, k);
        string size = batch > 1 ? $"{batch} x {m}x{n}x{k}" : $"{(ta ? 'T' : 'N')}{(tb ? 'T' : 'N')} {m}x{n}x{k}";
        return new CompareCase(
            $"MatMul {size}",
            "Products of matrices",
            size,
            null,
            new Work(batch * one.Flops, batch * one.Bytes),
            new JsonObject { ["op"] = "matmul", ["batch"] = batch, ["m"] = m, ["n"] = n, ["k"] = k, ["ta"] = ta, ["tb"] = tb },
            [],
            device =>
            {
                Tensor a = Patterns.Of(device, left, 1), b = Patterns.Of(device, right, 2);
                return new Contender(() => Ops.MatMul(a, b, ta, tb), () => [Ops.MatMul(a, b, ta, tb).ToArray()]);
            });
    }

    private static CompareCase Light(ConvShape s, bool backward) => Convolution("LightConv", s, backward, [s.H, s.K], 0, LightVariants, (x, w) => Ops.LightConv(x, w, s.K / 2));

    private static CompareCase Dynamic(ConvShape s, bool backward)
        => Convolution("DynamicConv", s, backward, [s.B, s.T, s.H * s.K], s.Logits, DynamicVariants, (x, w) => Ops.DynamicConv(x, w, s.H, s.K / 2));

    // The logits are given: predicting them is a product like any other.
    private static CompareCase Convolution(string op, ConvShape s, bool backward, Shape logits, double logitElements, string[] variants, Func<Tensor, Tensor, Tensor> convolve) => new(
        $"{op} {s}{(backward ? " forward + backward" : "")}",
        $"{op}, {(backward ? "forward and backward" : "forward")}",
        $"K = {s.K}",
        s.K,
        s.WorkOf(backward ? nameof(Pass.ForwardBackward) : nameof(Pass.Forward), logitElements),
        new JsonObject { ["op"] = op.ToLowerInvariant(), ["b"] = s.B, ["t"] = s.T, ["c"] = s.C, ["h"] = s.H, ["k"] = s.K, ["backward"] = backward },
        variants,
        device =>
        {
            Tensor x = Patterns.Of(device, [s.B, s.T, s.C], 1), w = Patterns.Of(device, logits, 2);
            if (!backward)
                return new Contender(() => convolve(x, w), () => [convolve(x, w).ToArray()]);
            (x, w) = (x.AsParameter(), w.AsParameter());
            var gradient = Patterns.Of(device, x.Shape, 9);
            return new Contender(
                () => Inputs.Differentiate(convolve(x, w), gradient, x, w),
                () =>
                {
                    var y = convolve(x, w);
                    y.Backward(gradient);
                    float[][] outputs = [y.ToArray(), x.Grad!.ToArray(), w.Grad!.ToArray()];
                    x.ZeroGrad();
                    w.ZeroGrad();
                    return outputs;
                });
        });
}
