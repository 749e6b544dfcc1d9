using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace CudaSeq.Kernels;

/// <summary>Rows of a matrix become columns as wide as a vector, in registers.</summary>
internal static unsafe class Transposition
{
    /// <summary>y[d, i] = x[i, d] for d below <paramref name="depth"/> and i below the vector's width; 0 where i is not below <paramref name="rows"/>.</summary>
    /// <param name="x">Row i lies at i * <paramref name="xRow"/>.</param>
    /// <param name="xRow">Distance of rows of x.</param>
    /// <param name="rows">Rows that exist, 1 .. the vector's width.</param>
    /// <param name="depth">Elements of a row.</param>
    /// <param name="y">Row d lies at d * <paramref name="yRow"/>.</param>
    /// <param name="yRow">Distance of rows of y.</param>
    public static void Columns<TVector>(float* x, nint xRow, int rows, int depth, float* y, nint yRow)
        where TVector : struct, IFloatVector<TVector>
    {
        int d = 0;
        if (TVector.Count == 16)
        {
            for (; d <= depth - 16; d += 16)
                Sixteen(x + d, xRow, rows, y + (d * yRow), yRow);
        }

        if (TVector.Count >= 4)
        {
            for (; d <= depth - 4; d += 4)
            {
                for (int i = 0; i < TVector.Count; i += 4)
                    Four(x + (i * xRow) + d, xRow, rows - i, y + (d * yRow) + i, yRow);
            }
        }

        for (; d < depth; d++)
        {
            for (int i = 0; i < TVector.Count; i++)
                y[(d * yRow) + i] = i < rows ? x[(i * xRow) + d] : 0;
        }
    }

    // 16 x 16: whole cache lines in, whole cache lines out.
    private static void Sixteen(float* x, nint xRow, int rows, float* y, nint yRow)
    {
        FourRows(x, xRow, rows, out var a0, out var a1, out var a2, out var a3);
        FourRows(x + (4 * xRow), xRow, rows - 4, out var b0, out var b1, out var b2, out var b3);
        FourRows(x + (8 * xRow), xRow, rows - 8, out var c0, out var c1, out var c2, out var c3);
        FourRows(x + (12 * xRow), xRow, rows - 12, out var d0, out var d1, out var d2, out var d3);
        Quarters(a0, b0, c0, d0, y, yRow);
        Quarters(a1, b1, c1, d1, y + yRow, yRow);
        Quarters(a2, b2, c2, d2, y + (2 * yRow), yRow);
        Quarters(a3, b3, c3, d3, y + (3 * yRow), yRow);
    }

    // Four rows with each of their four 4 x 4 blocks transposed: vector j holds columns j, 4 + j, 8 + j and 12 + j.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FourRows(
        float* x, nint xRow, int rows, out Vector512<float> c0, out Vector512<float> c1, out Vector512<float> c2, out Vector512<float> c3)
    {
        var r0 = rows > 0 ? Vector512.Load(x) : default;
        var r1 = rows > 1 ? Vector512.Load(x + xRow) : default;
        var r2 = rows > 2 ? Vector512.Load(x + (2 * xRow)) : default;
        var r3 = rows > 3 ? Vector512.Load(x + (3 * xRow)) : default;
        var low01 = Avx512F.UnpackLow(r0, r1);
        var high01 = Avx512F.UnpackHigh(r0, r1);
        var low23 = Avx512F.UnpackLow(r2, r3);
        var high23 = Avx512F.UnpackHigh(r2, r3);
        c0 = Avx512F.Shuffle(low01, low23, 0x44);
        c1 = Avx512F.Shuffle(low01, low23, 0xEE);
        c2 = Avx512F.Shuffle(high01, high23, 0x44);
        c3 = Avx512F.Shuffle(high01, high23, 0xEE);
    }

    // Quarter l of each of the four goes to row 4 l of y.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Quarters(Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d, float* y, nint yRow)
    {
        var evenAB = Avx512F.Shuffle4x128(a, b, 0x88);
        var oddAB = Avx512F.Shuffle4x128(a, b, 0xDD);
        var evenCD = Avx512F.Shuffle4x128(c, d, 0x88);
        var oddCD = Avx512F.Shuffle4x128(c, d, 0xDD);
        Avx512F.Shuffle4x128(evenAB, evenCD, 0x88).Store(y);
        Avx512F.Shuffle4x128(oddAB, oddCD, 0x88).Store(y + (4 * yRow));
        Avx512F.Shuffle4x128(evenAB, evenCD, 0xDD).Store(y + (8 * yRow));
        Avx512F.Shuffle4x128(oddAB, oddCD, 0xDD).Store(y + (12 * yRow));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Four(float* x, nint xRow, int rows, float* y, nint yRow)
    {
        var r0 = rows > 0 ? Vector128.Load(x) : default;
        var r1 = rows > 1 ? Vector128.Load(x + xRow) : default;
        var r2 = rows > 2 ? Vector128.Load(x + (2 * xRow)) : default;
        var r3 = rows > 3 ? Vector128.Load(x + (3 * xRow)) : default;
        var (even0, odd0) = Interleaved(r0, r2);
        var (even1, odd1) = Interleaved(r1, r3);
        var (c0, c1) = Interleaved(even0, even1);
        var (c2, c3) = Interleaved(odd0, odd1);
        c0.Store(y);
        c1.Store(y + yRow);
        c2.Store(y + (2 * yRow));
        c3.Store(y + (3 * yRow));
    }

    // (a0 b0 a1 b1, a2 b2 a3 b3)
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector128<float> Low, Vector128<float> High) Interleaved(Vector128<float> a, Vector128<float> b)
        => Sse.IsSupported ? (Sse.UnpackLow(a, b), Sse.UnpackHigh(a, b))
            : AdvSimd.Arm64.IsSupported ? (AdvSimd.Arm64.ZipLow(a, b), AdvSimd.Arm64.ZipHigh(a, b))
            : (Vector128.Create(a[0], b[0], a[1], b[1]), Vector128.Create(a[2], b[2], a[3], b[3]));
}
