using System.Runtime.CompilerServices;

namespace CudaSeq.Kernels;

/// <summary>
/// Matrix products on one thread, for kernels that compute one inside a task of their own, and the part of a large product that one task computes.
/// </summary>
internal static unsafe class Gemm
{
    // The widest tile of any tier, so that a caller can size its workspace before it knows the tier.
    private const int WidestRows = 12;
    private const int WidestColumns = 32;

    // A block of so many k of one panel of B fills about two thirds of a first-level cache of 48 KB.
    private const int BlockK = 320;

    // Fewer strips of A than this do not repay copying B: it is read where it lies.
    private const int StripsWorthPacking = 5;

    /// <summary>Floats of workspace that <see cref="Serial"/> needs at most.</summary>
    public static long Workspace(int m, int n, int k)
        => ((((long)m + WidestRows - 1) / WidestRows * WidestRows) + (((long)n + WidestColumns - 1) / WidestColumns * WidestColumns)) * Math.Max(k, 1);

    /// <summary>Computes a product on the calling thread.</summary>
    /// <param name="p">The product. M, N and K may be 0; C may not overlap A or B.</param>
    /// <param name="workspace">As many floats as <see cref="Workspace"/> says, aligned to 64 bytes for speed.</param>
    public static void Serial<TVector>(in GemmProblem p, float* workspace)
        where TVector : struct, IFloatVector<TVector>
    {
        int height = GemmTile.MaxRows<TVector>(), width = GemmTile.PanelColumns<TVector>();
        int stripsA = (p.M + height - 1) / height, stripsB = (p.N + width - 1) / width;
        for (int i = 0; i < stripsA; i++)
            PackA<TVector>(p, i, workspace + ((long)i * height * p.K));

        float* panelsB = workspace + ((long)stripsA * height * p.K);
        bool direct = !p.TransposeB && stripsA < StripsWorthPacking;
        int whole = direct ? p.N / width : 0;
        for (int j = whole; j < stripsB; j++)
            PackB<TVector>(p, j, panelsB + ((long)j * width * p.K));
        Block<TVector>(p, workspace, 0, stripsA, direct ? p.B : panelsB, direct, 0, whole);
        Block<TVector>(p, workspace, 0, stripsA, panelsB, false, whole, stripsB);
    }

    /// <summary>Packs strip <paramref name="i"/> of A: a panel [K, TileRows].</summary>
    public static void PackA<TVector>(in GemmProblem p, int i, float* panel)
        where TVector : struct, IFloatVector<TVector>
    {
        int height = GemmTile.MaxRows<TVector>(), first = i * height, rows = Math.Min(height, p.M - first);
        float* source = p.A + (p.TransposeA ? first : first * p.StrideA);
        GemmPack.Pack<TVector>(source, p.StrideA, !p.TransposeA, rows, GemmTile.TileRows<TVector>(rows), p.K, panel);
    }

    /// <summary>Packs strip <paramref name="j"/> of B: a panel [K, PanelColumns].</summary>
    public static void PackB<TVector>(in GemmProblem p, int j, float* panel)
        where TVector : struct, IFloatVector<TVector>
    {
        int width = GemmTile.PanelColumns<TVector>(), first = j * width, columns = Math.Min(width, p.N - first);
        float* source = p.B + (p.TransposeB ? first * p.StrideB : first);
        GemmPack.Pack<TVector>(source, p.StrideB, p.TransposeB, columns, width, p.K, panel);
    }

    /// <summary>
    /// Computes the part of C that strips <paramref name="beginA"/> .. <paramref name="endA"/> - 1 of A and <paramref name="beginB"/> .. <paramref name="endB"/> - 1
    /// of B give.
    /// </summary>
    /// <param name="p">The whole product.</param>
    /// <param name="a">All panels of A.</param>
    /// <param name="beginA">First strip of A.</param>
    /// <param name="endA">After the last strip of A.</param>
    /// <param name="b">All panels of B, or B itself.</param>
    /// <param name="direct">Whether <paramref name="b"/> is B itself; then the strips must be whole and B not transposed.</param>
    /// <param name="beginB">First strip of B.</param>
    /// <param name="endB">After the last strip of B.</param>
    [SkipLocalsInit]
    public static void Block<TVector>(in GemmProblem p, float* a, int beginA, int endA, float* b, bool direct, int beginB, int endB)
        where TVector : struct, IFloatVector<TVector>
    {
        int height = GemmTile.MaxRows<TVector>(), width = GemmTile.PanelColumns<TVector>();
        float* tile = stackalloc float[(WidestRows * WidestColumns) + 16];
        tile = (float*)(((nuint)tile + 63) & ~(nuint)63);
        int blocks = Math.Max(1, (p.K + BlockK - 1) / BlockK), block = (p.K + blocks - 1) / blocks;
        bool plain = p.Epilogue.IsNone;
        for (int n = 0; n < blocks; n++)
        {
            int k = n * block, length = Math.Max(0, Math.Min(block, p.K - k));
            bool accumulate = p.Accumulate || n > 0, finish = n == blocks - 1 && !plain;
            for (int j = beginB; j < endB; j++)
            {
                int columns = Math.Min(width, p.N - (j * width)), vectors = columns > TVector.Count ? 2 : 1;
                float* panelB = direct ? b + (j * width) + (k * p.StrideB) : b + ((((long)j * p.K) + k) * width);
                long strideB = direct ? p.StrideB : width;
                bool wholeColumns = columns == vectors * TVector.Count;
                for (int i = beginA; i < endA; i++)
                {
                    int rows = Math.Min(height, p.M - (i * height)), tileRows = GemmTile.TileRows<TVector>(rows);
                    float* panelA = a + ((long)i * height * p.K) + ((long)k * tileRows);
                    long at = (i * height * p.StrideC) + (j * width);
                    float* c = p.C + at;
                    if (wholeColumns && rows == tileRows && !finish)
                    {
                        GemmTile.Multiply<TVector>(tileRows, vectors, length, panelA, panelB, strideB, c, p.StrideC, accumulate);
                        continue;
                    }

                    if (accumulate)
                        Fetch<TVector>(c, p.StrideC, rows, columns, tile, width);
                    GemmTile.Multiply<TVector>(tileRows, vectors, length, panelA, panelB, strideB, tile, width, accumulate);
                    if (n == blocks - 1)
                        p.Epilogue.At(j * width, at).Store<TVector>(tile, width, rows, columns, c, p.StrideC);
                    else
                        Epilogue.None.Store<TVector>(tile, width, rows, columns, c, p.StrideC);
                }
            }
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
