using System.Globalization;

namespace CudaSeq.Models;

/// <summary>Numbers for people, of which a run that goes wrong makes very large ones: the perplexity of a loss of 350 has 153 digits, that of 710 is beyond double.</summary>
public static class ReadableNumber
{
    private const double Large = 1e7;

    /// <summary>The number in an invariant format; from ten million on in scientific notation, such as 8.83e+9.</summary>
    /// <param name="value">Any number.</param>
    /// <param name="format">How it is written below ten million, for example <c>f2</c>.</param>
    /// <returns>One word: <c>infinite</c> where no number is large enough.</returns>
    public static string Of(double value, string format)
        => double.IsInfinity(value) ? "infinite" : value.ToString(Math.Abs(value) >= Large && format is ['f' or '0', ..] ? "0.00e+0" : format, CultureInfo.InvariantCulture);
}
