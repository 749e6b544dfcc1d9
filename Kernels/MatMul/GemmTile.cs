using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace CudaSeq.Kernels;

/// <summary>A number the compiler knows: the rows or the vectors of a register tile, so that every tile size becomes its own straight code.</summary>
internal interface ITileSize
{
    static abstract int Count { get; }
}

internal readonly struct Size1 : ITileSize
{
    public static int Count => 1;
}

internal readonly struct Size2 : ITileSize
{
    public static int Count => 2;
}

internal readonly struct Size4 : ITileSize
{
    public static int Count => 4;
}

internal readonly struct Size6 : ITileSize
{
    public static int Count => 6;
}

internal readonly struct Size8 : ITileSize
{
    public static int Count => 8;
}

internal readonly struct Size12 : ITileSize
{
    public static int Count => 12;
}

internal readonly struct Size16 : ITileSize
{
    public static int Count => 16;
}

/// <summary>Memory that the second-level cache fetches while a tile is computed: one address for each k.</summary>
/// <param name="start">The first address.</param>
/// <param name="step">Floats from one to the next; lines that come more than once cost nothing.</param>
internal readonly unsafe struct Ahead(float* start, long step)
{
    public float* Start { get; } = start;

    public long Step { get; } = step;
}

/// <summary>
/// The innermost product: up to 12 rows by two vectors of C live in registers while k runs. A lies where its strides say, in a panel [K, rows] without gaps or
/// in rows of its own; row k of B begins at b + k * strideB and is read one or two whole vectors wide. Every element of C is one chain of fused additions in the order of k, whatever the tile,
/// so that results depend neither on blocking nor on the number of rows.
/// </summary>
internal static unsafe class GemmTile
{
    /// <summary>The rows of the largest tile: 24 accumulators of 32 registers with AVX-512, 12 of 16 elsewhere.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int MaxRows<TVector>()
        where TVector : struct, IFloatVector<TVector>
        => TVector.Count == 16 ? 12 : 6;

    /// <summary>The columns of a panel of B: two vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int PanelColumns<TVector>()
        where TVector : struct, IFloatVector<TVector>
        => 2 * TVector.Count;

    /// <summary>The rows of the tile that serves <paramref name="rows"/> (1 .. MaxRows) rows of C: the width of A's panel.</summary>
    public static int TileRows<TVector>(int rows)
        where TVector : struct, IFloatVector<TVector>
        => rows switch
        {
            1 => 1,
            2 => 2,
            <= 4 => 4,
            <= 6 when TVector.Count != 16 => 6,
            <= 8 => 8,
            _ => 12,
        };

    /// <summary>C (rows by one or two vectors, stride <paramref name="strideC"/>) = [C +] A B. Reads and writes whole vectors.</summary>
    /// <param name="tileRows">What <see cref="TileRows"/> says.</param>
    /// <param name="vectors">1 or 2.</param>
    /// <param name="k">Length of the sums.</param>
    /// <param name="a">Row 0 of A at the first k.</param>
    /// <param name="rowA">Floats from one row of A to the next: 1 in a panel.</param>
    /// <param name="stepA">Floats from one k to the next: 1 in rows.</param>
    /// <param name="b">k rows of <paramref name="vectors"/> vectors.</param>
    /// <param name="strideB">Floats from one row of B to the next.</param>
    /// <param name="c">tileRows rows of <paramref name="vectors"/> vectors.</param>
    /// <param name="strideC">Floats from one row of C to the next.</param>
    /// <param name="accumulate">Whether the sums begin with what C holds.</param>
    /// <param name="ahead">What the tiles after this one read.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Multiply<TVector>(int tileRows, int vectors, int k, float* a, long rowA, long stepA, float* b, long strideB, float* c, long strideC, bool accumulate, Ahead ahead)
        where TVector : struct, IFloatVector<TVector>
    {
        if (vectors == 2)
            Multiply<TVector, Size2>(tileRows, k, a, rowA, stepA, b, strideB, c, strideC, accumulate, ahead);
        else
            Multiply<TVector, Size1>(tileRows, k, a, rowA, stepA, b, strideB, c, strideC, accumulate, ahead);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Multiply<TVector, TVectors>(int tileRows, int k, float* a, long rowA, long stepA, float* b, long strideB, float* c, long strideC, bool accumulate, Ahead ahead)
        where TVector : struct, IFloatVector<TVector>
        where TVectors : struct, ITileSize
    {
        switch (tileRows)
        {
            case 12: Multiply<TVector, Size12, TVectors>(k, a, rowA, stepA, b, strideB, c, strideC, accumulate, ahead); break;
            case 8: Multiply<TVector, Size8, TVectors>(k, a, rowA, stepA, b, strideB, c, strideC, accumulate, ahead); break;
            case 6: Multiply<TVector, Size6, TVectors>(k, a, rowA, stepA, b, strideB, c, strideC, accumulate, ahead); break;
            case 4: Multiply<TVector, Size4, TVectors>(k, a, rowA, stepA, b, strideB, c, strideC, accumulate, ahead); break;
            case 2: Multiply<TVector, Size2, TVectors>(k, a, rowA, stepA, b, strideB, c, strideC, accumulate, ahead); break;
            default: Multiply<TVector, Size1, TVectors>(k, a, rowA, stepA, b, strideB, c, strideC, accumulate, ahead); break;
        }
    }

    // Optimised at its first call, whatever the host says about tiers.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Multiply<TVector, TRows, TVectors>(int k, float* a, long rowA, long stepA, float* b, long strideB, float* c, long strideC, bool accumulate, Ahead ahead)
        where TVector : struct, IFloatVector<TVector>
        where TRows : struct, ITileSize
        where TVectors : struct, ITileSize
    {
        TVector l0 = default, l1 = default, l2 = default, l3 = default, l4 = default, l5 = default;
        TVector l6 = default, l7 = default, l8 = default, l9 = default, l10 = default, l11 = default;
        TVector r0 = default, r1 = default, r2 = default, r3 = default, r4 = default, r5 = default;
        TVector r6 = default, r7 = default, r8 = default, r9 = default, r10 = default, r11 = default;
        if (accumulate)
        {
            float* row = c;
            Take<TVector, TVectors>(ref row, strideC, ref l0, ref r0);
            if (TRows.Count > 1)
                Take<TVector, TVectors>(ref row, strideC, ref l1, ref r1);
            if (TRows.Count > 2)
            {
                Take<TVector, TVectors>(ref row, strideC, ref l2, ref r2);
                Take<TVector, TVectors>(ref row, strideC, ref l3, ref r3);
            }

            if (TRows.Count > 4)
            {
                Take<TVector, TVectors>(ref row, strideC, ref l4, ref r4);
                Take<TVector, TVectors>(ref row, strideC, ref l5, ref r5);
            }

            if (TRows.Count > 6)
            {
                Take<TVector, TVectors>(ref row, strideC, ref l6, ref r6);
                Take<TVector, TVectors>(ref row, strideC, ref l7, ref r7);
            }

            if (TRows.Count > 8)
            {
                Take<TVector, TVectors>(ref row, strideC, ref l8, ref r8);
                Take<TVector, TVectors>(ref row, strideC, ref l9, ref r9);
                Take<TVector, TVectors>(ref row, strideC, ref l10, ref r10);
                Take<TVector, TVectors>(ref row, strideC, ref l11, ref r11);
            }
        }

        // Four pointers and two strides reach all twelve rows without another register.
        float* next = ahead.Start, a3 = a + (3 * rowA), a6 = a + (6 * rowA), a9 = a + (9 * rowA);
        long twoRows = 2 * rowA;
        for (; k > 0; k--)
        {
            if (Sse.IsSupported)
                Sse.Prefetch1(next);
            next += ahead.Step;
            var left = TVector.Load(b);
            var right = TVectors.Count > 1 ? TVector.Load(b + TVector.Count) : TVector.Zero;
            Row<TVector, TVectors>(a, left, right, ref l0, ref r0);
            if (TRows.Count > 1)
                Row<TVector, TVectors>(a + rowA, left, right, ref l1, ref r1);
            if (TRows.Count > 2)
            {
                Row<TVector, TVectors>(a + twoRows, left, right, ref l2, ref r2);
                Row<TVector, TVectors>(a3, left, right, ref l3, ref r3);
            }

            if (TRows.Count > 4)
            {
                Row<TVector, TVectors>(a3 + rowA, left, right, ref l4, ref r4);
                Row<TVector, TVectors>(a3 + twoRows, left, right, ref l5, ref r5);
            }

            if (TRows.Count > 6)
            {
                Row<TVector, TVectors>(a6, left, right, ref l6, ref r6);
                Row<TVector, TVectors>(a6 + rowA, left, right, ref l7, ref r7);
            }

            if (TRows.Count > 8)
            {
                Row<TVector, TVectors>(a6 + twoRows, left, right, ref l8, ref r8);
                Row<TVector, TVectors>(a9, left, right, ref l9, ref r9);
                Row<TVector, TVectors>(a9 + rowA, left, right, ref l10, ref r10);
                Row<TVector, TVectors>(a9 + twoRows, left, right, ref l11, ref r11);
            }

            a += stepA;
            a3 += stepA;
            a6 += stepA;
            a9 += stepA;
            b += strideB;
        }

        Give<TVector, TVectors>(ref c, strideC, l0, r0);
        if (TRows.Count > 1)
            Give<TVector, TVectors>(ref c, strideC, l1, r1);
        if (TRows.Count > 2)
        {
            Give<TVector, TVectors>(ref c, strideC, l2, r2);
            Give<TVector, TVectors>(ref c, strideC, l3, r3);
        }

        if (TRows.Count > 4)
        {
            Give<TVector, TVectors>(ref c, strideC, l4, r4);
            Give<TVector, TVectors>(ref c, strideC, l5, r5);
        }

        if (TRows.Count > 6)
        {
            Give<TVector, TVectors>(ref c, strideC, l6, r6);
            Give<TVector, TVectors>(ref c, strideC, l7, r7);
        }

        if (TRows.Count > 8)
        {
            Give<TVector, TVectors>(ref c, strideC, l8, r8);
            Give<TVector, TVectors>(ref c, strideC, l9, r9);
            Give<TVector, TVectors>(ref c, strideC, l10, r10);
            Give<TVector, TVectors>(ref c, strideC, l11, r11);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Row<TVector, TVectors>(float* a, TVector left, TVector right, ref TVector l, ref TVector r)
        where TVector : struct, IFloatVector<TVector>
        where TVectors : struct, ITileSize
    {
        var x = TVector.Broadcast(*a);
        l = TVector.MultiplyAdd(x, left, l);
        if (TVectors.Count > 1)
            r = TVector.MultiplyAdd(x, right, r);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Take<TVector, TVectors>(ref float* row, long stride, ref TVector l, ref TVector r)
        where TVector : struct, IFloatVector<TVector>
        where TVectors : struct, ITileSize
    {
        l = TVector.Load(row);
        if (TVectors.Count > 1)
            r = TVector.Load(row + TVector.Count);
        row += stride;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Give<TVector, TVectors>(ref float* row, long stride, TVector l, TVector r)
        where TVector : struct, IFloatVector<TVector>
        where TVectors : struct, ITileSize
    {
        l.Store(row);
        if (TVectors.Count > 1)
            r.Store(row + TVector.Count);
        row += stride;
    }
}
