using BenchmarkDotNet.Attributes;
using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Benchmarks;

/// <summary>
/// Residual, dropout and layer normalisation in one op, forward and with its backward: bound by the bytes of x, the residual, their sum, y, and the gradients.
/// </summary>
public class DropoutAddLayerNormBenchmarks : IQuickBenchmarks
{
    private const float DropProbability = 0.1f;

    private Device _device = null!;
    private Action _forward = null!;
    private Action _backward = null!;

    [ParamsSource(nameof(Shapes))]
    public RowsShape Shape { get; set; } = new(1, 1);

    public static IEnumerable<RowsShape> Shapes => [new(4096, 256), new(4096, 512), new(16384, 512), new(4096, 1024), new(32, 512)];

    public IEnumerable<QuickCase> Cases(Setting setting)
    {
        var dtype = setting.DType;
        foreach (var s in Of(setting.Sizes))
        {
            // Backward reads the sum and dy and writes dx and the residual's gradient: with a forward that also writes the sum, eight passes.
            double pass = (double)setting.ElementBytes * s.N * s.C;
            yield return new QuickCase($"DropoutAddLayerNorm {s}", new Work(0, 3 * pass, s.N), device => Forward(device, s, dtype));
            if (setting.HasBackwardAlone)
                yield return new QuickCase($"DropoutAddLayerNorm {s} backward", new Work(0, 4 * pass, s.N), device => Backward(device, s, dtype));
            yield return new QuickCase($"DropoutAddLayerNorm {s} forward + backward", new Work(0, 8 * pass, s.N), device => ForwardBackward(device, s, dtype));
        }
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
    public void DropoutAddLayerNorm()
    {
        using var scope = TensorScope.Begin();
        _forward();
    }

    [Benchmark]
    public void DropoutAddLayerNormBackward()
    {
        using var scope = TensorScope.Begin();
        _backward();
    }

    private static IEnumerable<RowsShape> Of(Sizes sizes) => sizes switch
    {
        Sizes.Gpu => [new(Setting.GpuTokens, 512), new(Setting.GpuTokens, 1024)],
        Sizes.Smoke => [new(33, 64)],
        _ => Shapes,
    };

    private static (Tensor X, Tensor Residual, Tensor Gain, Tensor Bias) Differentiable(Device device, RowsShape s, DType dtype)
        => (Inputs.Activation(device, [s.N, s.C], dtype), Inputs.Activation(device, [s.N, s.C], dtype), Inputs.Parameter(device, [s.C]), Inputs.Parameter(device, [s.C]));

    private static Action Forward(Device device, RowsShape s, DType dtype)
    {
        Tensor x = Inputs.Normal(device, [s.N, s.C], dtype: dtype), residual = Inputs.Normal(device, [s.N, s.C], dtype: dtype);
        Tensor gain = Inputs.Normal(device, [s.C]), bias = Inputs.Normal(device, [s.C]);
        var random = new RandomSource(1);
        return () => Ops.DropoutAddLayerNorm(x, residual, gain, bias, DropProbability, random);
    }

    private static Action Backward(Device device, RowsShape s, DType dtype)
    {
        var (x, residual, gain, bias) = Differentiable(device, s, dtype);
        return Inputs.Backward(Ops.DropoutAddLayerNorm(x, residual, gain, bias, DropProbability, new RandomSource(1)), x, residual, gain, bias);
    }

    private static Action ForwardBackward(Device device, RowsShape s, DType dtype)
    {
        var (x, residual, gain, bias) = Differentiable(device, s, dtype);
        var gradient = Inputs.Normal(device, x.Shape, dtype: dtype);
        var random = new RandomSource(1);
        return () => Inputs.Differentiate(Ops.DropoutAddLayerNorm(x, residual, gain, bias, DropProbability, random), gradient, x, residual, gain, bias);
    }
}
