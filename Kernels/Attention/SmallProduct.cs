using System.Runtime.CompilerServices;

namespace CudaSeq.Kernels;

/// <summary>
/// Products of matrices small enough for the caches, without the packing of both sides that pays for large ones: c[i, j] = sum_k a[i, k] b[k, j], lanes along j,
/// a <see cref="RegisterTile"/> at a time. b is a copy in scratch memory whose rows are whole vectors.
/// </summary>
internal static unsafe class SmallProduct
{
    // Steps of k between two visits to c: a panel of b of this height stays in the first-level cache while all rows pass it.
    private const int InnerBlock = 128;

    /// <summary>Columns a tile of registers covers: four vectors where there are 32 registers, two where there are 16.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int TileColumns<TVector>()
        where TVector : struct, IFloatVector<TVector>
        => (TVector.Count == 16 ? 4 : 2) * TVector.Count;

    /// <summary>The next multiple of the vector's width.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Padded<TVector>(int n)
        where TVector : struct, IFloatVector<TVector>
        => (n + TVector.Count - 1) / TVector.Count * TVector.Count;

    /// <summary>c = diag(f) a b or c += diag(f) a b.</summary>
    /// <param name="rows">Rows of a and c.</param>
    /// <param name="columns">Columns of c that are written; b has them padded to whole vectors.</param>
    /// <param name="inner">Columns of a, rows of b.</param>
    /// <param name="a">Element (i, k) lies at i * <paramref name="aRow"/> + k * <paramref name="aStep"/>.</param>
    /// <param name="aRow">Distance of rows of a.</param>
    /// <param name="aStep">Distance of columns of a.</param>
    /// <param name="b">Row k lies at k * <paramref name="bRow"/>.</param>
    /// <param name="bRow">Distance of rows of b.</param>
    /// <param name="c">Row i lies at i * <paramref name="cRow"/>.</param>
    /// <param name="cRow">Distance of rows of c.</param>
    /// <param name="factors">f[i] lies at i * <paramref name="factorStep"/>: one factor for all rows with a step of 0.</param>
    /// <param name="factorStep">Distance of the factors.</param>
    /// <param name="accumulate">Add to c instead of overwriting it.</param>
    public static void Multiply<TVector>(
        int rows, int columns, int inner, float* a, nint aRow, nint aStep, float* b, nint bRow, float* c, nint cRow, float* factors, nint factorStep, bool accumulate)
        where TVector : struct, IFloatVector<TVector>
    {
        for (int k = 0; k == 0 || k < inner; k += InnerBlock)
        {
            int steps = Math.Min(InnerBlock, inner - k);
            for (int j = 0; j < columns;)
            {
                int left = columns - j;
                int vectors = TVector.Count == 16 && left > 3 * TVector.Count ? 4 : left > TVector.Count ? 2 : 1;
                float* column = b + (k * bRow) + j;
                for (int i = 0; i < rows;)
                {
                    int height = RegisterTile.Height(rows - i);
                    var tile = new TileOperands
                    {
                        Steps = steps,
                        A = a + (i * aRow) + (k * aStep),
                        ARow = aRow,
                        AStep = aStep,
                        B = column,
                        BRow = bRow,
                        C = c + (i * cRow) + j,
                        CRow = cRow,
                        LastLanes = Math.Min(TVector.Count, left - ((vectors - 1) * TVector.Count)),
                        Accumulate = accumulate || k > 0,
                        Factors = factors + (i * factorStep),
                        FactorStep = factorStep,
                    };
                    RegisterTile.Multiply<TVector>(height, vectors, tile);
                    i += height;
                }

                j += vectors * TVector.Count;
            }
        }
    }

    /// <summary>
    /// Copies x [rows, depth] transposed into panels [ceil(rows / W), depth, W] with W = <see cref="TileColumns"/>. Columns past the last row are zero up to the
    /// next whole vector and undefined behind it.
    /// </summary>
    public static void PackTransposed<TVector>(float* x, nint xRow, int rows, int depth, float* panels)
        where TVector : struct, IFloatVector<TVector>
    {
        int width = TileColumns<TVector>(), padded = Padded<TVector>(rows);
        for (int s = 0; s < padded; s += TVector.Count)
        {
            float* column = panels + ((nint)(s / width * width) * depth) + (s % width);
            Transposition.Columns<TVector>(x + (s * xRow), xRow, Math.Min(TVector.Count, rows - s), depth, column, width);
        }
    }

    /// <summary>Copies x [rows, depth] into y [rows, padded depth]; the padding is zero.</summary>
    public static void PackRows<TVector>(float* x, nint xRow, int rows, int depth, float* y)
        where TVector : struct, IFloatVector<TVector>
    {
        int padded = Padded<TVector>(depth);
        for (int i = 0; i < rows; i++)
        {
            float* from = x + (i * xRow);
            float* to = y + ((nint)i * padded);
            int d = 0;
            for (; d <= depth - TVector.Count; d += TVector.Count)
                TVector.Load(from + d).Store(to + d);
            if (d < depth)
                TVector.LoadPartial(from + d, depth - d).Store(to + d);
        }
    }
}
