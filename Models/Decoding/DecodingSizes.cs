using System.Numerics;

namespace CudaSeq.Models;

/// <summary>
/// To what sizes a decoding is rounded up: on a GPU so that the same shapes come again and again, whether or not steps are captured as graphs, so that graphs change no bit;
/// elsewhere not at all.
/// </summary>
internal sealed class DecodingSizes
{
    // Where nothing is rounded.
    private const int LeastExactPlaces = 16;
    private const int LeastSource = 16;
    private const int LeastPlaces = 32;

    private readonly bool _rounds;

    private DecodingSizes(bool rounds) => _rounds = rounds;

    /// <summary>As many as there are.</summary>
    public static DecodingSizes Exact { get; } = new(rounds: false);

    /// <summary>Powers of two and what lies halfway between them.</summary>
    public static DecodingSizes Rounded { get; } = new(rounds: true);

    /// <summary>Sentences side by side, of which <paramref name="live"/> are still searched for.</summary>
    public int Sentences(int live) => _rounds ? RoundUp(live) : live;

    /// <summary>The width of a batch of sources.</summary>
    public int Source(int longest) => _rounds ? Math.Max(LeastSource, RoundUp(longest)) : longest;

    /// <summary>
    /// Positions that there is room for when <paramref name="needed"/> are needed and no more than <paramref name="most"/> will be. Exact room doubles, so that what was given back on the way is no more
    /// than what is held.
    /// </summary>
    public int Places(int needed, int most) => _rounds
        ? Math.Max(LeastPlaces, RoundUp(needed))
        : Math.Min(Math.Max(LeastExactPlaces, (int)BitOperations.RoundUpToPowerOf2((uint)needed)), most);

    // 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, ...
    private static int RoundUp(int size)
    {
        int above = (int)BitOperations.RoundUpToPowerOf2((uint)size), half = above / 4 * 3;
        return size <= half ? half : above;
    }
}
