using BenchmarkDotNet.Attributes;
using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Benchmarks;

/// <summary>The linear layer on integers of 8 bits, beside the one on floats; the shapes are those of decoding, where it is used, and of whole sentences.</summary>
public class QuantizedLinearBenchmarks : IQuickBenchmarks
{
    private Device _device = null!;
    private Action _floats = null!;
    private Action _integers = null!;

    [ParamsSource(nameof(Shapes))]
    public LinearShape Shape { get; set; } = new(1, 1, 1);

    public static IEnumerable<LinearShape> Shapes =>
        [new(1, 256, 1024), new(1, 256, 8000), new(32, 256, 256), new(32, 256, 1024), new(32, 1024, 256), new(32, 512, 512), new(32, 256, 8000), new(64, 256, 256), new(2048, 512, 512), new(2048, 512, 2048)];

    public IEnumerable<QuickCase> Cases(Setting setting)
    {
        foreach (var s in setting.Sizes == Sizes.Processor ? Shapes : LinearShape.Of(setting.Sizes))
        {
            yield return new QuickCase($"QuantizedLinear {s} floats", s.WorkOf("Forward", setting.ElementBytes), device => Forward(device, s, setting.DType, quantized: false));
            yield return new QuickCase($"QuantizedLinear {s}", s.WorkOf("Forward", setting.ElementBytes), device => Forward(device, s, setting.DType, quantized: true));
        }
    }

    [GlobalSetup]
    public void Setup()
    {
        _device = new CpuDevice();
        _floats = Forward(_device, Shape, DType.Float32, quantized: false);
        _integers = Forward(_device, Shape, DType.Float32, quantized: true);
    }

    [GlobalCleanup]
    public void Cleanup() => _device.Dispose();

    [Benchmark(Baseline = true)]
    public void Floats()
    {
        using var scope = TensorScope.Begin();
        _floats();
    }

    [Benchmark]
    public void Integers()
    {
        using var scope = TensorScope.Begin();
        _integers();
    }

    private static Action Forward(Device device, LinearShape s, DType dtype, bool quantized)
    {
        var x = Inputs.Normal(device, [s.N, s.I], dtype: dtype);
        var (weight, bias) = (Inputs.Normal(device, [s.O, s.I], 0.05f), Inputs.Normal(device, [s.O]));
        weight.IsQuantized = quantized;
        return () => Ops.Linear(x, weight, bias);
    }
}
