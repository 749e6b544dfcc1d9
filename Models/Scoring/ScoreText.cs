using System.Globalization;

namespace CudaSeq.Models;

/// <summary>How scores and signatures are written.</summary>
internal static class ScoreText
{
    /// <summary>The end of a signature. It names this program, not a version of sacreBLEU: the score equals sacreBLEU's, but was not computed by it.</summary>
    public static string Version => $"version:cudaseq-{typeof(ScoreText).Assembly.GetName().Version?.ToString(3)}";

    /// <summary>The beginning of a signature: how many references a line has, <c>var</c> where lines differ in it.</summary>
    public static string References(int least, int most, bool lowercase) => $"nrefs:{(least == most ? Number(most) : "var")}|case:{(lowercase ? "lc" : "mixed")}";

    /// <summary>yes or no.</summary>
    public static string YesNo(bool value) => value ? "yes" : "no";

    /// <summary>A whole number.</summary>
    public static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    /// <summary>
    /// A number with a fixed count of decimals, as Python and C write it: one that lies exactly between two goes to the even one. .NET rounds it up, which shows
    /// as soon as one of 16 n-grams matches: 6.25 is 6.2 for sacreBLEU.
    /// </summary>
    public static string Fixed(double value, int decimals)
    {
        // Only a multiple of 2^-(decimals + 1), and an odd one, is the exact middle.
        double doubled = value * (1L << (decimals + 1));
        bool isMiddle = Math.Abs(doubled) < 1L << 53 && Math.IEEERemainder(doubled, 2) is 1 or -1;
        string format = $"F{Number(decimals)}";
        return isMiddle
            ? Math.Round((decimal)value, decimals, MidpointRounding.ToEven).ToString(format, CultureInfo.InvariantCulture)
            : value.ToString(format, CultureInfo.InvariantCulture);
    }
}
