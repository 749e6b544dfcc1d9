namespace CudaSeq.Kernels;

internal static unsafe partial class Philox
{
    // Elements that two of the widest vectors of counters make.
    private const int WidestBlock = 64;

    /// <summary>
    /// The factors of a random mask: factors[i] is 0 where element <paramref name="first"/> + i is dropped, that is where its word is below
    /// <paramref name="threshold"/>, and <paramref name="scale"/> elsewhere. The same on every tier.
    /// </summary>
    public static void Factors<TVector>(PhiloxKey key, ulong first, float* factors, int count, uint threshold, float scale)
        where TVector : struct, IFloatVector<TVector>
    {
        while (first % 4 != 0 && count > 0)
        {
            *factors++ = Word(key, first++) < threshold ? 0 : scale;
            count--;
        }

        if (typeof(TVector) == typeof(Float512))
            Factors<TVector, PhiloxWords512>(key, first / 4, factors, count, threshold, scale);
        else if (typeof(TVector) == typeof(Float256))
            Factors<TVector, PhiloxWords256>(key, first / 4, factors, count, threshold, scale);
        else if (typeof(TVector) == typeof(Float128))
            Factors<TVector, PhiloxWords128>(key, first / 4, factors, count, threshold, scale);
        else
            ScalarFactors(key, first / 4, factors, count, threshold, scale);
    }

    // Two vectors of counters side by side: they share the round keys and hide each other's latency.
    private static void Factors<TVector, TWords>(PhiloxKey key, ulong counter, float* factors, int count, uint threshold, float scale)
        where TVector : struct, IFloatVector<TVector>
        where TWords : struct, IPhiloxWords<TWords>
    {
        float* rest = stackalloc float[WidestBlock];
        int half = 4 * TWords.Counters, block = 2 * half;
        var multiplier0 = TWords.Broadcast(Multiplier0);
        var multiplier1 = TWords.Broadcast(Multiplier1);
        var weyl0 = TWords.Broadcast(Weyl0);
        var weyl1 = TWords.Broadcast(Weyl1);
        for (int i = 0; i < count; i += block)
        {
            var k0 = TWords.Broadcast((uint)key.Seed);
            var k1 = TWords.Broadcast(key.Seed >> 32);
            TWords a0 = TWords.CountersFrom(counter), b0 = TWords.CountersFrom(counter + (uint)TWords.Counters);
            TWords a1 = TWords.High(a0), b1 = TWords.High(b0);
            TWords a2 = TWords.Broadcast((uint)key.Stream), b2 = a2;
            TWords a3 = TWords.Broadcast(key.Stream >> 32), b3 = a3;
            for (int round = 0; round < Rounds; round++)
            {
                TWords p0 = TWords.MultiplyLow(a0, multiplier0), p1 = TWords.MultiplyLow(a2, multiplier1);
                TWords q0 = TWords.MultiplyLow(b0, multiplier0), q1 = TWords.MultiplyLow(b2, multiplier1);
                (a0, a1, a2, a3) = (TWords.High(p1) ^ a1 ^ k0, p1, TWords.High(p0) ^ a3 ^ k1, p0);
                (b0, b1, b2, b3) = (TWords.High(q1) ^ b1 ^ k0, q1, TWords.High(q0) ^ b3 ^ k1, q0);
                k0 += weyl0;
                k1 += weyl1;
            }

            float* target = count - i >= block ? factors + i : rest;
            TWords.StoreFactors(a0, a1, a2, a3, threshold, scale, target);
            TWords.StoreFactors(b0, b1, b2, b3, threshold, scale, target + half);
            if (target == rest)
                new ReadOnlySpan<float>(rest, count - i).CopyTo(new Span<float>(factors + i, count - i));
            counter += 2 * (uint)TWords.Counters;
        }
    }

    private static void ScalarFactors(PhiloxKey key, ulong counter, float* factors, int count, uint threshold, float scale)
    {
        for (int i = 0; i < count; i += 4)
        {
            var (x, y, z, w) = Block(key, counter++);
            factors[i] = x < threshold ? 0 : scale;
            if (i + 1 < count)
                factors[i + 1] = y < threshold ? 0 : scale;
            if (i + 2 < count)
                factors[i + 2] = z < threshold ? 0 : scale;
            if (i + 3 < count)
                factors[i + 3] = w < threshold ? 0 : scale;
        }
    }
}
