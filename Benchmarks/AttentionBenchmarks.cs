using BenchmarkDotNet.Attributes;
using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Benchmarks;

/// <summary>B sequences of T queries and S keys, C channels in H heads.</summary>
public sealed record AttentionShape(int B, int T, int S, int C, int H, bool Causal = false, float Dropout = 0) : IWorkload
{
    /// <summary>About 4096 queries each, from sentences to documents; heads of 32, 64 and 128 channels.</summary>
    public static AttentionShape[] All { get; } =
    [
        new(170, 24, 24, 512, 8), new(64, 64, 64, 512, 8), new(64, 64, 64, 512, 8, Causal: true), new(64, 64, 64, 512, 8, Dropout: 0.1f), new(64, 64, 64, 256, 8),
        new(32, 128, 128, 1024, 8), new(16, 256, 256, 512, 8), new(16, 256, 256, 512, 8, Causal: true), new(4, 1024, 1024, 512, 8),
    ];

    /// <summary>The shapes of a size.</summary>
    public static IEnumerable<AttentionShape> Of(Sizes sizes) => sizes switch
    {
        Sizes.Gpu => from t in (int[])[32, 64, 128, 256, 512] from causal in (bool[])[false, true] select new AttentionShape(Setting.GpuTokens / t, t, t, 1024, 16, causal),
        Sizes.Smoke => [new(2, 9, 9, 64, 2), new(2, 9, 9, 64, 2, Causal: true)],
        _ => All,
    };

    public Work WorkOf(string method) => WorkOf(method, sizeof(float));

    // Two products forward, five more backward; a causal query sees half of the keys on average.
    public Work WorkOf(string method, int elementBytes)
    {
        double product = 2.0 * B * C * T * S * (Causal ? (T + 1.0) / (2 * T) : 1);
        var (products, passes) = Passes.Of(method) switch
        {
            Pass.Forward => (2, 1),
            Pass.Backward => (5, 2),
            _ => (7, 3),
        };
        return new Work(product * products, (double)elementBytes * B * C * ((2 * T) + (2 * S)) * passes, (double)B * T);
    }

    public override string ToString() => $"B={B} T={T} S={S} C={C} H={H}{(Causal ? " causal" : "")}{(Dropout > 0 ? " dropout" : "")}";
}

/// <summary>Multi-head attention forward, with its backward, and one decoding step over a cache.</summary>
public class AttentionBenchmarks : IQuickBenchmarks
{
    private Device _device = null!;
    private Action _forward = null!;
    private Action _backward = null!;

    [ParamsSource(nameof(Shapes))]
    public AttentionShape Shape { get; set; } = AttentionShape.All[0];

    public static IEnumerable<AttentionShape> Shapes => AttentionShape.All;

    public IEnumerable<QuickCase> Cases(Setting setting)
    {
        var (sizes, dtype) = setting;
        foreach (var s in AttentionShape.Of(sizes))
        {
            yield return new QuickCase($"Attention {s}", s.WorkOf("Forward", setting.ElementBytes), device => Forward(device, s, dtype));
            if (setting.HasBackwardAlone)
                yield return new QuickCase($"Attention {s} backward", s.WorkOf("Backward", setting.ElementBytes), device => Backward(device, s, dtype));
            yield return new QuickCase($"Attention {s} forward + backward", s.WorkOf("ForwardBackward", setting.ElementBytes), device => ForwardBackward(device, s, dtype));
        }

        if (sizes != Sizes.Processor)
            yield break;
        foreach (var (n, m, length) in ((int, int, int)[])[(64, 64, 32), (5, 1, 32), (160, 32, 32), (160, 160, 128)])
            yield return StepCase(n, m, length);
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

    private static Action Forward(Device device, AttentionShape s, DType dtype)
    {
        var (q, k, v) = Operands(device, s, dtype);
        var random = s.Dropout > 0 ? new RandomSource(1) : null;
        return () => Ops.Attention(q, k, v, s.H, causal: s.Causal, dropout: s.Dropout, random: random);
    }

    private static (Tensor Q, Tensor K, Tensor V) Operands(Device device, AttentionShape s, DType dtype)
        => (Inputs.Normal(device, [s.B, s.T, s.C], dtype: dtype), Inputs.Normal(device, [s.B, s.S, s.C], dtype: dtype), Inputs.Normal(device, [s.B, s.S, s.C], dtype: dtype));

    private static (Tensor Q, Tensor K, Tensor V) Activations(Device device, AttentionShape s, DType dtype)
        => (Inputs.Activation(device, [s.B, s.T, s.C], dtype), Inputs.Activation(device, [s.B, s.S, s.C], dtype), Inputs.Activation(device, [s.B, s.S, s.C], dtype));

    private static Action Backward(Device device, AttentionShape s, DType dtype)
    {
        var (q, k, v) = Activations(device, s, dtype);
        return Inputs.Backward(Ops.Attention(q, k, v, s.H, causal: s.Causal), q, k, v);
    }

    private static Action ForwardBackward(Device device, AttentionShape s, DType dtype)
    {
        var (q, k, v) = Activations(device, s, dtype);
        var gradient = Inputs.Normal(device, q.Shape, dtype: dtype);
        var random = s.Dropout > 0 ? new RandomSource(1) : null;
        return () => Inputs.Differentiate(Ops.Attention(q, k, v, s.H, causal: s.Causal, dropout: s.Dropout, random: random), gradient, q, k, v);
    }

    private static QuickCase StepCase(int n, int m, int length)
    {
        const int Width = 512, Heads = 8;
        return new QuickCase(
            $"AttentionStep N={n} M={m} S={length} C={Width} H={Heads}",
            new Work(4.0 * n * length * Width, 4.0 * Width * ((2.0 * m * length) + (2 * n)), n),
            device =>
            {
                var (q, keys, values) = (Inputs.Normal(device, [n, Width]), Inputs.Normal(device, [m, length, Width]), Inputs.Normal(device, [m, length, Width]));
                return () => Ops.AttentionStep(q, keys, values, Heads);
            });
    }
}
