using BenchmarkDotNet.Attributes;
using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Benchmarks;

/// <summary>N rows of C numbers.</summary>
public sealed record RowsShape(int N, int C) : IWorkload
{
    // A softmax reads x and writes y; its exponentials are arithmetic that nobody counts.
    public Work WorkOf(string method) => new(0, 8.0 * N * C, N);

    public override string ToString() => $"[{N}, {C}]";
}

/// <summary>Normalisation over the last axis, and what decoding picks from it.</summary>
public class SoftmaxBenchmarks : IQuickBenchmarks
{
    private Device _device = null!;
    private Tensor _x = null!;

    [ParamsSource(nameof(Shapes))]
    public RowsShape Shape { get; set; } = new(1, 1);

    /// <summary>Filters, attention rows, features and vocabularies.</summary>
    public static IEnumerable<RowsShape> Shapes => [new(65536, 31), new(32768, 64), new(4096, 512), new(256, 8000), new(64, 32000)];

    public IEnumerable<QuickCase> Cases(Setting setting)
    {
        var (sizes, dtype) = setting;
        foreach (var s in Of(sizes))
        {
            double pass = (double)setting.ElementBytes * s.N * s.C;
            yield return new QuickCase($"Softmax {s}", new Work(0, 2 * pass, s.N), device => Prepared(device, [s.N, s.C], x => Ops.Softmax(x), dtype));
            yield return new QuickCase($"LogSoftmax {s}", new Work(0, 2 * pass, s.N), device => Prepared(device, [s.N, s.C], x => Ops.LogSoftmax(x), dtype));
            if (setting.HasBackwardAlone)
            {
                // Reads y and dy, writes dx.
                yield return new QuickCase($"Softmax {s} backward", new Work(0, 3 * pass, s.N), device =>
                {
                    var x = Inputs.Activation(device, [s.N, s.C], dtype);
                    return Inputs.Backward(Ops.Softmax(x), x);
                });
            }

            yield return new QuickCase($"Softmax {s} forward + backward", new Work(0, 5 * pass, s.N), device =>
            {
                var (x, gradient) = (Inputs.Activation(device, [s.N, s.C], dtype), Inputs.Normal(device, [s.N, s.C], dtype: dtype));
                return () => Inputs.Differentiate(Ops.Softmax(x), gradient, x);
            });
        }

        if (sizes == Sizes.Gpu)
            yield break;
        foreach (var (n, v, k) in sizes == Sizes.Smoke ? ((int, int, int)[])[(2, 50, 3)] : [(32, 8000, 10), (160, 8000, 10), (32, 32000, 8), (8, 50000, 300)])
            yield return new QuickCase($"TopK {k} of [{n}, {v}]", new Work(0, 4.0 * n * v, n), device => Prepared(device, [n, v], x => Ops.TopK(x, k), dtype));
        yield return new QuickCase("ArgMax [32, 8000]", new Work(0, 4.0 * 32 * 8000, 32), device => Prepared(device, [32, 8000], x => Ops.ArgMax(x), dtype));
    }

    [GlobalSetup]
    public void Setup()
    {
        _device = new CpuDevice();
        _x = Inputs.Normal(_device, [Shape.N, Shape.C]);
    }

    [GlobalCleanup]
    public void Cleanup() => _device.Dispose();

    [Benchmark(Baseline = true)]
    public void Softmax()
    {
        using var scope = TensorScope.Begin();
        Ops.Softmax(_x);
    }

    [Benchmark]
    public void LogSoftmax()
    {
        using var scope = TensorScope.Begin();
        Ops.LogSoftmax(_x);
    }

    private static IEnumerable<RowsShape> Of(Sizes sizes) => sizes switch
    {
        Sizes.Gpu => [new(16 * Setting.GpuTokens, 31), new(16 * Setting.GpuTokens, 64), new(Setting.GpuTokens, 1024), new(8192, 32768)],
        Sizes.Smoke => [new(33, 31), new(5, 200)],
        _ => Shapes,
    };

    private static Action Prepared(Device device, Shape shape, Action<Tensor> call, DType dtype)
    {
        var x = Inputs.Normal(device, shape, dtype: dtype);
        return () => call(x);
    }
}
