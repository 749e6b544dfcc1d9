using System.Runtime.CompilerServices;

namespace CudaSeq.Kernels;

/// <summary>
/// The key of one random mask: the same key gives the same numbers on every device, so backward regenerates a mask from it instead of storing it.
/// </summary>
/// <param name="Seed">The run's seed.</param>
/// <param name="Stream">Which draw of the run this is; no two masks share one.</param>
internal readonly record struct PhiloxKey(ulong Seed, ulong Stream);

/// <summary>
/// Philox4x32 with 10 rounds (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011): a counter goes in, four random words come out.
/// Element i of a mask uses word i mod 4 of counter (i div 4, stream), on every device.
/// </summary>
internal static partial class Philox
{
    public const uint Multiplier0 = 0xD2511F53;
    public const uint Multiplier1 = 0xCD9E8D57;
    public const uint Weyl0 = 0x9E3779B9;
    public const uint Weyl1 = 0xBB67AE85;
    public const int Rounds = 10;

    /// <summary>The four words of one counter.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (uint X, uint Y, uint Z, uint W) Block(PhiloxKey key, ulong counter)
    {
        uint c0 = (uint)counter, c1 = (uint)(counter >> 32), c2 = (uint)key.Stream, c3 = (uint)(key.Stream >> 32);
        uint k0 = (uint)key.Seed, k1 = (uint)(key.Seed >> 32);
        for (int round = 0; round < Rounds; round++)
        {
            ulong p0 = (ulong)Multiplier0 * c0, p1 = (ulong)Multiplier1 * c2;
            (c0, c1, c2, c3) = ((uint)(p1 >> 32) ^ c1 ^ k0, (uint)p1, (uint)(p0 >> 32) ^ c3 ^ k1, (uint)p0);
            k0 += Weyl0;
            k1 += Weyl1;
        }

        return (c0, c1, c2, c3);
    }

    /// <summary>The 32-bit word of element <paramref name="index"/>.</summary>
    public static uint Word(PhiloxKey key, ulong index)
    {
        var (x, y, z, w) = Block(key, index / 4);
        return (index % 4) switch { 0 => x, 1 => y, 2 => z, _ => w };
    }

    /// <summary>
    /// An element is dropped when its word is below this: probability p to within 2^-32.
    /// </summary>
    public static uint DropThreshold(float p) => (uint)Math.Min(uint.MaxValue, Math.Round(p * 4294967296.0));
}
