using BenchmarkDotNet.Attributes;
using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Benchmarks;

/// <summary>N rows, I features in, O features out.</summary>
public sealed record LinearShape(int N, int I, int O) : IWorkload
{
    /// <summary>Projections, both feed-forward layers, and the rows of decoding steps.</summary>
    public static LinearShape[] All { get; } = [new(2048, 512, 512), new(2048, 512, 2048), new(2048, 2048, 512), new(1, 512, 512), new(8, 512, 2048), new(32, 512, 512)];

    /// <summary>The shapes of a size.</summary>
    public static IEnumerable<LinearShape> Of(Sizes sizes) => sizes switch
    {
        Sizes.Gpu => [new(Setting.GpuTokens, 1024, 1024), new(Setting.GpuTokens, 1024, 4096), new(Setting.GpuTokens, 4096, 1024)],
        Sizes.Smoke => [new(20, 32, 48)],
        _ => All,
    };

    public Work WorkOf(string method) => WorkOf(method, sizeof(float));

    public Work WorkOf(string method, int elementBytes)
    {
        var product = Work.OfProduct(N, O, I, elementBytes);
        return Passes.Of(method) == Pass.ForwardBackward ? new Work(3 * product.Flops, 3 * product.Bytes) : product;
    }

    public override string ToString() => $"[{N}, {I}] -> {O}";
}

/// <summary>The linear layer with its fused bias and activation, forward and with its backward.</summary>
public class LinearBenchmarks : IQuickBenchmarks
{
    private Device _device = null!;
    private Action _forward = null!;
    private Action _backward = null!;

    [ParamsSource(nameof(Shapes))]
    public LinearShape Shape { get; set; } = new(1, 1, 1);

    public static IEnumerable<LinearShape> Shapes => LinearShape.All;

    public IEnumerable<QuickCase> Cases(Setting setting)
    {
        var (sizes, dtype) = setting;
        foreach (var s in LinearShape.Of(sizes))
        {
            foreach (var activation in Enum.GetValues<Activation>())
                yield return new QuickCase($"Linear {s} {activation}", s.WorkOf("Forward", setting.ElementBytes), device => Forward(device, s, activation, dtype));
            if (s.N >= 1024 || sizes == Sizes.Smoke)
            {
                yield return new QuickCase(
                    $"Linear {s} Relu forward + backward", s.WorkOf("ForwardBackward", setting.ElementBytes), device => ForwardBackward(device, s, Activation.Relu, dtype));
            }
        }
    }

    [GlobalSetup]
    public void Setup()
    {
        _device = new CpuDevice();
        _forward = Forward(_device, Shape, Activation.Relu, DType.Float32);
        _backward = ForwardBackward(_device, Shape, Activation.Relu, DType.Float32);
    }

    [GlobalCleanup]
    public void Cleanup() => _device.Dispose();

    [Benchmark(Baseline = true)]
    public void ForwardRelu()
    {
        using var scope = TensorScope.Begin();
        _forward();
    }

    [Benchmark]
    public void ForwardBackwardRelu()
    {
        using var scope = TensorScope.Begin();
        _backward();
    }

    private static Action Forward(Device device, LinearShape s, Activation activation, DType dtype)
    {
        var x = Inputs.Normal(device, [s.N, s.I], dtype: dtype);
        var (weight, bias) = (Inputs.Normal(device, [s.O, s.I], 0.05f), Inputs.Normal(device, [s.O]));
        return () => Ops.Linear(x, weight, bias, activation);
    }

    private static Action ForwardBackward(Device device, LinearShape s, Activation activation, DType dtype)
    {
        var x = Inputs.Activation(device, [s.N, s.I], dtype);
        var (weight, bias) = (Inputs.Parameter(device, [s.O, s.I], 0.05f), Inputs.Parameter(device, [s.O]));
        var gradient = Inputs.Normal(device, [s.N, s.O], dtype: dtype);
        return () => Inputs.Differentiate(Ops.Linear(x, weight, bias, activation), gradient, x, weight, bias);
    }
}
