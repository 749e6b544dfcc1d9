namespace CudaSeq.Kernels;

/// <summary>
/// The sizes of a convolution over time: y[b, t, c] = sum over k of tap k * x[b, t + k - LeftPadding, c], where x is zero outside 0 .. T - 1.
/// Channel c uses the taps of head c / R: heads are contiguous groups of channels.
/// </summary>
/// <param name="B">Sequences.</param>
/// <param name="T">Time steps.</param>
/// <param name="C">Channels, a multiple of <paramref name="H"/>.</param>
/// <param name="H">Heads, at least 1; C where every channel has its own taps.</param>
/// <param name="K">Taps, 1 .. <see cref="MaxK"/>.</param>
/// <param name="LeftPadding">Zeros before the first step, 0 .. K - 1; K - 1 sees no future.</param>
internal readonly record struct ConvSize(int B, int T, int C, int H, int K, int LeftPadding)
{
    /// <summary>The widest filter.</summary>
    public const int MaxK = 255;

    /// <summary>Channels of one head.</summary>
    public int R => C / H;

    /// <summary>
    /// Time steps of one piece of work: a multiple of four that is long beside the K - 1 steps which neighbouring pieces both read,
    /// and short enough for the rows of a head to stay in the nearest caches.
    /// </summary>
    public int ChunkSteps => Math.Clamp((2 * K + 3) & ~3, 32, 128);

    /// <summary>Pieces of one sequence.</summary>
    public int Chunks => (T + ChunkSteps - 1) / ChunkSteps;

    /// <summary>
    /// Groups of heads that are pieces of work of their own, where the sequences alone are too few of them: no more than have half a million products each.
    /// </summary>
    public int HeadGroups
    {
        get
        {
            double products = (double)Math.Min(T, ChunkSteps) * C * K;
            return (int)Math.Clamp(Math.Min(16 / Math.Max(1, B * Chunks), products / 500_000), 1, H);
        }
    }

    /// <summary>The first head of one of <paramref name="groups"/> groups.</summary>
    public int FirstHead(int group, int groups) => (int)((long)H * group / groups);

    /// <summary>A block of four steps near the end goes back so far that it is whole, if its chunk is long enough: what it computes twice is the same twice.</summary>
    public static int BlockStart(int t, int start, int stop) => Math.Max(start, Math.Min(t, stop - BandedProduct.Steps));
}
