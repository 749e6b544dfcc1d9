using BenchmarkDotNet.Attributes;
using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Benchmarks;

/// <summary>Layer normalisation forward and with its backward: bound by the bytes of x, y, dy and dx.</summary>
public class LayerNormBenchmarks : IQuickBenchmarks
{
    private Device _device = null!;
    private Action _forward = null!;
    private Action _backward = null!;

    [ParamsSource(nameof(Shapes))]
    public RowsShape Shape { get; set; } = new(1, 1);

    public static IEnumerable<RowsShape> Shapes => [new(4096, 256), new(4096, 512), new(16384, 512), new(4096, 1024), new(32, 512)];

    public IEnumerable<QuickCase> Cases
    {
        get
        {
            foreach (var s in Shapes)
            {
                yield return new QuickCase($"LayerNorm {s}", s.WorkOf(""), device => Forward(device, s));

                // Backward reads x and dy and writes dx: with the forward, five passes.
                yield return new QuickCase($"LayerNorm {s} forward + backward", new Work(0, 20.0 * s.N * s.C, s.N), device => ForwardBackward(device, s));
            }
        }
    }

    [GlobalSetup]
    public void Setup()
    {
        _device = new CpuDevice();
        _forward = Forward(_device, Shape);
        _backward = ForwardBackward(_device, Shape);
    }

    [GlobalCleanup]
    public void Cleanup() => _device.Dispose();

    [Benchmark(Baseline = true)]
    public void LayerNorm()
    {
        using var scope = TensorScope.Begin();
        _forward();
    }

    [Benchmark]
    public void LayerNormBackward()
    {
        using var scope = TensorScope.Begin();
        _backward();
    }

    private static Action Forward(Device device, RowsShape s)
    {
        var (x, gain, bias) = (Inputs.Normal(device, [s.N, s.C]), Inputs.Normal(device, [s.C]), Inputs.Normal(device, [s.C]));
        return () => Ops.LayerNorm(x, gain, bias);
    }

    private static Action ForwardBackward(Device device, RowsShape s)
    {
        var x = Inputs.Normal(device, [s.N, s.C]).AsParameter();
        var gain = Inputs.Normal(device, [s.C]).AsParameter();
        var bias = Inputs.Normal(device, [s.C]).AsParameter();
        var gradient = Inputs.Normal(device, x.Shape);
        return () =>
        {
            Ops.LayerNorm(x, gain, bias).Backward(gradient);
            x.ZeroGrad();
            gain.ZeroGrad();
            bias.ZeroGrad();
        };
    }
}
