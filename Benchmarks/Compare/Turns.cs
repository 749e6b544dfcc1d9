using CudaSeq.Tensors;

namespace CudaSeq.Benchmarks;

/// <summary>Times a case and each rival at it in turns, ours, theirs, ours, theirs, so that a machine that changes its clock changes it for both.</summary>
/// <param name="device">Where ours is computed.</param>
/// <param name="rounds">Turns.</param>
internal sealed class Turns(MeasuredDevice device, int rounds)
{
    /// <summary>Outputs that differ by more, of the largest, are not of the same function: sums of thousands of products in another order differ by less.</summary>
    public const double Tolerance = 1e-4;

    private const double SampleSeconds = 0.02;

    // Threads that a call has left look for work for a while before they sleep, GNU's OpenMP for up to 15 ms, and take a core from whoever comes next.
    // OpenBLAS's own, for a tenth of a second, are told to stop sooner.
    private const int SettleMilliseconds = 60;

    // After that pause calls find cold caches and a slow clock, for so long; of a call that is longer than the other that is too little to count.
    private const double WarmAgainSeconds = 0.005;
    private const double LongSeconds = 0.1;
    private const int WarmUps = 3;

    // Updates find all their memory in the pool after a few; decodings of half a minute are warm after one, and are not waited for nine times. Fewer turns than three have no spread.
    private const double WarmUpSeconds = 10;
    private const double TurnsSeconds = 90;
    private const int LeastRounds = 3;

    /// <summary>Measures a case.</summary>
    /// <exception cref="InvalidDataException">A rival ended.</exception>
    public CompareResult Measure(CompareCase c, IReadOnlyList<Rival> rivals)
    {
        if (c.Whole is not null)
            device.Trim();
        using var scope = TensorScope.Begin();
        using var contender = c.Prepare(device.Device);
        float[][] outputs;
        using (TensorScope.Begin())
            outputs = contender.Outputs();
        bool bound = c.Work.BoundByMemory(device.Ceilings);
        double before = device.Ceiling(c.Work, bound);
        if (c.Whole is not null)
            device.Trim();
        var own = new Own(device, contender.Call, new CostMeter(device));
        var results = new List<RivalResult>();
        foreach (var rival in rivals)
        {
            foreach (string variant in c.Variants.Count > 0 ? c.Variants : [""])
            {
                if (Against(c, contender.Weights, outputs, rival, variant, own) is { } result)
                    results.Add(result);
            }
        }

        foreach (var sibling in c.Siblings)
        {
            using (TensorScope.Begin())
            using (var other = sibling.Prepare(device.Device))
                results.Add(InTurns(own, n => device.Sample(other.Call, n)) with { Name = "CudaSeq", Variant = sibling.Label });
        }

        if (own.Seconds.Count == 0)
        {
            var (repetitions, once) = Repetitions(own.Try);
            device.ResetPeak();
            for (int i = RoundsOf(once * repetitions); i > 0; i--)
                own.Sample(repetitions);
            own.Meter.Look();
        }

        var seconds = Spread.Of(own.Seconds);
        double ceiling = (before + device.Ceiling(c.Work, bound)) / 2;
        return new CompareResult(c, seconds, bound, (bound ? c.Work.Bytes : c.Work.Flops) / seconds.Median / 1e9 / ceiling, own.Meter.Mean, results);
    }

    private RivalResult? Against(CompareCase c, string? weights, float[][] outputs, Rival rival, string variant, Own own)
    {
        var order = c.Order.DeepClone().AsObject();
        if (variant.Length > 0)
            order["variant"] = variant;
        if (weights is not null)
            order["weights"] = weights;
        if (rival.Prepare(order) is not { } theirs)
            return null;
        double difference = Difference(outputs, theirs);
        if (!(difference <= c.Tolerance))
            return new RivalResult(rival.Name, variant, difference, null, null);
        return InTurns(own, rival.Sample, rival.ResetPeak) with { Name = rival.Name, Variant = variant, Difference = difference, PeakBytes = rival.PeakBytes() };
    }

    // warm: called when the other side is warm, right before the turns.
    private RivalResult InTurns(Own own, Func<int, double> other, Action? warm = null)
    {
        var ((mine, myOnce), (its, itsOnce)) = (Repetitions(own.Try), Repetitions(other));
        int turns = RoundsOf((myOnce * mine) + (itsOnce * its));
        double[] seconds = new double[turns], ratios = new double[turns];
        device.ResetPeak();
        warm?.Invoke();
        for (int i = 0; i < turns; i++)
        {
            Settle(own.Try, myOnce);
            double ours = own.Sample(mine);
            Settle(other, itsOnce);
            seconds[i] = other(its);
            ratios[i] = seconds[i] / ours;
        }

        own.Meter.Look();
        return new RivalResult("", "", null, Spread.Of(seconds), Spread.Of(ratios), Turns: turns);
    }

    // Each side's turn begins as if it were alone.
    private static void Settle(Func<int, double> side, double once)
    {
        Thread.Sleep(SettleMilliseconds);
        if (once < LongSeconds)
            side((int)Math.Clamp(WarmAgainSeconds / once, 1, 1_000_000));
    }

    private int RoundsOf(double turnSeconds) => Math.Min(rounds, Math.Max(LeastRounds, (int)(TurnsSeconds / turnSeconds)));

    private static (int Repetitions, double Once) Repetitions(Func<int, double> sample)
    {
        double once = double.PositiveInfinity, all = 0;
        for (int i = 0; i < WarmUps && all < WarmUpSeconds; i++)
        {
            double seconds = sample(1);
            all += seconds;
            once = Math.Min(once, seconds);
        }

        return ((int)Math.Clamp(SampleSeconds / once, 1, 1_000_000), once);
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

    /// <summary>Our side of a case.</summary>
    private sealed record Own(MeasuredDevice Device, Action Call, CostMeter Meter)
    {
        /// <summary>Of all turns.</summary>
        public List<double> Seconds { get; } = [];

        public double Try(int repetitions) => Device.Sample(Call, repetitions);

        public double Sample(int repetitions)
        {
            double seconds = Meter.Count(Try, repetitions);
            Seconds.Add(seconds);
            return seconds;
        }
    }
}
