using System.Runtime.CompilerServices;

namespace CudaSeq.Kernels;

/// <summary>What a tile of <see cref="RegisterTile"/> reads and writes.</summary>
internal unsafe ref struct TileOperands
{
    /// <summary>Length of the sums.</summary>
    public required int Steps { get; init; }

    /// <summary>Element (i, k) lies at i * ARow + k * AStep.</summary>
    public required float* A { get; init; }

    public required nint ARow { get; init; }

    public required nint AStep { get; init; }

    /// <summary>Row k lies at k * BRow and is read in whole vectors.</summary>
    public required float* B { get; init; }

    public required nint BRow { get; init; }

    /// <summary>Row i lies at i * CRow.</summary>
    public required float* C { get; init; }

    public required nint CRow { get; init; }

    /// <summary>Lanes of the tile's last vector that are written.</summary>
    public required int LastLanes { get; init; }

    /// <summary>Whether the sums are added to C.</summary>
    public required bool Accumulate { get; init; }

    /// <summary>What the sums of row i are multiplied by lies at i * FactorStep.</summary>
    public required float* Factors { get; init; }

    public required nint FactorStep { get; init; }
}

/// <summary>
/// c[i, j] = [c[i, j] +] f[i] sum_k a[i, k] b[k, j] for up to six rows by four vectors (two where there are 16 registers). A is read where it lies, so that small
/// products need no copy of it, transposed or not. Every sum runs in the order of k, whatever the tile.
/// </summary>
internal static unsafe class RegisterTile
{
    /// <summary>The rows of the tile that begins <paramref name="rows"/> rows.</summary>
    public static int Height(int rows) => rows switch
    {
        1 => 1,
        2 or 3 => 2,
        4 or 5 or 7 or 8 => 4,
        _ => 6,
    };

    public static void Multiply<TVector>(int rows, int vectors, in TileOperands tile)
        where TVector : struct, IFloatVector<TVector>
    {
        if (TVector.Count == 16 && vectors == 4)
            Multiply<TVector, Size4>(rows, tile);
        else if (vectors == 2)
            Multiply<TVector, Size2>(rows, tile);
        else
            Multiply<TVector, Size1>(rows, tile);
    }

    private static void Multiply<TVector, TVectors>(int rows, in TileOperands tile)
        where TVector : struct, IFloatVector<TVector>
        where TVectors : struct, ITileSize
    {
        switch (rows)
        {
            case 6: Multiply<TVector, Size6, TVectors>(tile); break;
            case 4: Multiply<TVector, Size4, TVectors>(tile); break;
            case 2: Multiply<TVector, Size2, TVectors>(tile); break;
            default: Multiply<TVector, Size1, TVectors>(tile); break;
        }
    }

    // Nothing in here may be a call: a call makes the compiler keep the sums in memory throughout the loop.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Multiply<TVector, TRows, TVectors>(in TileOperands tile)
        where TVector : struct, IFloatVector<TVector>
        where TRows : struct, ITileSize
        where TVectors : struct, ITileSize
    {
        TVector c00 = default, c01 = default, c02 = default, c03 = default, c10 = default, c11 = default, c12 = default, c13 = default;
        TVector c20 = default, c21 = default, c22 = default, c23 = default, c30 = default, c31 = default, c32 = default, c33 = default;
        TVector c40 = default, c41 = default, c42 = default, c43 = default, c50 = default, c51 = default, c52 = default, c53 = default;
        float* a0 = tile.A, a1 = a0 + tile.ARow, a2 = a1 + tile.ARow, a3 = a2 + tile.ARow, a4 = a3 + tile.ARow, a5 = a4 + tile.ARow, b = tile.B;
        nint at = 0, step = tile.AStep, bRow = tile.BRow;
        for (int k = tile.Steps; k > 0; k--)
        {
            var b0 = TVector.Load(b);
            var b1 = TVectors.Count > 1 ? TVector.Load(b + TVector.Count) : default;
            var b2 = TVectors.Count > 2 ? TVector.Load(b + (2 * TVector.Count)) : default;
            var b3 = TVectors.Count > 2 ? TVector.Load(b + (3 * TVector.Count)) : default;
            Row<TVector, TVectors>(a0[at], b0, b1, b2, b3, ref c00, ref c01, ref c02, ref c03);
            if (TRows.Count > 1)
                Row<TVector, TVectors>(a1[at], b0, b1, b2, b3, ref c10, ref c11, ref c12, ref c13);
            if (TRows.Count > 2)
            {
                Row<TVector, TVectors>(a2[at], b0, b1, b2, b3, ref c20, ref c21, ref c22, ref c23);
                Row<TVector, TVectors>(a3[at], b0, b1, b2, b3, ref c30, ref c31, ref c32, ref c33);
            }

            if (TRows.Count > 4)
            {
                Row<TVector, TVectors>(a4[at], b0, b1, b2, b3, ref c40, ref c41, ref c42, ref c43);
                Row<TVector, TVectors>(a5[at], b0, b1, b2, b3, ref c50, ref c51, ref c52, ref c53);
            }

            at += step;
            b += bRow;
        }

        float* c = tile.C;
        float* f = tile.Factors;
        nint cRow = tile.CRow, fStep = tile.FactorStep;
        int lanes = tile.LastLanes;
        bool accumulate = tile.Accumulate;
        Put<TVector, TVectors>(ref c, cRow, ref f, fStep, lanes, accumulate, c00, c01, c02, c03);
        if (TRows.Count > 1)
            Put<TVector, TVectors>(ref c, cRow, ref f, fStep, lanes, accumulate, c10, c11, c12, c13);
        if (TRows.Count > 2)
        {
            Put<TVector, TVectors>(ref c, cRow, ref f, fStep, lanes, accumulate, c20, c21, c22, c23);
            Put<TVector, TVectors>(ref c, cRow, ref f, fStep, lanes, accumulate, c30, c31, c32, c33);
        }

        if (TRows.Count > 4)
        {
            Put<TVector, TVectors>(ref c, cRow, ref f, fStep, lanes, accumulate, c40, c41, c42, c43);
            Put<TVector, TVectors>(ref c, cRow, ref f, fStep, lanes, accumulate, c50, c51, c52, c53);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Row<TVector, TVectors>(
        float a, TVector b0, TVector b1, TVector b2, TVector b3, ref TVector c0, ref TVector c1, ref TVector c2, ref TVector c3)
        where TVector : struct, IFloatVector<TVector>
        where TVectors : struct, ITileSize
    {
        var x = TVector.Broadcast(a);
        c0 = TVector.MultiplyAdd(x, b0, c0);
        if (TVectors.Count > 1)
            c1 = TVector.MultiplyAdd(x, b1, c1);
        if (TVectors.Count > 2)
        {
            c2 = TVector.MultiplyAdd(x, b2, c2);
            c3 = TVector.MultiplyAdd(x, b3, c3);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put<TVector, TVectors>(
        ref float* c, nint cRow, ref float* f, nint fStep, int lastLanes, bool accumulate, TVector c0, TVector c1, TVector c2, TVector c3)
        where TVector : struct, IFloatVector<TVector>
        where TVectors : struct, ITileSize
    {
        var factor = TVector.Broadcast(*f);
        c0 *= factor;
        c1 *= factor;
        c2 *= factor;
        c3 *= factor;
        if (accumulate)
        {
            float* last = c + ((TVectors.Count - 1) * TVector.Count);
            var given = lastLanes == TVector.Count ? TVector.Load(last) : TVector.LoadPartial(last, lastLanes);
            c0 += TVectors.Count == 1 ? given : TVector.Load(c);
            if (TVectors.Count == 2)
                c1 += given;
            if (TVectors.Count > 2)
            {
                c1 += TVector.Load(c + TVector.Count);
                c2 += TVector.Load(c + (2 * TVector.Count));
                c3 += given;
            }
        }

        if (TVectors.Count > 1)
            c0.Store(c);
        if (TVectors.Count > 2)
        {
            c1.Store(c + TVector.Count);
            c2.Store(c + (2 * TVector.Count));
        }

        var end = TVectors.Count == 1 ? c0 : TVectors.Count == 2 ? c1 : c3;
        float* at = c + ((TVectors.Count - 1) * TVector.Count);
        if (lastLanes == TVector.Count)
            end.Store(at);
        else
            end.StorePartial(at, lastLanes);
        c += cRow;
        f += fStep;
    }
}
