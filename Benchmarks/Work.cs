using System.Globalization;

namespace CudaSeq.Benchmarks;

/// <summary>What one call of an op has to do, whoever computes it.</summary>
/// <param name="Flops">Floating-point operations; a multiply-add is two.</param>
/// <param name="Bytes">Bytes that must cross the memory at least once each.</param>
/// <param name="Items">What users count: tokens, sentences, columns; 0 where nothing is counted.</param>
public readonly record struct Work(double Flops, double Bytes = 0, double Items = 0)
{
    // From here on a rate is easier to read in TFLOP/s.
    private const double LargeRate = 1e13;

    /// <summary>The work of a product of matrices.</summary>
    public static Work OfProduct(double m, double n, double k, int elementBytes = sizeof(float)) => new(2 * m * n * k, elementBytes * ((m * k) + (k * n) + (m * n)));

    /// <summary>Whether memory rather than arithmetic is what limits this work on a machine with these ceilings.</summary>
    public bool BoundByMemory(Ceilings ceilings) => Bytes / ceilings.GigabytesPerSecond > Flops / ceilings.GigaflopsPerSecond;

    /// <summary>The rate in the unit of what limits the work.</summary>
    public string Rate(double seconds, bool boundByMemory)
    {
        var (value, unit) = RateOf(seconds, boundByMemory);
        return string.Create(CultureInfo.InvariantCulture, $"{value:f1} {unit}");
    }

    /// <summary>The same as a number and its unit.</summary>
    public (double Value, string Unit) RateOf(double seconds, bool boundByMemory)
        => boundByMemory ? (Bytes / seconds / 1e9, "GB/s")
        : Flops / seconds < LargeRate ? (Flops / seconds / 1e9, "GFLOP/s")
        : (Flops / seconds / 1e12, "TFLOP/s");
}
