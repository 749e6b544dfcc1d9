using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

/// <summary>
/// A run's randomness: a seed and the number of streams drawn from it so far. The two numbers are the whole state, so that a resumed run continues
/// with the very bits it would have drawn. Not for cryptography.
/// </summary>
/// <param name="seed">Any number.</param>
/// <param name="position">Streams already drawn.</param>
public sealed class RandomSource(ulong seed, ulong position = 0)
{
    /// <summary>The seed.</summary>
    public ulong Seed { get; } = seed;

    /// <summary>Streams drawn so far.</summary>
    public ulong Position { get; private set; } = position;

    /// <summary>Goes on as if so many streams had been drawn.</summary>
    internal void MoveTo(ulong position) => Position = position;

    /// <summary>The key of the next mask: never the same twice.</summary>
    internal PhiloxKey NextKey() => new(Seed, Position++);

    /// <summary>Fills with numbers uniform in <paramref name="low"/> .. <paramref name="high"/>, which rounding may reach; draws one stream.</summary>
    public void Uniform(Span<float> values, float low, float high)
    {
        var key = NextKey();
        for (int i = 0; i < values.Length; i++)
            values[i] = (float)(low + ((high - low) * Unit(Philox.Word(key, (ulong)i))));
    }

    /// <summary>Fills with normal numbers (Box and Muller); draws one stream.</summary>
    public void Normal(Span<float> values, float mean, float standardDeviation)
    {
        var key = NextKey();
        for (int i = 0; i < values.Length; i += 2)
        {
            var (x, y, _, _) = Philox.Block(key, (ulong)i / 2);
            double radius = Math.Sqrt(-2 * Math.Log(1 - Unit(x)));
            values[i] = (float)(mean + (standardDeviation * radius * Math.Cos(2 * Math.PI * Unit(y))));
            if (i + 1 < values.Length)
                values[i + 1] = (float)(mean + (standardDeviation * radius * Math.Sin(2 * Math.PI * Unit(y))));
        }
    }

    /// <summary>Reorders the items at random, all orders equally likely; draws one stream.</summary>
    public void Shuffle<T>(Span<T> items)
    {
        var key = NextKey();
        for (int i = items.Length - 1; i > 0; i--)
        {
            var (x, y, _, _) = Philox.Block(key, (ulong)i);
            int j = (int)(UInt128.CreateTruncating(((ulong)x << 32) | y) * (ulong)(i + 1) >> 64);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }

    /// <summary>A whole number below a bound, all equally likely but for 2^-64 of the bound; draws one stream.</summary>
    /// <param name="bound">At least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The bound is below 1.</exception>
    public long Below(long bound)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bound, 1);
        var (x, y, _, _) = Philox.Block(NextKey(), 0);
        return (long)(UInt128.CreateTruncating(((ulong)x << 32) | y) * (ulong)bound >> 64);
    }

    private static double Unit(uint word) => word * (1.0 / 4294967296.0);
}
