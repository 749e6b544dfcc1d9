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

    // Two products forward, five more backward; a causal query sees half of the keys on average.
    public Work WorkOf(string method)
    {
        double product = 2.0 * B * C * T * S * (Causal ? (T + 1.0) / (2 * T) : 1);
        bool backward = method.StartsWith("ForwardBackward", StringComparison.Ordinal);
        return new Work(product * (backward ? 7 : 2), 4.0 * B * C * ((2 * T) + (2 * S)) * (backward ? 3 : 1), (double)B * T);
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

    public IEnumerable<QuickCase> Cases
    {
        get
        {
            foreach (var s in AttentionShape.All)
            {
                yield return new QuickCase($"Attention {s}", s.WorkOf("Forward"), device => Forward(device, s));
                yield return new QuickCase($"Attention {s} forward + backward", s.WorkOf("ForwardBackward"), device => ForwardBackward(device, s));
            }

            foreach (var (n, m, length) in ((int, int, int)[])[(64, 64, 32), (5, 1, 32), (160, 32, 32), (160, 160, 128)])
                yield return StepCase(n, m, length);
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

    private static Action Forward(Device device, AttentionShape s)
    {
        var (q, k, v) = (Inputs.Normal(device, [s.B, s.T, s.C]), Inputs.Normal(device, [s.B, s.S, s.C]), Inputs.Normal(device, [s.B, s.S, s.C]));
        var random = s.Dropout > 0 ? new RandomSource(1) : null;
        return () => Ops.Attention(q, k, v, s.H, causal: s.Causal, dropout: s.Dropout, random: random);
    }

    private static Action ForwardBackward(Device device, AttentionShape s)
    {
        var q = Inputs.Normal(device, [s.B, s.T, s.C]).AsParameter();
        var k = Inputs.Normal(device, [s.B, s.S, s.C]).AsParameter();
        var v = Inputs.Normal(device, [s.B, s.S, s.C]).AsParameter();
        var gradient = Inputs.Normal(device, q.Shape);
        var random = s.Dropout > 0 ? new RandomSource(1) : null;
        return () =>
        {
            Ops.Attention(q, k, v, s.H, causal: s.Causal, dropout: s.Dropout, random: random).Backward(gradient);
            q.ZeroGrad();
            k.ZeroGrad();
            v.ZeroGrad();
        };
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
