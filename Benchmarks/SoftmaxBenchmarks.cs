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

    public IEnumerable<QuickCase> Cases
    {
        get
        {
            foreach (var s in Shapes)
            {
                yield return Case($"Softmax {s}", s, x => Ops.Softmax(x));
                yield return Case($"LogSoftmax {s}", s, x => Ops.LogSoftmax(x));
                yield return new QuickCase($"Softmax {s} forward + backward", new Work(0, 3 * s.WorkOf("").Bytes, s.N), device =>
                {
                    var x = Inputs.Normal(device, [s.N, s.C]).AsParameter();
                    var gradient = Inputs.Normal(device, x.Shape);
                    return () =>
                    {
                        Ops.Softmax(x).Backward(gradient);
                        x.ZeroGrad();
                    };
                });
            }

            foreach (var (n, v, k) in ((int, int, int)[])[(32, 8000, 10), (160, 8000, 10), (32, 32000, 8), (8, 50000, 300)])
                yield return new QuickCase($"TopK {k} of [{n}, {v}]", new Work(0, 4.0 * n * v, n), device => Prepared(device, [n, v], x => Ops.TopK(x, k)));
            yield return new QuickCase("ArgMax [32, 8000]", new Work(0, 4.0 * 32 * 8000, 32), device => Prepared(device, [32, 8000], x => Ops.ArgMax(x)));
        }
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

    private static QuickCase Case(string name, RowsShape s, Action<Tensor> call) => new(name, s.WorkOf(""), device => Prepared(device, [s.N, s.C], call));

    private static Action Prepared(Device device, Shape shape, Action<Tensor> call)
    {
        var x = Inputs.Normal(device, shape);
        return () => call(x);
    }
}
