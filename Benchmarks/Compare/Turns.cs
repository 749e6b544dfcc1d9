using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Benchmarks;

/// <summary>Times a case and each rival at it in turns, ours, theirs, ours, theirs, so that a machine that changes its clock changes it for both.</summary>
/// <param name="cpu">Computes ours.</param>
/// <param name="memory">The ceiling of memory.</param>
/// <param name="ceilings">What is at all possible.</param>
/// <param name="rounds">Turns.</param>
internal sealed class Turns(CpuDevice cpu, MemoryCeiling memory, Ceilings ceilings, int rounds)
{
    /// <summary>Outputs that differ by more, of the largest, are not of the same function: sums of thousands of products in another order differ by less.</summary>
    public const double Tolerance = 1e-4;

    private const double SampleSeconds = 0.02;
    private const int WarmUps = 3;

    /// <summary>Measures a case.</summary>
    /// <exception cref="InvalidDataException">A rival ended.</exception>
    public CompareResult Measure(CompareCase c, IReadOnlyList<Rival> rivals)
    {
        using var scope = TensorScope.Begin();
        var contender = c.Prepare(cpu);
        float[][] outputs;
        using (TensorScope.Begin())
            outputs = contender.Outputs();
        bool bound = c.Work.BoundByMemory(ceilings);
        double before = Ceiling(bound);
        var own = new List<double>();
        var results = new List<RivalResult>();
        foreach (var rival in rivals)
        {
            foreach (string variant in c.Variants.Count > 0 ? c.Variants : [""])
            {
                if (Against(c, contender, outputs, rival, variant, own) is { } result)
                    results.Add(result);
            }
        }

        if (own.Count == 0)
        {
            int repetitions = Repetitions(n => QuickRun.Sample(contender.Call, Clock.Wall, n));
            for (int i = 0; i < rounds; i++)
                own.Add(QuickRun.Sample(contender.Call, Clock.Wall, repetitions));
        }

        var seconds = Spread.Of(own);
        double ceiling = (before + Ceiling(bound)) / 2;
        return new CompareResult(c, seconds, bound, (bound ? c.Work.Bytes : c.Work.Flops) / seconds.Median / 1e9 / ceiling, results);
    }

    private RivalResult? Against(CompareCase c, Contender contender, float[][] outputs, Rival rival, string variant, List<double> own)
    {
        var order = c.Order.DeepClone().AsObject();
        if (variant.Length > 0)
            order["variant"] = variant;
        if (rival.Prepare(order) is not { } theirs)
            return null;
        double difference = Difference(outputs, theirs);
        if (!(difference <= Tolerance))
            return new RivalResult(rival.Name, variant, difference, null, null);
        int ours = Repetitions(n => QuickRun.Sample(contender.Call, Clock.Wall, n)), its = Repetitions(rival.Sample);
        double[] seconds = new double[rounds], ratios = new double[rounds];
        for (int i = 0; i < rounds; i++)
        {
            double mine = QuickRun.Sample(contender.Call, Clock.Wall, ours);
            own.Add(mine);
            seconds[i] = rival.Sample(its);
            ratios[i] = seconds[i] / mine;
        }

        return new RivalResult(rival.Name, variant, difference, Spread.Of(seconds), Spread.Of(ratios));
    }

    private static int Repetitions(Func<int, double> sample)
    {
        double once = double.PositiveInfinity;
        for (int i = 0; i < WarmUps; i++)
            once = Math.Min(once, sample(1));
        return (int)Math.Clamp(SampleSeconds / once, 1, 1_000_000);
    }

    /// <summary>The largest difference of an output, of its largest number; not a number where there are not as many.</summary>
    /// <param name="ours">The outputs.</param>
    /// <param name="theirs">The same, one behind the other.</param>
    internal static double Difference(float[][] ours, ReadOnlySpan<float> theirs)
    {
        if (ours.Sum(o => o.Length) != theirs.Length)
            return double.NaN;
        double worst = 0;
        foreach (float[] output in ours)
        {
            double largest = 0, difference = 0;
            for (int i = 0; i < output.Length; i++)
            {
                largest = Math.Max(largest, Math.Abs(output[i]));
                difference = Math.Max(difference, Math.Abs((double)output[i] - theirs[i]));
            }

            worst = Math.Max(worst, largest == 0 ? difference : difference / largest);
            theirs = theirs[output.Length..];
        }

        return worst;
    }

    private double Ceiling(bool bound) => Enumerable.Range(0, 3).Max(_ => bound ? memory.Copy() : Ceilings.FmaPeak(cpu, Clock.Wall, 5));
}
