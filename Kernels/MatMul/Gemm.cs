using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace CudaSeq.Kernels;

/// <summary>
/// Matrix products on one thread, for kernels that compute one inside a task of their own, and the part of a large product that one task computes.
/// </summary>
internal static unsafe class Gemm
{
    // The widest tile of any tier, so that a caller can size its workspace before it knows the tier.
    private const int WidestRows = 12;
    private const int WidestColumns = 32;

    private const int LongestBlockK = 512;

    // Of a line of the cache.
    private const int LineFloats = 16;

    // Fewer strips of A than this do not repay copying B: it is read where it lies.
    private const int StripsWorthPacking = 5;

    /// <summary>
    /// The longest block of k: one panel of B fills most of the first-level cache, through which the panels of A stream. With AVX-512 a tile is as fast on panels
    /// from the second level, and fewer passes over C count for more.
    /// </summary>
    public static int MaxBlockK<TVector>()
        where TVector : struct, IFloatVector<TVector>
        => TVector.Count == 16 ? LongestBlockK : Math.Min(LongestBlockK, CacheSizes.Host.Level1 * 7 / 8 / (GemmTile.PanelColumns<TVector>() * sizeof(float)) & ~15);

    /// <summary>The length of the blocks that k is cut into, all but the last alike.</summary>
    public static int BlockK<TVector>(int k)
        where TVector : struct, IFloatVector<TVector>
    {
        int blocks = Math.Max(1, (k + MaxBlockK<TVector>() - 1) / MaxBlockK<TVector>());
        return (k + blocks - 1) / blocks;
    }

    /// <summary>Floats of workspace that <see cref="Serial"/> needs at most.</summary>
    public static long Workspace(int m, int n, int k)
        => ((((long)m + WidestRows - 1) / WidestRows * WidestRows) + (((long)n + WidestColumns - 1) / WidestColumns * WidestColumns))
            * Math.Clamp(k, 1, LongestBlockK);

    /// <summary>Computes a product on the calling thread.</summary>
    /// <param name="p">The product. M, N and K may be 0; C may not overlap A or B.</param>
    /// <param name="workspace">As many floats as <see cref="Workspace"/> says, aligned to 64 bytes for speed.</param>
    public static void Serial<TVector>(in GemmProblem p, float* workspace)
        where TVector : struct, IFloatVector<TVector>
    {
        int height = GemmTile.MaxRows<TVector>(), width = GemmTile.PanelColumns<TVector>();
        int stripsA = (p.M + height - 1) / height, stripsB = (p.N + width - 1) / width;
        if (stripsA == 0 || stripsB == 0)
            return;
        int whole = !p.TransposeB && stripsA < StripsWorthPacking ? p.N / width : 0;
        int block = BlockK<TVector>(p.K), k = 0;
        do
        {
            int length = Math.Min(block, p.K - k);
            float* panelsB = workspace + ((long)stripsA * height * length);
            GemmPack.PackA<TVector>(p, 0, stripsA, k, length, workspace);
            if (whole < stripsB)
                GemmPack.PackB<TVector>(p, whole, stripsB, k, length, panelsB);
            if (whole > 0)
                Block<TVector>(p, k, length, workspace, 0, stripsA, p.B + (k * p.StrideB), p.StrideB, width, 0, whole);
            Block<TVector>(p, k, length, workspace, 0, stripsA, panelsB, width, (long)width * length, whole, stripsB);
            k += length;
        }
        while (k < p.K);
    }

    /// <summary>
    /// Adds to a part of C what <paramref name="length"/> values of k from <paramref name="k"/> on give; the first k of all begins the sums and the last finishes them.
    /// </summary>
    /// <param name="p">The whole product.</param>
    /// <param name="k">First k.</param>
    /// <param name="length">Number of k.</param>
    /// <param name="a">The panel of strip <paramref name="beginA"/> of A, the others follow; strips before <see cref="GemmPack.FirstPanel"/> are read in A itself.</param>
    /// <param name="beginA">First strip of A.</param>
    /// <param name="endA">After the last strip of A.</param>
    /// <param name="b">Row k of strip <paramref name="beginB"/> of B, in a panel or in B itself.</param>
    /// <param name="rowB">Floats from one k to the next.</param>
    /// <param name="stripB">Floats from one strip to the next.</param>
    /// <param name="beginB">First strip of B.</param>
    /// <param name="endB">After the last strip of B.</param>
    /// <param name="following">The strip of B that the caller multiplies with after the last, or null.</param>
    [SkipLocalsInit]
    public static void Block<TVector>(
        in GemmProblem p, int k, int length, float* a, int beginA, int endA, float* b, long rowB, long stripB, int beginB, int endB, float* following = null)
        where TVector : struct, IFloatVector<TVector>
    {
        int height = GemmTile.MaxRows<TVector>(), width = GemmTile.PanelColumns<TVector>(), firstPanel = GemmPack.FirstPanel<TVector>(p);
        float* tile = stackalloc float[(WidestRows * WidestColumns) + 16];
        tile = (float*)(((nuint)tile + 63) & ~(nuint)63);
        // Callers that come with one strip of B at a time bring the same rows of A each time.
        bool fetchesA = endB - beginB > 1;
        bool accumulate = p.Accumulate || k > 0, last = k + length >= p.K, finish = last && !p.Epilogue.IsNone;
        for (int j = beginB; j < endB; j++)
        {
            int columns = Math.Min(width, p.N - (j * width)), vectors = columns > TVector.Count ? 2 : 1;
            bool wholeColumns = columns == vectors * TVector.Count;
            float* panelA = a, next = j + 1 < endB ? b + stripB : following;
            for (int i = beginA; i < endA; i++)
            {
                int rows = Math.Min(height, p.M - (i * height)), tileRows = GemmTile.TileRows<TVector>(rows);
                long at = (i * height * p.StrideC) + (j * width);
                float* c = p.C + at;
                bool inPlace = i < firstPanel;
                var ahead = inPlace && fetchesA && j == beginB && i + 1 < endA ? NextStrip(p, i + 1, height, length)
                    : next is null ? new Ahead(b, 0)
                    : Share(next, rowB, width, length, i - beginA, endA - beginA);
                if (i + 1 < endA)
                    Prefetch(c + (height * p.StrideC), p.StrideC, Math.Min(height, p.M - ((i + 1) * height)), columns);
                float* left = inPlace ? p.A + (i * height * p.StrideA) + k : panelA;
                var (rowA, stepA) = inPlace ? (p.StrideA, 1L) : (1L, tileRows);
                if (wholeColumns && rows == tileRows && !finish)
                {
                    GemmTile.Multiply<TVector>(tileRows, vectors, length, left, rowA, stepA, b, rowB, c, p.StrideC, accumulate, ahead);
                }
                else
                {
                    if (accumulate)
                        Fetch<TVector>(c, p.StrideC, rows, columns, tile, width);
                    GemmTile.Multiply<TVector>(tileRows, vectors, length, left, rowA, stepA, b, rowB, tile, width, accumulate, ahead);
                    var epilogue = last ? p.Epilogue.At(j * width, at) : Epilogue.None;
                    epilogue.Store<TVector>(tile, width, rows, columns, c, p.StrideC);
                }

                panelA += (long)height * length;
            }

            b += stripB;
        }
    }

    // Of the next rows of A, which no copy has brought nearer yet. Dense rows follow one another, so that one address for each k runs evenly through all of them.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Ahead NextStrip(in GemmProblem p, int strip, int height, int length)
        => new(p.A + (strip * height * p.StrideA), height * p.StrideA / Math.Max(1, length));

    // Each tile of a strip fetches a part of the next one's panel, or, where B is read in place, a line of each of its rows. One address for each k is half of what a
    // single tile reads; the processor fetches the other half by itself.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Ahead Share(float* b, long rowB, int width, int length, int tile, int tiles)
        => rowB == width ? new(b + ((long)width * length * tile / tiles), (width + tiles - 1) / tiles) : new(b + Math.Min(LineFloats * tile, width - 1), rowB);

    // The next tile of C comes from a farther cache while this one is computed.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Prefetch(float* c, long strideC, int rows, int columns)
    {
        if (!Sse.IsSupported)
            return;
        for (int i = 0; i < rows; i++)
        {
            Sse.Prefetch0(c);
            Sse.Prefetch0(c + columns - 1);
            c += strideC;
        }
    }

    private static void Fetch<TVector>(float* c, long strideC, int rows, int columns, float* tile, int strideTile)
        where TVector : struct, IFloatVector<TVector>
    {
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < columns; j += TVector.Count)
                TVector.LoadPartial(c + (i * strideC) + j, Math.Min(TVector.Count, columns - j)).Store(tile + (i * strideTile) + j);
        }
    }
}
