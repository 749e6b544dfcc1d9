using BenchmarkDotNet.Attributes;
using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Benchmarks;

/// <summary>Lightweight convolution forward, with its backward, and one decoding step; the depthwise convolution beside it.</summary>
public class LightConvBenchmarks : IQuickBenchmarks
{
    private Device _device = null!;
    private Action _forward = null!;
    private Action _backward = null!;

    [ParamsSource(nameof(Shapes))]
    public ConvShape Shape { get; set; } = ConvShape.All[0];

    public static IEnumerable<ConvShape> Shapes => ConvShape.All;

    public IEnumerable<QuickCase> Cases
    {
        get
        {
            foreach (var s in ConvShape.All)
            {
                yield return new QuickCase($"LightConv {s}", s.WorkOf("Forward"), device => Forward(device, s));
                yield return new QuickCase($"LightConv {s} forward + backward", s.WorkOf("ForwardBackward"), device => ForwardBackward(device, s));
            }

            foreach (int k in (int[])[3, 7, 31])
            {
                var s = new ConvShape(32, 64, 512, 512, k);
                yield return new QuickCase($"DepthwiseConv {s}", s.WorkOf("Forward"), device => Depthwise(device, s));
                yield return new QuickCase($"DepthwiseConv {s} forward + backward", s.WorkOf("ForwardBackward"), device => DepthwiseBackward(device, s));
            }

            foreach (var (n, k) in ((int, int)[])[(5, 31), (160, 7), (160, 31)])
                yield return StepCase(n, k);
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

    private static Action Forward(Device device, ConvShape s)
    {
        var (x, weight) = (Inputs.Normal(device, [s.B, s.T, s.C]), Inputs.Normal(device, [s.H, s.K]));
        var random = s.Drop > 0 ? new RandomSource(1) : null;
        return () => Ops.LightConv(x, weight, s.K / 2, dropConnect: s.Drop, random: random);
    }

    private static Action ForwardBackward(Device device, ConvShape s)
    {
        var (x, weight) = (Inputs.Normal(device, [s.B, s.T, s.C]).AsParameter(), Inputs.Normal(device, [s.H, s.K]).AsParameter());
        var gradient = Inputs.Normal(device, x.Shape);
        var random = s.Drop > 0 ? new RandomSource(1) : null;
        return () =>
        {
            Ops.LightConv(x, weight, s.K / 2, dropConnect: s.Drop, random: random).Backward(gradient);
            x.ZeroGrad();
            weight.ZeroGrad();
        };
    }

    private static Action Depthwise(Device device, ConvShape s)
    {
        var (x, weight, bias) = (Inputs.Normal(device, [s.B, s.T, s.C]), Inputs.Normal(device, [s.C, s.K]), Inputs.Normal(device, [s.C]));
        return () => Ops.DepthwiseConv(x, weight, bias, s.K / 2);
    }

    private static Action DepthwiseBackward(Device device, ConvShape s)
    {
        var (x, weight) = (Inputs.Normal(device, [s.B, s.T, s.C]).AsParameter(), Inputs.Normal(device, [s.C, s.K]).AsParameter());
        var bias = Inputs.Normal(device, [s.C]).AsParameter();
        var gradient = Inputs.Normal(device, x.Shape);
        return () =>
        {
            Ops.DepthwiseConv(x, weight, bias, s.K / 2).Backward(gradient);
            x.ZeroGrad();
            weight.ZeroGrad();
            bias.ZeroGrad();
        };
    }

    private static QuickCase StepCase(int n, int k)
    {
        const int Width = 512, Heads = 8;
        return new QuickCase(
            $"LightConvStep N={n} C={Width} H={Heads} K={k}",
            new Work(2.0 * n * Width * k, 4.0 * n * Width * (k + 3), n),
            device =>
            {
                var (x, weight, window) = (Inputs.Normal(device, [n, Width]), Inputs.Normal(device, [Heads, k]), Inputs.Normal(device, [n, k, Width]));
                int step = k;
                return () => Ops.LightConvStep(x, weight, window, step++);
            });
    }
}
