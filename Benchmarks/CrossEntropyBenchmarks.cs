using BenchmarkDotNet.Attributes;
using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Benchmarks;

/// <summary>N rows of C channels against V classes.</summary>
public sealed record CrossEntropyShape(int N, int C, int V) : IWorkload
{
    /// <summary>A batch against a small and a large vocabulary.</summary>
    public static CrossEntropyShape[] All { get; } = [new(2048, 256, 8000), new(4096, 512, 8000), new(2048, 512, 32000)];

    // The exponentials are left out: the products are what limits this op.
    public Work WorkOf(string method)
    {
        var product = Work.OfProduct(N, V, C);
        int products = method == nameof(CrossEntropyBenchmarks.ForwardBackward) ? 3 : 1;
        return new Work(products * product.Flops, products * 4.0 * C * ((double)N + V), N);
    }

    public override string ToString() => $"[{N}, {C}] -> {V}";
}

/// <summary>The vocabulary projection with its label-smoothed cross-entropy: evaluation, and with all gradients.</summary>
public class CrossEntropyBenchmarks : IQuickBenchmarks
{
    private Device _device = null!;
    private Action _forward = null!;
    private Action _backward = null!;

    [ParamsSource(nameof(Shapes))]
    public CrossEntropyShape Shape { get; set; } = new(1, 1, 1);

    public static IEnumerable<CrossEntropyShape> Shapes => CrossEntropyShape.All;

    public IEnumerable<QuickCase> Cases => CrossEntropyShape.All.SelectMany(s => (QuickCase[])
    [
        new($"CrossEntropy {s}", s.WorkOf(nameof(Forward)), device => Prepare(device, s, gradients: false)),
        new($"CrossEntropy {s} forward + backward", s.WorkOf(nameof(ForwardBackward)), device => Prepare(device, s, gradients: true)),
    ]);

    [GlobalSetup]
    public void Setup()
    {
        _device = new CpuDevice();
        _forward = Prepare(_device, Shape, gradients: false);
        _backward = Prepare(_device, Shape, gradients: true);
    }

    [GlobalCleanup]
    public void Cleanup() => _device.Dispose();

    [Benchmark(Baseline = true)]
    public void Forward()
    {
        using var scope = TensorScope.Begin();
        _forward();
    }

    [Benchmark]
    public void ForwardBackward()
    {
        using var scope = TensorScope.Begin();
        _backward();
    }

    private static Action Prepare(Device device, CrossEntropyShape s, bool gradients)
    {
        var x = Inputs.Normal(device, [s.N, s.C]);
        var weight = Inputs.Normal(device, [s.V, s.C], 0.05f);
        int[] ids = new int[s.N];
        for (int n = 0; n < ids.Length; n++)
            ids[n] = (int)(n * 2654435761L % s.V);
        var targets = Tensor.From(device, ids);
        if (!gradients)
            return () => Ops.CrossEntropy(x, weight, targets, 0.1f);
        x.AsParameter();
        weight.AsParameter();
        return () =>
        {
            Ops.CrossEntropy(x, weight, targets, 0.1f).Loss.Backward();
            x.ZeroGrad();
            weight.ZeroGrad();
        };
    }
}
