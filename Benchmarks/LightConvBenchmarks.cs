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

    public IEnumerable<QuickCase> Cases(Setting setting)
    {
        var (sizes, dtype) = setting;
        foreach (var s in ConvShape.Of(sizes))
        {
            yield return new QuickCase($"LightConv {s}", s.WorkOf("Forward", 0, setting.ElementBytes), device => Forward(device, s, dtype));
            if (setting.HasBackwardAlone)
                yield return new QuickCase($"LightConv {s} backward", s.WorkOf("Backward", 0, setting.ElementBytes), device => Backward(device, s, dtype));
            yield return new QuickCase(
                $"LightConv {s} forward + backward", s.WorkOf("ForwardBackward", 0, setting.ElementBytes), device => ForwardBackward(device, s, dtype));
        }

        if (sizes != Sizes.Processor)
            yield break;
        foreach (int k in (int[])[3, 7, 31])
        {
            var s = new ConvShape(32, 64, 512, 512, k);
            yield return new QuickCase($"DepthwiseConv {s}", s.WorkOf("Forward"), device => Depthwise(device, s));
            yield return new QuickCase($"DepthwiseConv {s} forward + backward", s.WorkOf("ForwardBackward"), device => DepthwiseBackward(device, s));
        }

        foreach (var (n, k) in ((int, int)[])[(5, 31), (160, 7), (160, 31)])
            yield return StepCase(n, k);
    }

    [GlobalSetup]
    public void Setup()
    {
        _device = new CpuDevice();
        _forward = Forward(_device, Shape, DType.Float32);
        _backward = ForwardBackward(_device, Shape, DType.Float32);
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

    private static Action Forward(Device device, ConvShape s, DType dtype)
    {
        var (x, weight) = (Inputs.Normal(device, [s.B, s.T, s.C], dtype: dtype), Inputs.Normal(device, [s.H, s.K]));
        var random = s.Drop > 0 ? new RandomSource(1) : null;
        return () => Ops.LightConv(x, weight, s.K / 2, dropConnect: s.Drop, random: random);
    }

    private static Action Backward(Device device, ConvShape s, DType dtype)
    {
        var (x, weight) = (Inputs.Activation(device, [s.B, s.T, s.C], dtype), Inputs.Parameter(device, [s.H, s.K]));
        return Inputs.Backward(Ops.LightConv(x, weight, s.K / 2), x, weight);
    }

    private static Action ForwardBackward(Device device, ConvShape s, DType dtype)
    {
        var (x, weight) = (Inputs.Activation(device, [s.B, s.T, s.C], dtype), Inputs.Parameter(device, [s.H, s.K]));
        var gradient = Inputs.Normal(device, x.Shape, dtype: dtype);
        var random = s.Drop > 0 ? new RandomSource(1) : null;
        return () => Inputs.Differentiate(Ops.LightConv(x, weight, s.K / 2, dropConnect: s.Drop, random: random), gradient, x, weight);
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
                var positions = Tensor.From(device, [.. Enumerable.Repeat(k, n)]);
                return () => Ops.LightConvStep(x, weight, window, positions);
            });
    }
}
