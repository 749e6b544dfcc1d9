namespace CudaSeq.Benchmarks;

/// <summary>B sequences of T steps, C channels in H heads, K taps.</summary>
public sealed record ConvShape(int B, int T, int C, int H, int K, float Drop = 0) : IWorkload
{
    /// <summary>About 2048 columns each: the papers' filters, widths and heads, and one sequence from sentence to document length.</summary>
    public static ConvShape[] All { get; } =
    [
        new(32, 64, 512, 8, 3), new(32, 64, 512, 8, 7), new(32, 64, 512, 8, 15), new(32, 64, 512, 8, 31), new(32, 64, 512, 8, 63),
        new(32, 64, 512, 8, 31, Drop: 0.1f), new(32, 64, 512, 4, 31), new(32, 64, 1024, 16, 31), new(32, 64, 256, 4, 7),
        new(128, 16, 512, 8, 31), new(2, 1024, 512, 8, 31), new(1, 64, 512, 8, 31),
    ];

    /// <summary>The numbers in the tensor of logits, which a lightweight convolution does not have.</summary>
    public double Logits => (double)B * T * H * K;

    /// <summary>The shapes of a size.</summary>
    public static IEnumerable<ConvShape> Of(Sizes sizes) => sizes switch
    {
        Sizes.Gpu => from t in (int[])[64, 512] from k in (int[])[3, 7, 15, 31, 63] select new ConvShape(Setting.GpuTokens / t, t, 1024, 16, k),
        Sizes.Smoke => [new(2, 20, 32, 2, 3), new(2, 20, 32, 2, 15)],
        _ => All,
    };

    public Work WorkOf(string method) => WorkOf(method, logits: 0);

    /// <summary>
    /// Only taps that meet a step count; backward takes two products. Forward reads x and writes y, backward reads x and dy and writes dx; logits are read by both
    /// and their gradient is written.
    /// </summary>
    /// <param name="method">Begins with Forward, Backward or ForwardBackward, by what is part of it.</param>
    /// <param name="logits">Numbers in the tensor of logits; 0 where the taps stand still.</param>
    /// <param name="elementBytes">Bytes of a number.</param>
    public Work WorkOf(string method, double logits, int elementBytes = sizeof(float))
    {
        double meetings = 0;
        for (int k = 0; k < K; k++)
            meetings += Math.Max(0, T - Math.Abs(k - (K / 2)));
        double columns = (double)B * T * C;
        var (products, passes, logitPasses) = Passes.Of(method) switch
        {
            Pass.Forward => (1, 2, 1),
            Pass.Backward => (2, 3, 2),
            _ => (3, 5, 3),
        };
        return new Work(2.0 * B * C * meetings * products, elementBytes * ((columns * passes) + (logits * logitPasses)), (double)B * T);
    }

    public override string ToString() => $"B={B} T={T} C={C} H={H} K={K}{(Drop > 0 ? " dropconnect" : "")}";
}
