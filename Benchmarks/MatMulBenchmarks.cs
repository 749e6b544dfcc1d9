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

    public IEnumerable<QuickCase> Cases
    {
        get
        {
            foreach (var s in ProductShape.All)
            {
                foreach (var (ta, tb) in ((bool, bool)[])[(false, true), (false, false), (true, false)])
                    yield return Case(s, ta, tb);
            }

            foreach (int batch in (int[])[128, 1024])
            {
                yield return new QuickCase(
                    $"MatMul {batch} x 64x64x64",
                    new Work(batch * 2.0 * 64 * 64 * 64, batch * 4.0 * 3 * 64 * 64),
                    device =>
                    {
                        var a = Inputs.Normal(device, [batch, 64, 64]);
                        var b = Inputs.Normal(device, [batch, 64, 64]);
                        return () => Ops.MatMul(a, b, transposeB: true);
                    });
            }
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

    private static QuickCase Case(ProductShape s, bool ta, bool tb) => new(
        $"MatMul {(ta ? 'T' : 'N')}{(tb ? 'T' : 'N')} {s}",
        s.WorkOf(""),
        device =>
        {
            var a = Inputs.Normal(device, ta ? [s.K, s.M] : [s.M, s.K]);
            var b = Inputs.Normal(device, tb ? [s.N, s.K] : [s.K, s.N]);
            return () => Ops.MatMul(a, b, ta, tb);
        });
}
