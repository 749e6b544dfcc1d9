using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CudaSeq.Kernels;

// Register tiles of Outer: four rows of dy against a few rows of x, over all channels.
internal static unsafe partial class BandedProduct
{
    // g[i * gStride + j] = dy[i] . x[first + j] for i and j in 0 .. 3; rows of x after last repeat it.
    private static void OuterTile4(
        float* dy, nint dyStride, float* x, nint xStride, int first, int last, int channels, float* g, nint gStride)
    {
        float* dy1 = dy + dyStride, dy2 = dy1 + dyStride, dy3 = dy2 + dyStride;
        float* x0 = x + (first * xStride), x1 = x + (Math.Min(first + 1, last) * xStride);
        float* x2 = x + (Math.Min(first + 2, last) * xStride), x3 = x + (Math.Min(first + 3, last) * xStride);
        Vector512<float> a0 = default, a1 = default, a2 = default, a3 = default;
        Vector512<float> b0 = default, b1 = default, b2 = default, b3 = default;
        Vector512<float> c0 = default, c1 = default, c2 = default, c3 = default;
        Vector512<float> d0 = default, d1 = default, d2 = default, d3 = default;
        int c = 0;
        for (; c <= channels - 16; c += 16)
        {
            Vector512<float> r0 = Vector512.Load(x0 + c), r1 = Vector512.Load(x1 + c), r2 = Vector512.Load(x2 + c), r3 = Vector512.Load(x3 + c);
            var s = Vector512.Load(dy + c);
            a0 = Avx512F.FusedMultiplyAdd(s, r0, a0);
            a1 = Avx512F.FusedMultiplyAdd(s, r1, a1);
            a2 = Avx512F.FusedMultiplyAdd(s, r2, a2);
            a3 = Avx512F.FusedMultiplyAdd(s, r3, a3);
            s = Vector512.Load(dy1 + c);
            b0 = Avx512F.FusedMultiplyAdd(s, r0, b0);
            b1 = Avx512F.FusedMultiplyAdd(s, r1, b1);
            b2 = Avx512F.FusedMultiplyAdd(s, r2, b2);
            b3 = Avx512F.FusedMultiplyAdd(s, r3, b3);
            s = Vector512.Load(dy2 + c);
            c0 = Avx512F.FusedMultiplyAdd(s, r0, c0);
            c1 = Avx512F.FusedMultiplyAdd(s, r1, c1);
            c2 = Avx512F.FusedMultiplyAdd(s, r2, c2);
            c3 = Avx512F.FusedMultiplyAdd(s, r3, c3);
            s = Vector512.Load(dy3 + c);
            d0 = Avx512F.FusedMultiplyAdd(s, r0, d0);
            d1 = Avx512F.FusedMultiplyAdd(s, r1, d1);
            d2 = Avx512F.FusedMultiplyAdd(s, r2, d2);
            d3 = Avx512F.FusedMultiplyAdd(s, r3, d3);
        }

        if (c < channels)
        {
            int rest = channels - c;
            Vector512<float> r0 = Part(x0 + c, rest), r1 = Part(x1 + c, rest), r2 = Part(x2 + c, rest), r3 = Part(x3 + c, rest);
            var s = Part(dy + c, rest);
            a0 = Avx512F.FusedMultiplyAdd(s, r0, a0);
            a1 = Avx512F.FusedMultiplyAdd(s, r1, a1);
            a2 = Avx512F.FusedMultiplyAdd(s, r2, a2);
            a3 = Avx512F.FusedMultiplyAdd(s, r3, a3);
            s = Part(dy1 + c, rest);
            b0 = Avx512F.FusedMultiplyAdd(s, r0, b0);
            b1 = Avx512F.FusedMultiplyAdd(s, r1, b1);
            b2 = Avx512F.FusedMultiplyAdd(s, r2, b2);
            b3 = Avx512F.FusedMultiplyAdd(s, r3, b3);
            s = Part(dy2 + c, rest);
            c0 = Avx512F.FusedMultiplyAdd(s, r0, c0);
            c1 = Avx512F.FusedMultiplyAdd(s, r1, c1);
            c2 = Avx512F.FusedMultiplyAdd(s, r2, c2);
            c3 = Avx512F.FusedMultiplyAdd(s, r3, c3);
            s = Part(dy3 + c, rest);
            d0 = Avx512F.FusedMultiplyAdd(s, r0, d0);
            d1 = Avx512F.FusedMultiplyAdd(s, r1, d1);
            d2 = Avx512F.FusedMultiplyAdd(s, r2, d2);
            d3 = Avx512F.FusedMultiplyAdd(s, r3, d3);
        }

        // After Rows, quarter i of vector j holds partial sums of (i, j); after the two unpacking steps, its lane j holds their total.
        Vector512<float> s0 = Rows(a0, b0, c0, d0), s1 = Rows(a1, b1, c1, d1), s2 = Rows(a2, b2, c2, d2), s3 = Rows(a3, b3, c3, d3);
        var even = (Avx512F.UnpackLow(s0, s1) + Avx512F.UnpackHigh(s0, s1)).AsDouble();
        var odd = (Avx512F.UnpackLow(s2, s3) + Avx512F.UnpackHigh(s2, s3)).AsDouble();
        var total = Avx512F.UnpackLow(even, odd).AsSingle() + Avx512F.UnpackHigh(even, odd).AsSingle();
        Avx512F.ExtractVector128(total, 0).Store(g);
        Avx512F.ExtractVector128(total, 1).Store(g + gStride);
        Avx512F.ExtractVector128(total, 2).Store(g + (2 * gStride));
        Avx512F.ExtractVector128(total, 3).Store(g + (3 * gStride));
    }

    // Quarter i of the result is the sum of the quarters of argument i.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Rows(Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d)
    {
        var ab = Avx512F.Shuffle4x128(a, b, 0b01_00_01_00) + Avx512F.Shuffle4x128(a, b, 0b11_10_11_10);
        var cd = Avx512F.Shuffle4x128(c, d, 0b01_00_01_00) + Avx512F.Shuffle4x128(c, d, 0b11_10_11_10);
        return Avx512F.Shuffle4x128(ab, cd, 0b10_00_10_00) + Avx512F.Shuffle4x128(ab, cd, 0b11_01_11_01);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Part(float* source, int count) => Float512.LoadPartial(source, count).Value;

    // The same for two rows of x, of any width: eight accumulators where there are 16 registers.
    private static void OuterTile2<TVector>(
        float* dy, nint dyStride, float* x, nint xStride, int first, int last, int channels, float* g, nint gStride)
        where TVector : struct, IFloatVector<TVector>
    {
        float* dy1 = dy + dyStride, dy2 = dy1 + dyStride, dy3 = dy2 + dyStride;
        float* x0 = x + (first * xStride), x1 = x + (Math.Min(first + 1, last) * xStride);
        TVector a0 = TVector.Zero, a1 = TVector.Zero, b0 = TVector.Zero, b1 = TVector.Zero;
        TVector c0 = TVector.Zero, c1 = TVector.Zero, d0 = TVector.Zero, d1 = TVector.Zero;
        for (int c = 0; c < channels; c += TVector.Count)
        {
            int rest = channels - c;
            bool whole = rest >= TVector.Count;
            var r0 = whole ? TVector.Load(x0 + c) : TVector.LoadPartial(x0 + c, rest);
            var r1 = whole ? TVector.Load(x1 + c) : TVector.LoadPartial(x1 + c, rest);
            var s = whole ? TVector.Load(dy + c) : TVector.LoadPartial(dy + c, rest);
            a0 = TVector.MultiplyAdd(s, r0, a0);
            a1 = TVector.MultiplyAdd(s, r1, a1);
            s = whole ? TVector.Load(dy1 + c) : TVector.LoadPartial(dy1 + c, rest);
            b0 = TVector.MultiplyAdd(s, r0, b0);
            b1 = TVector.MultiplyAdd(s, r1, b1);
            s = whole ? TVector.Load(dy2 + c) : TVector.LoadPartial(dy2 + c, rest);
            c0 = TVector.MultiplyAdd(s, r0, c0);
            c1 = TVector.MultiplyAdd(s, r1, c1);
            s = whole ? TVector.Load(dy3 + c) : TVector.LoadPartial(dy3 + c, rest);
            d0 = TVector.MultiplyAdd(s, r0, d0);
            d1 = TVector.MultiplyAdd(s, r1, d1);
        }

        g[0] = a0.Sum();
        g[1] = a1.Sum();
        g += gStride;
        g[0] = b0.Sum();
        g[1] = b1.Sum();
        g += gStride;
        g[0] = c0.Sum();
        g[1] = c1.Sum();
        g += gStride;
        g[0] = d0.Sum();
        g[1] = d1.Sum();
    }
}
