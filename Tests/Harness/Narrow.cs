using CudaSeq.Kernels;

namespace CudaSeq.Tests;

/// <summary>Numbers of narrow types, for tests. Bfloat16 has 8 bits of precision and the range of float32, float16 11 bits down to multiples of 2^-24.</summary>
internal static class Narrow
{
    /// <summary>Half the distance from 1 to the next number of bfloat16: the largest relative error of rounding once.</summary>
    public const double Epsilon = 1.0 / 256;

    /// <summary>The nearest number of a type.</summary>
    public static float Round(DType type, float x) => type switch
    {
        DType.BFloat16 => Round(x),
        DType.Float16 => (float)(Half)x,
        _ => x,
    };

    /// <summary>The nearest number of bfloat16, of two the even one.</summary>
    public static float Round(float x)
    {
        uint bits = BitConverter.SingleToUInt32Bits(x);
        return float.IsNaN(x) ? x : BitConverter.UInt32BitsToSingle((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000);
    }

    /// <summary>The distance between the numbers of a type around x, at least 0.</summary>
    public static double Ulp(DType type, double x)
    {
        float nearest = (float)x, ulp = MathF.BitIncrement(nearest) - nearest;
        return type switch
        {
            DType.BFloat16 => ulp * 65536.0,
            DType.Float16 => Math.Max(ulp * 8192.0, Math.ScaleB(1, -24)),
            _ => ulp,
        };
    }
}
