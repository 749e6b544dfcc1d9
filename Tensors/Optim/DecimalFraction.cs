using System.Globalization;

namespace CudaSeq.Tensors;

/// <summary>Options are written as decimal fractions: 0.9f means 0.9, so that 1 - beta is 0.1 and not 0.10000002.</summary>
internal static class DecimalFraction
{
    public static double Of(float value) => double.Parse(value.ToString("R", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
}
