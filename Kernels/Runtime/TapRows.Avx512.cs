using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CudaSeq.Kernels;

// Four short rows at once: what goes across lanes, the maxima and the sums, is done for all four in the steps that one alone would take.
// The softmax sums in the order of the loop for any number of rows, so that a row's bits do not depend on its neighbours.
internal static unsafe partial class TapRows
{
    // The longest row that two registers hold.
    private const int ShortRow = 32;

    // The softmax of as many rows as the loops below take; returns their number.
    private static int ShortRows(float* logits, int rows, int K, float* taps)
    {
        if (K > ShortRow)
            return 0;
        if (K > 16)
            return Softmax32(logits, rows, K, taps);
        int row = K <= 8 ? Softmax8(logits, rows, K, taps) : 0;
        return row + Softmax16(logits + ((nint)row * K), rows - row, K, taps + ((nint)row * K));
    }

    // The softmax of rows of 1 .. 8 taps, as many eights as there are, two rows to a vector.
    private static int Softmax8(float* logits, int rows, int K, float* taps)
    {
        // Rows lie side by side in memory; spread puts the second at lane 8, pack puts it back. Lane 15 of what was loaded is beyond the second row.
        var lanes = Vector512<int>.Indices;
        var inRow = lanes & Vector512.Create(7);
        var second = Vector512.GreaterThan(lanes, Vector512.Create(7));
        var spread = Vector512.ConditionalSelect(
            Vector512.LessThan(inRow, Vector512.Create(K)), inRow + (second & Vector512.Create(K)), Vector512.Create(15));
        var pack = lanes + (Vector512.GreaterThanOrEqual(lanes, Vector512.Create(K)) & Vector512.Create(8 - K));
        var mask = Vector512.LessThan(lanes, Vector512.Create(2 * K)).AsSingle();
        var beyond = Vector512.Create(float.NegativeInfinity);
        int row = 0;
        nint two = 2 * (nint)K, four = 4 * (nint)K, six = 6 * (nint)K;
        for (; row <= rows - 8; row += 8, logits += 8 * (nint)K, taps += 8 * (nint)K)
        {
            var a = Avx512F.PermuteVar16x32(Avx512F.MaskLoad(logits, mask, beyond), spread);
            var b = Avx512F.PermuteVar16x32(Avx512F.MaskLoad(logits + two, mask, beyond), spread);
            var c = Avx512F.PermuteVar16x32(Avx512F.MaskLoad(logits + four, mask, beyond), spread);
            var d = Avx512F.PermuteVar16x32(Avx512F.MaskLoad(logits + six, mask, beyond), spread);
            Vector512<float> largestAb = LargestOfHalves(a, b), largestCd = LargestOfHalves(c, d);
            a = Exp(a - Halves01(largestAb));
            b = Exp(b - Halves23(largestAb));
            c = Exp(c - Halves01(largestCd));
            d = Exp(d - Halves23(largestCd));
            var scaleAb = Vector512<float>.One / SumsOfHalves(a, b);
            var scaleCd = Vector512<float>.One / SumsOfHalves(c, d);
            Avx512F.MaskStore(taps, mask, Avx512F.PermuteVar16x32(a * Halves01(scaleAb), pack));
            Avx512F.MaskStore(taps + two, mask, Avx512F.PermuteVar16x32(b * Halves23(scaleAb), pack));
            Avx512F.MaskStore(taps + four, mask, Avx512F.PermuteVar16x32(c * Halves01(scaleCd), pack));
            Avx512F.MaskStore(taps + six, mask, Avx512F.PermuteVar16x32(d * Halves23(scaleCd), pack));
        }

        return row;
    }

    // The softmax of rows of 1 .. 16 taps, as many fours as there are.
    private static int Softmax16(float* logits, int rows, int K, float* taps)
    {
        var mask = Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(K)).AsSingle();
        var beyond = Vector512.Create(float.NegativeInfinity);
        int row = 0;
        nint two = 2 * (nint)K, three = 3 * (nint)K;
        for (; row <= rows - 4; row += 4, logits += 4 * (nint)K, taps += 4 * (nint)K)
        {
            var a = Avx512F.MaskLoad(logits, mask, beyond);
            var b = Avx512F.MaskLoad(logits + K, mask, beyond);
            var c = Avx512F.MaskLoad(logits + two, mask, beyond);
            var d = Avx512F.MaskLoad(logits + three, mask, beyond);
            var largest = LargestOfRows(a, b, c, d);
            a = Exp(a - Quarter0(largest));
            b = Exp(b - Quarter1(largest));
            c = Exp(c - Quarter2(largest));
            d = Exp(d - Quarter3(largest));
            var scale = Vector512<float>.One / SumsOfRows(a, b, c, d);
            Avx512F.MaskStore(taps, mask, a * Quarter0(scale));
            Avx512F.MaskStore(taps + K, mask, b * Quarter1(scale));
            Avx512F.MaskStore(taps + two, mask, c * Quarter2(scale));
            Avx512F.MaskStore(taps + three, mask, d * Quarter3(scale));
        }

        return row;
    }

    // The same for rows of 17 .. 32 taps.
    private static int Softmax32(float* logits, int rows, int K, float* taps)
    {
        var mask = Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(K - 16)).AsSingle();
        var beyond = Vector512.Create(float.NegativeInfinity);
        int row = 0;
        nint two = 2 * (nint)K, three = 3 * (nint)K;
        for (; row <= rows - 4; row += 4, logits += 4 * (nint)K, taps += 4 * (nint)K)
        {
            Vector512<float> a = Vector512.Load(logits), a1 = Avx512F.MaskLoad(logits + 16, mask, beyond);
            Vector512<float> b = Vector512.Load(logits + K), b1 = Avx512F.MaskLoad(logits + K + 16, mask, beyond);
            Vector512<float> c = Vector512.Load(logits + two), c1 = Avx512F.MaskLoad(logits + two + 16, mask, beyond);
            Vector512<float> d = Vector512.Load(logits + three), d1 = Avx512F.MaskLoad(logits + three + 16, mask, beyond);
            var largest = LargestOfRows(Avx512F.Max(a1, a), Avx512F.Max(b1, b), Avx512F.Max(c1, c), Avx512F.Max(d1, d));
            a = Exp(a - Quarter0(largest));
            a1 = Exp(a1 - Quarter0(largest));
            b = Exp(b - Quarter1(largest));
            b1 = Exp(b1 - Quarter1(largest));
            c = Exp(c - Quarter2(largest));
            c1 = Exp(c1 - Quarter2(largest));
            d = Exp(d - Quarter3(largest));
            d1 = Exp(d1 - Quarter3(largest));
            var scale = Vector512<float>.One / SumsOfRows(a + a1, b + b1, c + c1, d + d1);
            (a * Quarter0(scale)).Store(taps);
            Avx512F.MaskStore(taps + 16, mask, a1 * Quarter0(scale));
            (b * Quarter1(scale)).Store(taps + K);
            Avx512F.MaskStore(taps + K + 16, mask, b1 * Quarter1(scale));
            (c * Quarter2(scale)).Store(taps + two);
            Avx512F.MaskStore(taps + two + 16, mask, c1 * Quarter2(scale));
            (d * Quarter3(scale)).Store(taps + three);
            Avx512F.MaskStore(taps + three + 16, mask, d1 * Quarter3(scale));
        }

        return row;
    }

    // The softmax gradient of four rows of 1 .. 32 taps.
    private static void SoftmaxGradient4(
        int K, float* g, nint gStride, float* taps, float* before, nint tapStride, float* gradient, nint gradientStride)
    {
        var mask = Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(K)).AsSingle();
        var mask1 = Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(K - 16)).AsSingle();
        nint tap2 = 2 * tapStride, tap3 = 3 * tapStride, g2 = 2 * gStride, g3 = 3 * gStride;
        Vector512<float> a = Part(taps, mask) * Part(g, mask), b = Part(taps + tapStride, mask) * Part(g + gStride, mask);
        Vector512<float> c = Part(taps + tap2, mask) * Part(g + g2, mask), d = Part(taps + tap3, mask) * Part(g + g3, mask);
        if (K <= 16)
        {
            var dots = SumsOfRows(a, b, c, d);
            Avx512F.MaskStore(gradient, mask, a - (Part(before, mask) * Quarter0(dots)));
            Avx512F.MaskStore(gradient + gradientStride, mask, b - (Part(before + tapStride, mask) * Quarter1(dots)));
            Avx512F.MaskStore(gradient + (2 * gradientStride), mask, c - (Part(before + tap2, mask) * Quarter2(dots)));
            Avx512F.MaskStore(gradient + (3 * gradientStride), mask, d - (Part(before + tap3, mask) * Quarter3(dots)));
            return;
        }

        taps += 16;
        g += 16;
        Vector512<float> a1 = Part(taps, mask1) * Part(g, mask1), b1 = Part(taps + tapStride, mask1) * Part(g + gStride, mask1);
        Vector512<float> c1 = Part(taps + tap2, mask1) * Part(g + g2, mask1), d1 = Part(taps + tap3, mask1) * Part(g + g3, mask1);
        var sums = SumsOfRows(a + a1, b + b1, c + c1, d + d1);
        (a - (Vector512.Load(before) * Quarter0(sums))).Store(gradient);
        Avx512F.MaskStore(gradient + 16, mask1, a1 - (Part(before + 16, mask1) * Quarter0(sums)));
        before += tapStride;
        gradient += gradientStride;
        (b - (Vector512.Load(before) * Quarter1(sums))).Store(gradient);
        Avx512F.MaskStore(gradient + 16, mask1, b1 - (Part(before + 16, mask1) * Quarter1(sums)));
        before += tapStride;
        gradient += gradientStride;
        (c - (Vector512.Load(before) * Quarter2(sums))).Store(gradient);
        Avx512F.MaskStore(gradient + 16, mask1, c1 - (Part(before + 16, mask1) * Quarter2(sums)));
        before += tapStride;
        gradient += gradientStride;
        (d - (Vector512.Load(before) * Quarter3(sums))).Store(gradient);
        Avx512F.MaskStore(gradient + 16, mask1, d1 - (Part(before + 16, mask1) * Quarter3(sums)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Part(float* source, Vector512<float> mask) => Avx512F.MaskLoad(source, mask, Vector512<float>.Zero);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Exp(Vector512<float> x) => VectorMath.Exp(new Float512(x)).Value;

    // All lanes of quarter i are the largest lane of argument i.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> LargestOfRows(Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d)
    {
        var ab = Avx512F.Max(Avx512F.Shuffle4x128(a, b, 0b01_00_01_00), Avx512F.Shuffle4x128(a, b, 0b11_10_11_10));
        var cd = Avx512F.Max(Avx512F.Shuffle4x128(c, d, 0b01_00_01_00), Avx512F.Shuffle4x128(c, d, 0b11_10_11_10));
        var rows = Avx512F.Max(Avx512F.Shuffle4x128(ab, cd, 0b10_00_10_00), Avx512F.Shuffle4x128(ab, cd, 0b11_01_11_01));
        rows = Avx512F.Max(rows, Avx512F.Permute4x32(rows, 0b01_00_11_10));
        return Avx512F.Max(rows, Avx512F.Permute4x32(rows, 0b10_11_00_01));
    }

    // All lanes of quarter i are the sum of the lanes of argument i, in the order of Float512.Sum.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> SumsOfRows(Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d)
    {
        var ab = Avx512F.Shuffle4x128(a, b, 0b01_00_01_00) + Avx512F.Shuffle4x128(a, b, 0b11_10_11_10);
        var cd = Avx512F.Shuffle4x128(c, d, 0b01_00_01_00) + Avx512F.Shuffle4x128(c, d, 0b11_10_11_10);
        var rows = Avx512F.Shuffle4x128(ab, cd, 0b10_00_10_00) + Avx512F.Shuffle4x128(ab, cd, 0b11_01_11_01);
        rows += Avx512F.Permute4x32(rows, 0b01_00_11_10);
        return rows + Avx512F.Permute4x32(rows, 0b10_11_00_01);
    }

    // All lanes of quarters 0 .. 3 are the largest lanes of the halves of a, then of b.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> LargestOfHalves(Vector512<float> a, Vector512<float> b)
    {
        var rows = Avx512F.Max(Avx512F.Shuffle4x128(a, b, 0b10_00_10_00), Avx512F.Shuffle4x128(a, b, 0b11_01_11_01));
        rows = Avx512F.Max(rows, Avx512F.Permute4x32(rows, 0b01_00_11_10));
        return Avx512F.Max(rows, Avx512F.Permute4x32(rows, 0b10_11_00_01));
    }

    // All lanes of quarters 0 .. 3 are the sums of the halves of a, then of b, in the order of Float512.Sum for a half alone.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> SumsOfHalves(Vector512<float> a, Vector512<float> b)
    {
        var rows = Avx512F.Shuffle4x128(a, b, 0b10_00_10_00) + Avx512F.Shuffle4x128(a, b, 0b11_01_11_01);
        rows += Avx512F.Permute4x32(rows, 0b01_00_11_10);
        return rows + Avx512F.Permute4x32(rows, 0b10_11_00_01);
    }

    // Quarters 0 and 1 over the two halves.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Halves01(Vector512<float> v) => Avx512F.Shuffle4x128(v, v, 0b01_01_00_00);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Halves23(Vector512<float> v) => Avx512F.Shuffle4x128(v, v, 0b11_11_10_10);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Quarter0(Vector512<float> v) => Avx512F.Shuffle4x128(v, v, 0b00_00_00_00);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Quarter1(Vector512<float> v) => Avx512F.Shuffle4x128(v, v, 0b01_01_01_01);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Quarter2(Vector512<float> v) => Avx512F.Shuffle4x128(v, v, 0b10_10_10_10);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Quarter3(Vector512<float> v) => Avx512F.Shuffle4x128(v, v, 0b11_11_11_11);
}
