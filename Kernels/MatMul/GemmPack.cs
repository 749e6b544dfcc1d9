using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CudaSeq.Kernels;

/// <summary>
/// Copies strips of a matrix into panels [k, width] without gaps, the order in which the innermost product reads them. Strips of A are some rows over some k,
/// strips of B some columns over some k; what lies past the matrix is 0, so that the innermost product knows no edges.
/// </summary>
internal static unsafe class GemmPack
{
    // A block of so many k is transposed at a time, so that its part of the panel stays in the first-level cache.
    private const int TransposeBlock = 64;

    // Stored rows ahead of the one that is being copied.
    private const int PrefetchDistance = 8;

    /// <summary>
    /// The first strip of A that is packed: where k runs along the rows of A, whole tiles read those rows where they lie, and only a last strip whose tile is taller
    /// than what is left of A has a panel.
    /// </summary>
    public static int FirstPanel<TVector>(in GemmProblem p)
        where TVector : struct, IFloatVector<TVector>
    {
        if (p.TransposeA)
            return 0;
        var (whole, rest) = Math.DivRem(p.M, GemmTile.MaxRows<TVector>());
        return rest > 0 && rest == GemmTile.TileRows<TVector>(rest) ? whole + 1 : whole;
    }

    /// <summary>
    /// Packs strips of A: panel i holds rows i * MaxRows .. of op(A) as [length, TileRows], k in k0 .. k0 + length - 1. Panels before <see cref="FirstPanel"/> are left as they are.
    /// </summary>
    /// <param name="p">The product.</param>
    /// <param name="begin">First strip.</param>
    /// <param name="end">After the last strip.</param>
    /// <param name="k">First k.</param>
    /// <param name="length">Number of k.</param>
    /// <param name="panels">The panel of strip <paramref name="begin"/>, the others follow.</param>
    public static void PackA<TVector>(in GemmProblem p, int begin, int end, int k, int length, float* panels)
        where TVector : struct, IFloatVector<TVector>
    {
        int height = GemmTile.MaxRows<TVector>(), skipped = Math.Max(0, FirstPanel<TVector>(p) - begin);
        if (begin + skipped >= end)
            return;
        begin += skipped;
        panels += (long)skipped * height * length;
        int first = begin * height, rows = Math.Min(p.M, end * height) - first;
        int rest = rows % height;
        int tail = rest == 0 ? height : GemmTile.TileRows<TVector>(rest);
        float* source = p.TransposeA ? p.A + (k * p.StrideA) + first : p.A + (first * p.StrideA) + k;
        Pack<TVector>(source, p.StrideA, !p.TransposeA, rows, height, tail, length, panels);
    }

    /// <summary>Packs strips of B: panel j holds columns j * PanelColumns .. of op(B) as [length, PanelColumns].</summary>
    /// <inheritdoc cref="PackA"/>
    public static void PackB<TVector>(in GemmProblem p, int begin, int end, int k, int length, float* panels)
        where TVector : struct, IFloatVector<TVector>
    {
        int width = GemmTile.PanelColumns<TVector>(), first = begin * width, columns = Math.Min(p.N, end * width) - first;
        float* source = p.TransposeB ? p.B + (first * p.StrideB) + k : p.B + (k * p.StrideB) + first;
        Pack<TVector>(source, p.StrideB, p.TransposeB, columns, width, width, length, panels);
    }

    // alongK: k runs along the stored rows (A as it is, B transposed), so that a panel is a transposition. The last panel is tail wide.
    private static void Pack<TVector>(float* source, long stride, bool alongK, int extent, int width, int tail, int length, float* panels)
        where TVector : struct, IFloatVector<TVector>
    {
        int whole = tail == width ? extent / width : (extent - 1) / width;
        if (alongK)
        {
            for (int i = 0; i < whole; i++)
                Transpose<TVector>(source + (i * width * stride), stride, width, width, length, panels + ((long)i * width * length));
        }
        else
        {
            Copy<TVector>(source, stride, whole, width, length, panels);
        }

        int done = whole * width;
        if (done == extent)
            return;
        panels += (long)done * length;
        if (alongK)
            Transpose<TVector>(source + (done * stride), stride, extent - done, tail, length, panels);
        else
            CopyTail<TVector>(source + done, stride, extent - done, tail, length, panels);
    }

    // A stored row goes to all panels at once: reading down one strip would touch a cache line, and often a page, for a few floats.
    private static void Copy<TVector>(float* source, long stride, int strips, int width, int length, float* panels)
        where TVector : struct, IFloatVector<TVector>
    {
        long step = (long)width * length;
        for (int k = 0; k < length; k++)
        {
            float* from = source, to = panels;
            if (k + PrefetchDistance < length)
                Prefetch(source + (PrefetchDistance * stride), stride, 1, strips * width);
            if (width == 2 * TVector.Count)
            {
                for (int i = 0; i < strips; i++)
                {
                    TVector.Load(from).Store(to);
                    TVector.Load(from + TVector.Count).Store(to + TVector.Count);
                    from += width;
                    to += step;
                }
            }
            else if (TVector.Count == 16)
            {
                // Twelve rows of A.
                for (int i = 0; i < strips; i++)
                {
                    var (a, b, c) = (Vector128.Load(from), Vector128.Load(from + 4), Vector128.Load(from + 8));
                    a.Store(to);
                    b.Store(to + 4);
                    c.Store(to + 8);
                    from += width;
                    to += step;
                }
            }
            else
            {
                for (int i = 0; i < strips; i++)
                {
                    // Six rows of A.
                    Unsafe.CopyBlockUnaligned(to, from, 6 * sizeof(float));
                    from += width;
                    to += step;
                }
            }

            source += stride;
            panels += width;
        }
    }

    // Rows that the memory's own prediction cannot foresee, since every row is short and far from the last.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Prefetch(float* source, long stride, int rows, int length)
    {
        if (!Sse.IsSupported)
            return;
        const int Line = 16;
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < length; j += Line)
                Sse.Prefetch0(source + j);
            source += stride;
        }
    }

    private static void CopyTail<TVector>(float* source, long stride, int width, int panelWidth, int length, float* panel)
        where TVector : struct, IFloatVector<TVector>
    {
        for (int k = 0; k < length; k++)
        {
            for (int j = 0; j < panelWidth; j += TVector.Count)
            {
                int rest = panelWidth - j;
                TVector.LoadPartial(source + j, Math.Clamp(width - j, 0, TVector.Count)).StorePartial(panel + j, Math.Min(rest, TVector.Count));
            }

            source += stride;
            panel += panelWidth;
        }
    }

    private static void Transpose<TVector>(float* source, long stride, int width, int panelWidth, int length, float* panel)
        where TVector : struct, IFloatVector<TVector>
    {
        for (int k = 0; k < length; k += TransposeBlock)
            TransposePart<TVector>(source + k, stride, width, panelWidth, Math.Min(TransposeBlock, length - k), panel + ((long)k * panelWidth));
    }

    private static void TransposePart<TVector>(float* source, long stride, int width, int panelWidth, int length, float* panel)
        where TVector : struct, IFloatVector<TVector>
    {
        int j = 0;
        if (TVector.Count == 16)
        {
            for (; j <= width - 16; j += 16)
                TransposeWide<Size16>(source + (j * stride), stride, panelWidth, length, panel + j);
            if (j == 0 && width == 12)
            {
                TransposeWide<Size12>(source, stride, panelWidth, length, panel);
                j = 12;
            }
        }

        if (TVector.Count > 1)
        {
            for (; j <= width - 4; j += 4)
                TransposeFour(source + (j * stride), stride, panelWidth, length, panel + j);

            // The rows that are left, with some that are done.
            if (j < width && width >= 4)
            {
                TransposeFour(source + ((width - 4) * stride), stride, panelWidth, length, panel + width - 4);
                j = width;
            }
        }

        for (; j < width; j++)
        {
            float* row = source + (j * stride);
            for (int i = 0; i < length; i++)
                panel[(i * panelWidth) + j] = row[i];
        }

        for (; j < panelWidth; j++)
        {
            for (int i = 0; i < length; i++)
                panel[(i * panelWidth) + j] = 0;
        }
    }

    private static void TransposeFour(float* source, long stride, int panelWidth, int length, float* panel)
    {
        float* r0 = source, r1 = r0 + stride, r2 = r1 + stride, r3 = r2 + stride;
        int i = 0;
        for (; i <= length - 4; i += 4)
        {
            var (low02, high02) = Interleave.Halves(Vector128.Load(r0 + i), Vector128.Load(r2 + i));
            var (low13, high13) = Interleave.Halves(Vector128.Load(r1 + i), Vector128.Load(r3 + i));
            var (c0, c1) = Interleave.Halves(low02, low13);
            var (c2, c3) = Interleave.Halves(high02, high13);
            c0.Store(panel);
            c1.Store(panel + panelWidth);
            c2.Store(panel + (2 * panelWidth));
            c3.Store(panel + (3 * panelWidth));
            panel += 4 * panelWidth;
        }

        for (; i < length; i++)
        {
            panel[0] = r0[i];
            panel[1] = r1[i];
            panel[2] = r2[i];
            panel[3] = r3[i];
            panel += panelWidth;
        }
    }

    // Twelve or sixteen rows, four k at a time: every vector holds the same four k of rows that are four apart, so that one transposition of 4 x 4 in all its
    // quarters gives whole rows of the panel.
    private static void TransposeWide<TRows>(float* source, long stride, int panelWidth, int length, float* panel)
        where TRows : struct, ITileSize
    {
        int i = 0;
        for (; i <= length - 4; i += 4)
        {
            var r0 = Quarters<TRows>(source + i, stride);
            var r1 = Quarters<TRows>(source + i + stride, stride);
            var r2 = Quarters<TRows>(source + i + (2 * stride), stride);
            var r3 = Quarters<TRows>(source + i + (3 * stride), stride);
            var low02 = Avx512F.UnpackLow(r0, r2);
            var high02 = Avx512F.UnpackHigh(r0, r2);
            var low13 = Avx512F.UnpackLow(r1, r3);
            var high13 = Avx512F.UnpackHigh(r1, r3);
            Store<TRows>(Avx512F.UnpackLow(low02, low13), panel);
            Store<TRows>(Avx512F.UnpackHigh(low02, low13), panel + panelWidth);
            Store<TRows>(Avx512F.UnpackLow(high02, high13), panel + (2 * panelWidth));
            Store<TRows>(Avx512F.UnpackHigh(high02, high13), panel + (3 * panelWidth));
            panel += 4 * panelWidth;
        }

        for (; i < length; i++)
        {
            for (int j = 0; j < TRows.Count; j++)
                panel[j] = source[(j * stride) + i];
            panel += panelWidth;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Quarters<TRows>(float* source, long stride)
        where TRows : struct, ITileSize
    {
        var lower = Vector256.Create(Vector128.Load(source), Vector128.Load(source + (4 * stride)));
        var third = Vector128.Load(source + (8 * stride));
        return Vector512.Create(lower, TRows.Count == 12 ? third.ToVector256Unsafe() : Vector256.Create(third, Vector128.Load(source + (12 * stride))));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TRows>(Vector512<float> row, float* panel)
        where TRows : struct, ITileSize
    {
        if (TRows.Count == 12)
        {
            row.GetLower().Store(panel);
            row.GetUpper().GetLower().Store(panel + 8);
        }
        else
        {
            row.Store(panel);
        }
    }
}
