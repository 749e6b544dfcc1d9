using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CudaSeq.Kernels;

/// <summary>
/// Products of matrices small enough for the caches, without the packing of both sides that pays for large ones: c[i, j] = sum_k a[i, k] b[k, j], lanes along j,
/// four rows at a time in registers. b is a copy in scratch memory whose rows are whole vectors.
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

    /// <summary>c = a b or c += a b.</summary>
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
    /// <param name="accumulate">Add to c instead of overwriting it.</param>
    public static void Multiply<TVector>(
        int rows, int columns, int inner, float* a, nint aRow, nint aStep, float* b, nint bRow, float* c, nint cRow, bool accumulate)
        where TVector : struct, IFloatVector<TVector>
    {
        for (int k = 0; k == 0 || k < inner; k += InnerBlock)
        {
            int steps = Math.Min(InnerBlock, inner - k);
            for (int j = 0; j < columns;)
            {
                int left = columns - j;
                int vectors = TVector.Count == 16 && left > 3 * TVector.Count ? 4 : left > TVector.Count ? 2 : 1;
                for (int i = 0; i < rows; i += 4)
                {
                    var tile = new Tile(
                        a + (i * aRow) + (k * aStep), aRow, aStep, b + (k * bRow) + j, bRow, c + (i * cRow) + j, cRow, Math.Min(4, rows - i), left, steps, accumulate || k > 0);
                    if (vectors == 4)
                        FourVectors<TVector>(tile);
                    else if (vectors == 2)
                        TwoVectors<TVector>(tile);
                    else
                        OneVector<TVector>(tile);
                }

                j += vectors * TVector.Count;
            }
        }
    }

    /// <summary>
    /// Copies x [rows, depth] transposed and scaled into panels [ceil(rows / W), depth, W] with W = <see cref="TileColumns"/>; the last panel is filled with zeros.
    /// </summary>
    public static void PackTransposed<TVector>(float* x, nint xRow, int rows, int depth, float scale, float* panels)
        where TVector : struct, IFloatVector<TVector>
    {
        int width = TileColumns<TVector>();
        for (int s = 0; s < rows; s += width)
        {
            float* panel = panels + ((nint)s * depth);
            int filled = Math.Min(width, rows - s), i = 0;
            if (Sse.IsSupported && TVector.Count >= 4)
            {
                for (; i <= filled - 4; i += 4)
                    TransposeFour(x + ((s + i) * xRow), xRow, depth, scale, panel + i, width);
            }

            for (; i < filled; i++)
            {
                for (int d = 0; d < depth; d++)
                    panel[(d * width) + i] = x[((s + i) * xRow) + d] * scale;
            }

            for (int d = 0; filled < width && d < depth; d++)
                new Span<float>(panel + (d * width) + filled, width - filled).Clear();
        }
    }

    /// <summary>Copies x [rows, depth] scaled into y [rows, padded depth]; the padding is zero.</summary>
    public static void PackRows<TVector>(float* x, nint xRow, int rows, int depth, float scale, float* y)
        where TVector : struct, IFloatVector<TVector>
    {
        int padded = Padded<TVector>(depth);
        var f = TVector.Broadcast(scale);
        for (int i = 0; i < rows; i++)
        {
            float* from = x + (i * xRow);
            float* to = y + ((nint)i * padded);
            int d = 0;
            for (; d <= depth - TVector.Count; d += TVector.Count)
                (TVector.Load(from + d) * f).Store(to + d);
            if (d < depth)
                (TVector.LoadPartial(from + d, depth - d) * f).Store(to + d);
        }
    }

    private static void TransposeFour(float* x, nint xRow, int depth, float scale, float* y, int width)
    {
        var f = Vector128.Create(scale);
        int d = 0;
        for (; d <= depth - 4; d += 4)
        {
            var r0 = Vector128.Load(x + d) * f;
            var r1 = Vector128.Load(x + xRow + d) * f;
            var r2 = Vector128.Load(x + (2 * xRow) + d) * f;
            var r3 = Vector128.Load(x + (3 * xRow) + d) * f;
            var low01 = Sse.UnpackLow(r0, r1);
            var high01 = Sse.UnpackHigh(r0, r1);
            var low23 = Sse.UnpackLow(r2, r3);
            var high23 = Sse.UnpackHigh(r2, r3);
            Sse.MoveLowToHigh(low01, low23).Store(y + (d * width));
            Sse.MoveHighToLow(low23, low01).Store(y + ((d + 1) * width));
            Sse.MoveLowToHigh(high01, high23).Store(y + ((d + 2) * width));
            Sse.MoveHighToLow(high23, high01).Store(y + ((d + 3) * width));
        }

        for (; d < depth; d++)
        {
            for (int i = 0; i < 4; i++)
                y[(d * width) + i] = x[(i * xRow) + d] * scale;
        }
    }

    // Rows past the last repeat it: their sums are computed and not stored.
    private static void FourVectors<TVector>(in Tile t)
        where TVector : struct, IFloatVector<TVector>
    {
        float* a0 = t.A, a1 = t.Row(1), a2 = t.Row(2), a3 = t.Row(3), b = t.B;
        nint step = t.AStep, bRow = t.BRow;
        TVector c00 = TVector.Zero, c01 = c00, c02 = c00, c03 = c00, c10 = c00, c11 = c00, c12 = c00, c13 = c00;
        TVector c20 = c00, c21 = c00, c22 = c00, c23 = c00, c30 = c00, c31 = c00, c32 = c00, c33 = c00;
        nint at = 0;
        for (int k = t.Steps; k > 0; k--)
        {
            var b0 = TVector.Load(b);
            var b1 = TVector.Load(b + TVector.Count);
            var b2 = TVector.Load(b + (2 * TVector.Count));
            var b3 = TVector.Load(b + (3 * TVector.Count));
            var a = TVector.Broadcast(a0[at]);
            c00 = TVector.MultiplyAdd(a, b0, c00);
            c01 = TVector.MultiplyAdd(a, b1, c01);
            c02 = TVector.MultiplyAdd(a, b2, c02);
            c03 = TVector.MultiplyAdd(a, b3, c03);
            a = TVector.Broadcast(a1[at]);
            c10 = TVector.MultiplyAdd(a, b0, c10);
            c11 = TVector.MultiplyAdd(a, b1, c11);
            c12 = TVector.MultiplyAdd(a, b2, c12);
            c13 = TVector.MultiplyAdd(a, b3, c13);
            a = TVector.Broadcast(a2[at]);
            c20 = TVector.MultiplyAdd(a, b0, c20);
            c21 = TVector.MultiplyAdd(a, b1, c21);
            c22 = TVector.MultiplyAdd(a, b2, c22);
            c23 = TVector.MultiplyAdd(a, b3, c23);
            a = TVector.Broadcast(a3[at]);
            c30 = TVector.MultiplyAdd(a, b0, c30);
            c31 = TVector.MultiplyAdd(a, b1, c31);
            c32 = TVector.MultiplyAdd(a, b2, c32);
            c33 = TVector.MultiplyAdd(a, b3, c33);
            at += step;
            b += bRow;
        }

        Put4(t, 0, c00, c01, c02, c03);
        Put4(t, 1, c10, c11, c12, c13);
        Put4(t, 2, c20, c21, c22, c23);
        Put4(t, 3, c30, c31, c32, c33);
    }

    private static void TwoVectors<TVector>(in Tile t)
        where TVector : struct, IFloatVector<TVector>
    {
        float* a0 = t.A, a1 = t.Row(1), a2 = t.Row(2), a3 = t.Row(3), b = t.B;
        nint step = t.AStep, bRow = t.BRow;
        TVector c00 = TVector.Zero, c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00;
        nint at = 0;
        for (int k = t.Steps; k > 0; k--)
        {
            var b0 = TVector.Load(b);
            var b1 = TVector.Load(b + TVector.Count);
            var a = TVector.Broadcast(a0[at]);
            c00 = TVector.MultiplyAdd(a, b0, c00);
            c01 = TVector.MultiplyAdd(a, b1, c01);
            a = TVector.Broadcast(a1[at]);
            c10 = TVector.MultiplyAdd(a, b0, c10);
            c11 = TVector.MultiplyAdd(a, b1, c11);
            a = TVector.Broadcast(a2[at]);
            c20 = TVector.MultiplyAdd(a, b0, c20);
            c21 = TVector.MultiplyAdd(a, b1, c21);
            a = TVector.Broadcast(a3[at]);
            c30 = TVector.MultiplyAdd(a, b0, c30);
            c31 = TVector.MultiplyAdd(a, b1, c31);
            at += step;
            b += bRow;
        }

        Put2(t, 0, 0, c00, c01);
        Put2(t, 1, 0, c10, c11);
        Put2(t, 2, 0, c20, c21);
        Put2(t, 3, 0, c30, c31);
    }

    private static void OneVector<TVector>(in Tile t)
        where TVector : struct, IFloatVector<TVector>
    {
        float* a0 = t.A, a1 = t.Row(1), a2 = t.Row(2), a3 = t.Row(3), b = t.B;
        nint step = t.AStep, bRow = t.BRow;
        TVector c0 = TVector.Zero, c1 = c0, c2 = c0, c3 = c0;
        nint at = 0;
        for (int k = t.Steps; k > 0; k--)
        {
            var b0 = TVector.Load(b);
            c0 = TVector.MultiplyAdd(TVector.Broadcast(a0[at]), b0, c0);
            c1 = TVector.MultiplyAdd(TVector.Broadcast(a1[at]), b0, c1);
            c2 = TVector.MultiplyAdd(TVector.Broadcast(a2[at]), b0, c2);
            c3 = TVector.MultiplyAdd(TVector.Broadcast(a3[at]), b0, c3);
            at += step;
            b += bRow;
        }

        Put(t, 0, 0, c0);
        Put(t, 1, 0, c1);
        Put(t, 2, 0, c2);
        Put(t, 3, 0, c3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put4<TVector>(in Tile t, int row, TVector c0, TVector c1, TVector c2, TVector c3)
        where TVector : struct, IFloatVector<TVector>
    {
        Put2(t, row, 0, c0, c1);
        Put2(t, row, 2 * TVector.Count, c2, c3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put2<TVector>(in Tile t, int row, int column, TVector c0, TVector c1)
        where TVector : struct, IFloatVector<TVector>
    {
        Put(t, row, column, c0);
        Put(t, row, column + TVector.Count, c1);
    }

    private static void Put<TVector>(in Tile t, int row, int column, TVector sum)
        where TVector : struct, IFloatVector<TVector>
    {
        if (row >= t.Rows)
            return;
        float* c = t.C + (row * t.CRow) + column;
        int left = t.Columns - column;
        if (left >= TVector.Count)
            (t.Accumulate ? TVector.Load(c) + sum : sum).Store(c);
        else
            (t.Accumulate ? TVector.LoadPartial(c, left) + sum : sum).StorePartial(c, left);
    }

    private readonly struct Tile(float* a, nint aRow, nint aStep, float* b, nint bRow, float* c, nint cRow, int rows, int columns, int steps, bool accumulate)
    {
        public readonly float* A = a;
        public readonly nint ARow = aRow;
        public readonly nint AStep = aStep;
        public readonly float* B = b;
        public readonly nint BRow = bRow;
        public readonly float* C = c;
        public readonly nint CRow = cRow;
        public readonly int Rows = rows;
        public readonly int Columns = columns;
        public readonly int Steps = steps;
        public readonly bool Accumulate = accumulate;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public float* Row(int row) => A + (Math.Min(row, Rows - 1) * ARow);
    }
}
