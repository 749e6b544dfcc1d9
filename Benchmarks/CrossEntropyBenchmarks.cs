using BenchmarkDotNet.Attributes;
using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Benchmarks;

/// <summary>N rows of C channels against V classes.</summary>
public sealed record CrossEntropyShape(int N, int C, int V) : IWorkload
{
    /// <summary>A batch against a small and a large vocabulary.</summary>
    public static CrossEntropyShape[] All { get; } = [new(2048, 256, 8000), new(4096, 512, 8000), new(2048, 512, 32000)];

    /// <summary>The shapes of a size.</summary>
    public static IEnumerable<CrossEntropyShape> Of(Sizes sizes) => sizes switch
    {
        Sizes.Gpu => [new(Setting.GpuTokens, 1024, 32768)],
        Sizes.Smoke => [new(20, 32, 50)],
        _ => All,
    };

    public Work WorkOf(string method) => WorkOf(method, sizeof(float));

    // The exponentials are left out: the products are what limits this op.
    public Work WorkOf(string method, int elementBytes)
    {
        var product = Work.OfProduct(N, V, C);
        int products = Passes.Of(method) == Pass.ForwardBackward ? 3 : 1;
        return new Work(products * product.Flops, products * (double)elementBytes * C * ((double)N + V), N);
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

    public IEnumerable<QuickCase> Cases(Setting setting) => CrossEntropyShape.Of(setting.Sizes).SelectMany(s => (QuickCase[])
    [
        new($"CrossEntropy {s}", s.WorkOf(nameof(Forward), setting.ElementBytes), device => Prepare(device, s, gradients: false, setting.DType)),
        new(
            $"CrossEntropy {s} forward + backward",
            s.WorkOf(nameof(ForwardBackward), setting.ElementBytes),
            device => Prepare(device, s, gradients: true, setting.DType)),
    ]);

    [GlobalSetup]
    public void Setup()
    {
        _device = new CpuDevice();
        _forward = Prepare(_device, Shape, gradients: false, DType.Float32);
        _backward = Prepare(_device, Shape, gradients: true, DType.Float32);
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

    private static Action Prepare(Device device, CrossEntropyShape s, bool gradients, DType dtype)
    {
        var targets = Inputs.Tokens(device, [s.N], s.V);
        if (!gradients)
        {
            var (features, table) = (Inputs.Normal(device, [s.N, s.C], dtype: dtype), Inputs.Normal(device, [s.V, s.C], 0.05f));
            return () => Ops.CrossEntropy(features, table, targets, 0.1f);
        }

        var (x, weight) = (Inputs.Activation(device, [s.N, s.C], dtype), Inputs.Parameter(device, [s.V, s.C], 0.05f));
        return () => Inputs.Differentiate(Ops.CrossEntropy(x, weight, targets, 0.1f).Loss, null, x, weight);
    }
}
