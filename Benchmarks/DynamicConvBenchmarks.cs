using BenchmarkDotNet.Attributes;
using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Benchmarks;

/// <summary>Dynamic convolution forward, with its backward, and one decoding step.</summary>
public class DynamicConvBenchmarks : IQuickBenchmarks
{
    private Device _device = null!;
    private Action _forward = null!;
    private Action _backward = null!;

    [ParamsSource(nameof(Shapes))]
    public DynamicConvShape Shape { get; set; } = new(ConvShape.All[0]);

    public static IEnumerable<DynamicConvShape> Shapes => ConvShape.All.Select(s => new DynamicConvShape(s));

    public IEnumerable<QuickCase> Cases(Setting setting)
    {
        var (sizes, dtype) = setting;
        foreach (var s in ConvShape.Of(sizes))
        {
            yield return new QuickCase($"DynamicConv {s}", s.WorkOf("Forward", s.Logits, setting.ElementBytes), device => Forward(device, s, dtype));
            if (setting.HasBackwardAlone)
                yield return new QuickCase($"DynamicConv {s} backward", s.WorkOf("Backward", s.Logits, setting.ElementBytes), device => Backward(device, s, dtype));
            yield return new QuickCase(
                $"DynamicConv {s} forward + backward", s.WorkOf("ForwardBackward", s.Logits, setting.ElementBytes), device => ForwardBackward(device, s, dtype));
        }

        if (sizes != Sizes.Processor)
            yield break;
        foreach (var (n, k) in ((int, int)[])[(5, 31), (160, 7), (160, 31)])
            yield return StepCase(n, k);
    }

    [GlobalSetup]
    public void Setup()
    {
        _device = new CpuDevice();
        _forward = Forward(_device, Shape.Sizes, DType.Float32);
        _backward = ForwardBackward(_device, Shape.Sizes, DType.Float32);
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
        var (x, logits) = (Inputs.Normal(device, [s.B, s.T, s.C], dtype: dtype), Inputs.Normal(device, [s.B, s.T, s.H * s.K], dtype: dtype));
        var random = s.Drop > 0 ? new RandomSource(1) : null;
        return () => Ops.DynamicConv(x, logits, s.H, s.K / 2, dropConnect: s.Drop, random: random);
    }

    private static Action Backward(Device device, ConvShape s, DType dtype)
    {
        var x = Inputs.Activation(device, [s.B, s.T, s.C], dtype);
        var logits = Inputs.Activation(device, [s.B, s.T, s.H * s.K], dtype);
        return Inputs.Backward(Ops.DynamicConv(x, logits, s.H, s.K / 2), x, logits);
    }

    private static Action ForwardBackward(Device device, ConvShape s, DType dtype)
    {
        var x = Inputs.Activation(device, [s.B, s.T, s.C], dtype);
        var logits = Inputs.Activation(device, [s.B, s.T, s.H * s.K], dtype);
        var gradient = Inputs.Normal(device, x.Shape, dtype: dtype);
        var random = s.Drop > 0 ? new RandomSource(1) : null;
        return () => Inputs.Differentiate(Ops.DynamicConv(x, logits, s.H, s.K / 2, dropConnect: s.Drop, random: random), gradient, x, logits);
    }

    private static QuickCase StepCase(int n, int k)
    {
        const int Width = 512, Heads = 8;
        return new QuickCase(
            $"DynamicConvStep N={n} C={Width} H={Heads} K={k}",
            new Work(2.0 * n * Width * k, 4.0 * n * ((Width * (k + 3.0)) + (Heads * k)), n),
            device =>
            {
                var (x, logits, window) = (Inputs.Normal(device, [n, Width]), Inputs.Normal(device, [n, Heads * k]), Inputs.Normal(device, [n, k, Width]));
                var positions = Tensor.From(device, [.. Enumerable.Repeat(k, n)]);
                return () => Ops.DynamicConvStep(x, logits, Heads, window, positions);
            });
    }
}

/// <summary>The sizes of a convolution whose logits are a tensor to read.</summary>
public sealed record DynamicConvShape(ConvShape Sizes) : IWorkload
{
    public Work WorkOf(string method) => Sizes.WorkOf(method, Sizes.Logits);

    public override string ToString() => Sizes.ToString();
}
