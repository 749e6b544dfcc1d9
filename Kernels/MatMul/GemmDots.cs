using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CudaSeq.Kernels;

/// <summary>
/// Few rows against a transposed B [N, K], of what has no panels: dot products along k, so that every row of B is read once, in order, and nothing is packed.
/// Sums are lanes added at the end, not the one chain of <see cref="GemmTile"/>: the same rows in a taller product may differ in their last bits.
/// </summary>
internal static unsafe class GemmDots
{
    /// <summary>Rows of B a task computes with at least.</summary>
    public const int Columns = 32;

    /// <summary>The most rows of A.</summary>
    public const int MaxRows = 48;

    private const int Group = 4;

    // Longer rows come in parts whose sums are added.
    private const int BlockK = 1024;

    /// <summary>Columns <paramref name="begin"/> .. <paramref name="end"/> - 1 of C, at most <see cref="Columns"/>; A is as it is, B transposed, M at most <see cref="MaxRows"/>, K not 0.</summary>
    [SkipLocalsInit]
    public static void Multiply<TVector>(in GemmProblem p, int begin, int end)
        where TVector : struct, IFloatVector<TVector>
    {
        float* sums = stackalloc float[((MaxRows + Group) * Columns) + 16];
        sums = (float*)(((nuint)sums + 63) & ~(nuint)63);
        // Rows of A that stay in the first-level cache while the rows of B pass, the first time from memory, then from the second level.
        int rows = Math.Max(Group, CacheSizes.Host.Level1 * 2 / 3 / sizeof(float) / Math.Min(p.K, BlockK) / Group * Group);
        for (int k = 0; k < p.K; k += BlockK)
        {
            for (int m = 0; m < p.M; m += rows)
            {
                for (int n = begin; n < end; n += Group)
                    Rows<TVector>(p, k, m, Math.Min(p.M, m + rows), n, end, sums + (n - begin));
            }
        }

        float* c = p.C + begin;
        if (p.Accumulate)
            Add<TVector>(p.M, end - begin, c, p.StrideC, sums);
        p.Epilogue.At(begin, begin).Store<TVector>(sums, Columns, p.M, end - begin, c, p.StrideC);
    }

    // Where a group is not full, its last row of B is computed again and not stored.
    private static void Rows<TVector>(in GemmProblem p, int k, int m, int last, int n, int end, float* sums)
        where TVector : struct, IFloatVector<TVector>
    {
        float* w0 = p.B + (n * p.StrideB) + k;
        float* w1 = n + 1 < end ? w0 + p.StrideB : w0, w2 = n + 2 < end ? w1 + p.StrideB : w1, w3 = n + 3 < end ? w2 + p.StrideB : w2;
        int length = Math.Min(BlockK, p.K - k);
        bool add = k > 0;
        while (m < last)
        {
            float* x = p.A + (m * p.StrideA) + k, sum = sums + (m * Columns);
            if (last - m >= 4 && TVector.Count == 16)
            {
                Tile<TVector, Size4>(length, x, p.StrideA, w0, w1, w2, w3, sum, add);
                m += 4;
            }
            else if (last - m >= 2)
            {
                Tile<TVector, Size2>(length, x, p.StrideA, w0, w1, w2, w3, sum, add);
                m += 2;
            }
            else
            {
                Tile<TVector, Size1>(length, x, p.StrideA, w0, w1, w2, w3, sum, add);
                m++;
            }
        }
    }

    // Optimised at its first call, whatever the host says about tiers.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Tile<TVector, TRows>(int k, float* x, long strideX, float* w0, float* w1, float* w2, float* w3, float* sums, bool add)
        where TVector : struct, IFloatVector<TVector>
        where TRows : struct, ITileSize
    {
        TVector a0 = default, a1 = default, a2 = default, a3 = default, b0 = default, b1 = default, b2 = default, b3 = default;
        TVector c0 = default, c1 = default, c2 = default, c3 = default, d0 = default, d1 = default, d2 = default, d3 = default;
        float* x1 = x + (TRows.Count > 1 ? strideX : 0), x2 = x + (TRows.Count > 2 ? 2 * strideX : 0), x3 = x + (TRows.Count > 2 ? 3 * strideX : 0);
        int i = 0;
        for (; i <= k - TVector.Count; i += TVector.Count)
        {
            TVector v0 = TVector.Load(w0 + i), v1 = TVector.Load(w1 + i), v2 = TVector.Load(w2 + i), v3 = TVector.Load(w3 + i);
            Row(TVector.Load(x + i), v0, v1, v2, v3, ref a0, ref a1, ref a2, ref a3);
            if (TRows.Count > 1)
                Row(TVector.Load(x1 + i), v0, v1, v2, v3, ref b0, ref b1, ref b2, ref b3);
            if (TRows.Count > 2)
            {
                Row(TVector.Load(x2 + i), v0, v1, v2, v3, ref c0, ref c1, ref c2, ref c3);
                Row(TVector.Load(x3 + i), v0, v1, v2, v3, ref d0, ref d1, ref d2, ref d3);
            }
        }

        if (i < k)
        {
            int n = k - i;
            TVector v0 = TVector.LoadPartial(w0 + i, n), v1 = TVector.LoadPartial(w1 + i, n);
            TVector v2 = TVector.LoadPartial(w2 + i, n), v3 = TVector.LoadPartial(w3 + i, n);
            Row(TVector.LoadPartial(x + i, n), v0, v1, v2, v3, ref a0, ref a1, ref a2, ref a3);
            if (TRows.Count > 1)
                Row(TVector.LoadPartial(x1 + i, n), v0, v1, v2, v3, ref b0, ref b1, ref b2, ref b3);
            if (TRows.Count > 2)
            {
                Row(TVector.LoadPartial(x2 + i, n), v0, v1, v2, v3, ref c0, ref c1, ref c2, ref c3);
                Row(TVector.LoadPartial(x3 + i, n), v0, v1, v2, v3, ref d0, ref d1, ref d2, ref d3);
            }
        }

        if (typeof(TVector) == typeof(Float512) && TRows.Count == 4)
        {
            var all = Quartered(
                Quartered(Fold(a0, a1, a2, a3), Fold(b0, b1, b2, b3)), Quartered(Fold(c0, c1, c2, c3), Fold(d0, d1, d2, d3)));
            Store(all.GetLower().GetLower(), sums, add);
            Store(all.GetLower().GetUpper(), sums + Columns, add);
            Store(all.GetUpper().GetLower(), sums + (2 * Columns), add);
            Store(all.GetUpper().GetUpper(), sums + (3 * Columns), add);
            return;
        }

        StoreSums(a0, a1, a2, a3, sums, add);
        if (TRows.Count > 1)
            StoreSums(b0, b1, b2, b3, sums + Columns, add);
        if (TRows.Count > 2)
        {
            StoreSums(c0, c1, c2, c3, sums + (2 * Columns), add);
            StoreSums(d0, d1, d2, d3, sums + (3 * Columns), add);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Row<TVector>(
        TVector x, TVector v0, TVector v1, TVector v2, TVector v3, ref TVector s0, ref TVector s1, ref TVector s2, ref TVector s3)
        where TVector : struct, IFloatVector<TVector>
    {
        s0 = TVector.MultiplyAdd(x, v0, s0);
        s1 = TVector.MultiplyAdd(x, v1, s1);
        s2 = TVector.MultiplyAdd(x, v2, s2);
        s3 = TVector.MultiplyAdd(x, v3, s3);
    }

    // The sums of the lanes of four vectors, four of them at a time.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreSums<TVector>(TVector a, TVector b, TVector c, TVector d, float* sums, bool add)
        where TVector : struct, IFloatVector<TVector>
    {
        if (TVector.Count == 1)
        {
            if (add)
            {
                a += TVector.Load(sums);
                b += TVector.Load(sums + 1);
                c += TVector.Load(sums + 2);
                d += TVector.Load(sums + 3);
            }

            a.Store(sums);
            b.Store(sums + 1);
            c.Store(sums + 2);
            d.Store(sums + 3);
            return;
        }

        var (lowAB, highAB) = Interleave.Halves(Quarter(a), Quarter(b));
        var (lowCD, highCD) = Interleave.Halves(Quarter(c), Quarter(d));
        Vector128<float> ab = lowAB + highAB, cd = lowCD + highCD;
        var even = Vector128.Create(ab.GetLower(), cd.GetLower());
        var odd = Vector128.Create(ab.GetUpper(), cd.GetUpper());
        Store(even + odd, sums, add);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector128<float> four, float* sums, bool add)
        => (add ? four + Vector128.Load(sums) : four).Store(sums);

    // In every quarter, the sums of that quarter's lanes of a, b, c and d.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Fold<TVector>(TVector a, TVector b, TVector c, TVector d)
        where TVector : struct, IFloatVector<TVector>
    {
        var (va, vb) = (Unsafe.BitCast<TVector, Float512>(a).Value, Unsafe.BitCast<TVector, Float512>(b).Value);
        var (vc, vd) = (Unsafe.BitCast<TVector, Float512>(c).Value, Unsafe.BitCast<TVector, Float512>(d).Value);
        var ab = Avx512F.Add(Avx512F.UnpackLow(va, vb), Avx512F.UnpackHigh(va, vb));
        var cd = Avx512F.Add(Avx512F.UnpackLow(vc, vd), Avx512F.UnpackHigh(vc, vd));
        return Avx512F.Add(Avx512F.Shuffle(ab, cd, 0b01_00_01_00), Avx512F.Shuffle(ab, cd, 0b11_10_11_10));
    }

    // Quarters 0 + 1 and 2 + 3 of a, then those of b.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Quartered(Vector512<float> a, Vector512<float> b)
        => Avx512F.Add(Avx512F.Shuffle4x128(a, b, 0b10_00_10_00), Avx512F.Shuffle4x128(a, b, 0b11_01_11_01));

    // Folds the lanes of any vector into four.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Quarter<TVector>(TVector v)
        where TVector : struct, IFloatVector<TVector>
    {
        if (typeof(TVector) == typeof(Float512))
        {
            var x = Unsafe.BitCast<TVector, Float512>(v).Value;
            var y = Avx.Add(x.GetLower(), x.GetUpper());
            return y.GetLower() + y.GetUpper();
        }

        if (typeof(TVector) == typeof(Float256))
        {
            var x = Unsafe.BitCast<TVector, Float256>(v).Value;
            return x.GetLower() + x.GetUpper();
        }

        return typeof(TVector) == typeof(Float128) ? Unsafe.BitCast<TVector, Float128>(v).Value : default;
    }

    private static void Add<TVector>(int rows, int columns, float* c, long strideC, float* sums)
        where TVector : struct, IFloatVector<TVector>
    {
        for (int m = 0; m < rows; m++)
        {
            for (int n = 0; n < columns; n++)
                sums[(m * Columns) + n] += c[(m * strideC) + n];
        }
    }
}
