using BenchmarkDotNet.Attributes;
using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Benchmarks;

/// <summary>N rows, I features in, O features out.</summary>
public sealed record LinearShape(int N, int I, int O) : IWorkload
{
    /// <summary>Projections, both feed-forward layers, and the rows of decoding steps.</summary>
    public static LinearShape[] All { get; } = [new(2048, 512, 512), new(2048, 512, 2048), new(2048, 2048, 512), new(1, 512, 512), new(8, 512, 2048), new(32, 512, 512)];

    public Work WorkOf(string method)
    {
        var product = Work.OfProduct(N, O, I);
        return method.StartsWith("ForwardBackward", StringComparison.Ordinal) ? new Work(3 * product.Flops, 3 * product.Bytes) : product;
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

    public IEnumerable<QuickCase> Cases
    {
        get
        {
            foreach (var s in LinearShape.All)
            {
                foreach (var activation in Enum.GetValues<Activation>())
                    yield return new QuickCase($"Linear {s} {activation}", s.WorkOf("Forward"), device => Forward(device, s, activation));
                if (s.N >= 1024)
                    yield return new QuickCase($"Linear {s} Relu forward + backward", s.WorkOf("ForwardBackward"), device => ForwardBackward(device, s, Activation.Relu));
            }
        }
    }

    [GlobalSetup]
    public void Setup()
    {
        _device = new CpuDevice();
        _forward = Forward(_device, Shape, Activation.Relu);
        _backward = ForwardBackward(_device, Shape, Activation.Relu);
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

    private static Action Forward(Device device, LinearShape s, Activation activation)
    {
        var x = Inputs.Normal(device, [s.N, s.I]);
        var weight = Inputs.Normal(device, [s.O, s.I], 0.05f);
        var bias = Inputs.Normal(device, [s.O]);
        return () => Ops.Linear(x, weight, bias, activation);
    }

    private static Action ForwardBackward(Device device, LinearShape s, Activation activation)
    {
        var x = Inputs.Normal(device, [s.N, s.I]).AsParameter();
        var weight = Inputs.Normal(device, [s.O, s.I], 0.05f).AsParameter();
        var bias = Inputs.Normal(device, [s.O]).AsParameter();
        var gradient = Inputs.Normal(device, [s.N, s.O]);
        return () =>
        {
            Ops.Linear(x, weight, bias, activation).Backward(gradient);
            x.ZeroGrad();
            weight.ZeroGrad();
            bias.ZeroGrad();
        };
    }
}
