using System.Text.Json.Nodes;
using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Benchmarks;

/// <summary>The ops that models spend their time in, at the sizes of the papers' models. Each file has some of them.</summary>
internal static partial class KernelSuite
{
    private const int OutputGradientSeed = 9;

    /// <summary>All cases.</summary>
    /// <param name="sizes">Those of a processor, or as small as goes through everything.</param>
    public static IEnumerable<CompareCase> Of(Sizes sizes)
    {
        bool smoke = sizes == Sizes.Smoke;
        return [.. Products(smoke), .. Linears(smoke), .. Convolutions(smoke), .. Attentions(smoke), .. Rows(smoke), .. CrossEntropies(smoke), Adam(smoke)];
    }

    private static IEnumerable<CompareCase> Products(bool smoke)
    {
        foreach (var (m, n, k) in smoke
            ? [(32, 24, 40)]
            : new[] { (512, 512, 512), (2048, 512, 512), (2048, 512, 2048), (2048, 2048, 512), (1024, 1024, 1024), (2048, 2048, 2048), (1024, 512, 8000), (1024, 8000, 512), (32, 512, 512), (32, 8000, 256) })
        {
            yield return Product(1, m, n, k, ta: false, tb: true);
            yield return Product(1, m, n, k, ta: false, tb: false);
        }

        yield return Product(smoke ? 2 : 128, 64, 64, 64, ta: false, tb: true);
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
            new Work(batch * one.Flops, batch * one.Bytes),
            new JsonObject { ["op"] = "matmul", ["batch"] = batch, ["m"] = m, ["n"] = n, ["k"] = k, ["ta"] = ta, ["tb"] = tb },
            [],
            Prepared(false, [left, right], _ => x => Ops.MatMul(x[0], x[1], ta, tb)));
    }

    /// <summary>What the group of an op is called.</summary>
    private static string Group(string op, bool backward) => $"{op}, {(backward ? "forward and backward" : "forward")}";

    /// <summary>What follows the sizes in a case's name.</summary>
    private static string Suffix(bool backward) => backward ? " forward + backward" : "";

    /// <summary>The name of a method that a shape counts the work of.</summary>
    private static string PassOf(bool backward) => backward ? nameof(Pass.ForwardBackward) : nameof(Pass.Forward);

    /// <summary>Makes ready an op and, where that is asked for, its backward.</summary>
    /// <param name="backward">Whether inputs get gradients; the outputs are then y and the gradient of each, else y alone.</param>
    /// <param name="shapes">Of the inputs, which are <see cref="Patterns"/> 1, 2 and on.</param>
    /// <param name="op">Makes, on a device, what computes y of the inputs.</param>
    /// <param name="timed">What is timed in its place, where that has chance in it.</param>
    private static Func<Device, Contender> Prepared(bool backward, Shape[] shapes, Func<Device, Func<Tensor[], Tensor>> op, Func<Device, Func<Tensor[], Tensor>>? timed = null) => device =>
    {
        Tensor[] inputs = [.. shapes.Select((s, i) => Patterns.Of(device, s, 1 + i))];
        var compared = op(device);
        var call = timed?.Invoke(device) ?? compared;
        if (!backward)
            return new Contender(() => call(inputs), () => [compared(inputs).ToArray()]);
        inputs = [.. inputs.Select(x => x.AsParameter())];
        Shape shape;
        using (TensorScope.Begin())
            shape = compared(inputs).Shape;
        var gradient = shape.Rank == 0 ? null : Patterns.Of(device, shape, OutputGradientSeed);
        return new Contender(
            () => Inputs.Differentiate(call(inputs), gradient, inputs),
            () =>
            {
                var y = compared(inputs);
                if (gradient is null)
                    y.Backward();
                else
                    y.Backward(gradient);
                float[][] outputs = [y.ToArray(), .. inputs.Select(x => x.Grad!.ToArray())];
                foreach (var x in inputs)
                    x.ZeroGrad();
                return outputs;
            });
    };
}
