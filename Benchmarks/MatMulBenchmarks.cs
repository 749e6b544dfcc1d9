using BenchmarkDotNet.Attributes;
using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Benchmarks;

/// <summary>Sizes of a product, M x N x K.</summary>
public sealed record ProductShape(int M, int N, int K) : IWorkload
{
    /// <summary>The sizes that models of these papers meet: projections, feed-forward layers, the vocabulary, one decoding step.</summary>
    public static ProductShape[] All { get; } =
    [
        new(512, 512, 512), new(2048, 512, 512), new(2048, 512, 2048), new(2048, 2048, 512), new(1024, 1024, 1024), new(2048, 2048, 2048),
        new(1024, 8000, 512), new(1024, 512, 8000), new(1024, 8000, 256), new(1024, 256, 8000), new(32, 512, 512), new(32, 8000, 256),
    ];

    /// <summary>The sizes of a size: one product that fills a graphics card, and the projection to a vocabulary.</summary>
    public static IEnumerable<ProductShape> Of(Sizes sizes) => sizes switch
    {
        Sizes.Gpu => [new(8192, 8192, 8192), new(16384, 32768, 1024)],
        Sizes.Smoke => [new(32, 24, 40)],
        _ => All,
    };

    public Work WorkOf(string method) => Work.OfProduct(M, N, K);

    public override string ToString() => $"{M}x{N}x{K}";
}

/// <summary>Products in the three layouts of a linear layer: NT is its forward, NN gives dx, TN gives dw.</summary>
public class MatMulBenchmarks : IQuickBenchmarks
{
    private Device _device = null!;
    private Tensor _a = null!;
    private Tensor _b = null!;
    private Tensor _transposedA = null!;
    private Tensor _transposedB = null!;

    [ParamsSource(nameof(Shapes))]
    public ProductShape Shape { get; set; } = new(1, 1, 1);

    public static IEnumerable<ProductShape> Shapes => ProductShape.All;

    public IEnumerable<QuickCase> Cases(Setting setting)
    {
        var (sizes, dtype) = setting;
        foreach (var s in ProductShape.Of(sizes))
        {
            foreach (var (ta, tb) in ((bool, bool)[])[(false, true), (false, false), (true, false)])
                yield return Case(s, ta, tb, setting);
        }

        foreach (int batch in sizes == Sizes.Smoke ? (int[])[2] : [128, 1024])
        {
            yield return new QuickCase(
                $"MatMul {batch} x 64x64x64",
                new Work(batch * 2.0 * 64 * 64 * 64, batch * (double)setting.ElementBytes * 3 * 64 * 64),
                device =>
                {
                    var a = Inputs.Normal(device, [batch, 64, 64], dtype: dtype);
                    var b = Inputs.Normal(device, [batch, 64, 64], dtype: dtype);
                    return () => Ops.MatMul(a, b, transposeB: true);
                });
        }
    }

    [GlobalSetup]
    public void Setup()
    {
        _device = new CpuDevice();
        _a = Inputs.Normal(_device, [Shape.M, Shape.K]);
        _b = Inputs.Normal(_device, [Shape.K, Shape.N]);
        _transposedA = Inputs.Normal(_device, [Shape.K, Shape.M]);
        _transposedB = Inputs.Normal(_device, [Shape.N, Shape.K]);
    }

    [GlobalCleanup]
    public void Cleanup() => _device.Dispose();

    [Benchmark]
    public void NT()
    {
        using var scope = TensorScope.Begin();
        Ops.MatMul(_a, _transposedB, transposeB: true);
    }

    [Benchmark]
    public void NN()
    {
        using var scope = TensorScope.Begin();
        Ops.MatMul(_a, _b);
    }

    [Benchmark]
    public void TN()
    {
        using var scope = TensorScope.Begin();
        Ops.MatMul(_transposedA, _b, transposeA: true);
    }

    private static QuickCase Case(ProductShape s, bool ta, bool tb, Setting setting) => new(
        $"MatMul {(ta ? 'T' : 'N')}{(tb ? 'T' : 'N')} {s}",
        Work.OfProduct(s.M, s.N, s.K, setting.ElementBytes),
        device =>
        {
            var a = Inputs.Normal(device, ta ? [s.K, s.M] : [s.M, s.K], dtype: setting.DType);
            var b = Inputs.Normal(device, tb ? [s.N, s.K] : [s.K, s.N], dtype: setting.DType);
            return () => Ops.MatMul(a, b, ta, tb);
        });
}
