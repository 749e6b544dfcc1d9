namespace CudaSeq.Benchmarks;

/// <summary>The middle of repeated measurements and how far they lie apart.</summary>
/// <param name="Median">Half of them are below.</param>
/// <param name="Low">A tenth of them are below.</param>
/// <param name="High">A tenth of them are above.</param>
public readonly record struct Spread(double Median, double Low, double High)
{
    /// <summary>Of at least one measurement, in any order.</summary>
    public static Spread Of(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return new(sorted[sorted.Length / 2], sorted[sorted.Length / 10], sorted[^(1 + (sorted.Length / 10))]);
    }
}
