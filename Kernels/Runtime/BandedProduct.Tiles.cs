namespace CudaSeq.Kernels;

// Register tiles of Multiply. A row of x is loaded once and meets up to four taps: the first three rows meet only the first outputs, the last three only the
// last ones, so nothing outside the band is touched and what is not a number there stays there. Wants K >= 3.
internal static unsafe partial class BandedProduct
{
    // Four outputs of four vectors of channels.
    private static void Tile4<TVector>(in Band band, int K, float* x, nint xStride, int from, int to, float* y, nint yStride)
        where TVector : struct, IFloatVector<TVector>
    {
        nint along = band.Along, across = band.Across, across2 = 2 * across, across3 = 3 * across;
        float* taps = band.Taps;
        TVector a0 = TVector.Zero, a1 = TVector.Zero, a2 = TVector.Zero, a3 = TVector.Zero;
        TVector b0 = TVector.Zero, b1 = TVector.Zero, b2 = TVector.Zero, b3 = TVector.Zero;
        TVector c0 = TVector.Zero, c1 = TVector.Zero, c2 = TVector.Zero, c3 = TVector.Zero;
        TVector d0 = TVector.Zero, d1 = TVector.Zero, d2 = TVector.Zero, d3 = TVector.Zero;
        if (from == 0 && to > 0)
        {
            TVector x0 = TVector.Load(x), x1 = TVector.Load(x + TVector.Count);
            TVector x2 = TVector.Load(x + (2 * TVector.Count)), x3 = TVector.Load(x + (3 * TVector.Count));
            var tap = TVector.Broadcast(*taps);
            a0 = TVector.MultiplyAdd(tap, x0, a0);
            a1 = TVector.MultiplyAdd(tap, x1, a1);
            a2 = TVector.MultiplyAdd(tap, x2, a2);
            a3 = TVector.MultiplyAdd(tap, x3, a3);
        }

        x += xStride;
        taps += along;
        if (from <= 1 && to > 1)
        {
            TVector x0 = TVector.Load(x), x1 = TVector.Load(x + TVector.Count);
            TVector x2 = TVector.Load(x + (2 * TVector.Count)), x3 = TVector.Load(x + (3 * TVector.Count));
            var tap = TVector.Broadcast(*taps);
            a0 = TVector.MultiplyAdd(tap, x0, a0);
            a1 = TVector.MultiplyAdd(tap, x1, a1);
            a2 = TVector.MultiplyAdd(tap, x2, a2);
            a3 = TVector.MultiplyAdd(tap, x3, a3);
            tap = TVector.Broadcast(taps[across]);
            b0 = TVector.MultiplyAdd(tap, x0, b0);
            b1 = TVector.MultiplyAdd(tap, x1, b1);
            b2 = TVector.MultiplyAdd(tap, x2, b2);
            b3 = TVector.MultiplyAdd(tap, x3, b3);
        }

        x += xStride;
        taps += along;
        if (from <= 2 && to > 2)
        {
            TVector x0 = TVector.Load(x), x1 = TVector.Load(x + TVector.Count);
            TVector x2 = TVector.Load(x + (2 * TVector.Count)), x3 = TVector.Load(x + (3 * TVector.Count));
            var tap = TVector.Broadcast(*taps);
            a0 = TVector.MultiplyAdd(tap, x0, a0);
            a1 = TVector.MultiplyAdd(tap, x1, a1);
            a2 = TVector.MultiplyAdd(tap, x2, a2);
            a3 = TVector.MultiplyAdd(tap, x3, a3);
            tap = TVector.Broadcast(taps[across]);
            b0 = TVector.MultiplyAdd(tap, x0, b0);
            b1 = TVector.MultiplyAdd(tap, x1, b1);
            b2 = TVector.MultiplyAdd(tap, x2, b2);
            b3 = TVector.MultiplyAdd(tap, x3, b3);
            tap = TVector.Broadcast(taps[across2]);
            c0 = TVector.MultiplyAdd(tap, x0, c0);
            c1 = TVector.MultiplyAdd(tap, x1, c1);
            c2 = TVector.MultiplyAdd(tap, x2, c2);
            c3 = TVector.MultiplyAdd(tap, x3, c3);
        }

        x += xStride;
        taps += along;
        int j = Math.Max(3, from), end = Math.Min(K, to);
        x += (j - 3) * xStride;
        taps += (j - 3) * along;
        for (; j < end; j++, x += xStride, taps += along)
        {
            TVector x0 = TVector.Load(x), x1 = TVector.Load(x + TVector.Count);
            TVector x2 = TVector.Load(x + (2 * TVector.Count)), x3 = TVector.Load(x + (3 * TVector.Count));
            var tap = TVector.Broadcast(*taps);
            a0 = TVector.MultiplyAdd(tap, x0, a0);
            a1 = TVector.MultiplyAdd(tap, x1, a1);
            a2 = TVector.MultiplyAdd(tap, x2, a2);
            a3 = TVector.MultiplyAdd(tap, x3, a3);
            tap = TVector.Broadcast(taps[across]);
            b0 = TVector.MultiplyAdd(tap, x0, b0);
            b1 = TVector.MultiplyAdd(tap, x1, b1);
            b2 = TVector.MultiplyAdd(tap, x2, b2);
            b3 = TVector.MultiplyAdd(tap, x3, b3);
            tap = TVector.Broadcast(taps[across2]);
            c0 = TVector.MultiplyAdd(tap, x0, c0);
            c1 = TVector.MultiplyAdd(tap, x1, c1);
            c2 = TVector.MultiplyAdd(tap, x2, c2);
            c3 = TVector.MultiplyAdd(tap, x3, c3);
            tap = TVector.Broadcast(taps[across3]);
            d0 = TVector.MultiplyAdd(tap, x0, d0);
            d1 = TVector.MultiplyAdd(tap, x1, d1);
            d2 = TVector.MultiplyAdd(tap, x2, d2);
            d3 = TVector.MultiplyAdd(tap, x3, d3);
        }

        x += (K - j) * xStride;
        taps += (K - j) * along;
        if (from <= K && to > K)
        {
            TVector x0 = TVector.Load(x), x1 = TVector.Load(x + TVector.Count);
            TVector x2 = TVector.Load(x + (2 * TVector.Count)), x3 = TVector.Load(x + (3 * TVector.Count));
            var tap = TVector.Broadcast(taps[across]);
            b0 = TVector.MultiplyAdd(tap, x0, b0);
            b1 = TVector.MultiplyAdd(tap, x1, b1);
            b2 = TVector.MultiplyAdd(tap, x2, b2);
            b3 = TVector.MultiplyAdd(tap, x3, b3);
            tap = TVector.Broadcast(taps[across2]);
            c0 = TVector.MultiplyAdd(tap, x0, c0);
            c1 = TVector.MultiplyAdd(tap, x1, c1);
            c2 = TVector.MultiplyAdd(tap, x2, c2);
            c3 = TVector.MultiplyAdd(tap, x3, c3);
            tap = TVector.Broadcast(taps[across3]);
            d0 = TVector.MultiplyAdd(tap, x0, d0);
            d1 = TVector.MultiplyAdd(tap, x1, d1);
            d2 = TVector.MultiplyAdd(tap, x2, d2);
            d3 = TVector.MultiplyAdd(tap, x3, d3);
        }

        x += xStride;
        taps += along;
        if (from <= K + 1 && to > K + 1)
        {
            TVector x0 = TVector.Load(x), x1 = TVector.Load(x + TVector.Count);
            TVector x2 = TVector.Load(x + (2 * TVector.Count)), x3 = TVector.Load(x + (3 * TVector.Count));
            var tap = TVector.Broadcast(taps[across2]);
            c0 = TVector.MultiplyAdd(tap, x0, c0);
            c1 = TVector.MultiplyAdd(tap, x1, c1);
            c2 = TVector.MultiplyAdd(tap, x2, c2);
            c3 = TVector.MultiplyAdd(tap, x3, c3);
            tap = TVector.Broadcast(taps[across3]);
            d0 = TVector.MultiplyAdd(tap, x0, d0);
            d1 = TVector.MultiplyAdd(tap, x1, d1);
            d2 = TVector.MultiplyAdd(tap, x2, d2);
            d3 = TVector.MultiplyAdd(tap, x3, d3);
        }

        x += xStride;
        taps += along;
        if (to == K + 3)
        {
            TVector x0 = TVector.Load(x), x1 = TVector.Load(x + TVector.Count);
            TVector x2 = TVector.Load(x + (2 * TVector.Count)), x3 = TVector.Load(x + (3 * TVector.Count));
            var tap = TVector.Broadcast(taps[across3]);
            d0 = TVector.MultiplyAdd(tap, x0, d0);
            d1 = TVector.MultiplyAdd(tap, x1, d1);
            d2 = TVector.MultiplyAdd(tap, x2, d2);
            d3 = TVector.MultiplyAdd(tap, x3, d3);
        }

        a0.Store(y);
        a1.Store(y + TVector.Count);
        a2.Store(y + (2 * TVector.Count));
        a3.Store(y + (3 * TVector.Count));
        y += yStride;
        b0.Store(y);
        b1.Store(y + TVector.Count);
        b2.Store(y + (2 * TVector.Count));
        b3.Store(y + (3 * TVector.Count));
        y += yStride;
        c0.Store(y);
        c1.Store(y + TVector.Count);
        c2.Store(y + (2 * TVector.Count));
        c3.Store(y + (3 * TVector.Count));
        y += yStride;
        d0.Store(y);
        d1.Store(y + TVector.Count);
        d2.Store(y + (2 * TVector.Count));
        d3.Store(y + (3 * TVector.Count));
    }

    // Four outputs of two vectors of channels.
    private static void Tile2<TVector>(in Band band, int K, float* x, nint xStride, int from, int to, float* y, nint yStride)
        where TVector : struct, IFloatVector<TVector>
    {
        nint along = band.Along, across = band.Across, across2 = 2 * across, across3 = 3 * across;
        float* taps = band.Taps;
        TVector a0 = TVector.Zero, a1 = TVector.Zero;
        TVector b0 = TVector.Zero, b1 = TVector.Zero;
        TVector c0 = TVector.Zero, c1 = TVector.Zero;
        TVector d0 = TVector.Zero, d1 = TVector.Zero;
        if (from == 0 && to > 0)
        {
            TVector x0 = TVector.Load(x), x1 = TVector.Load(x + TVector.Count);
            var tap = TVector.Broadcast(*taps);
            a0 = TVector.MultiplyAdd(tap, x0, a0);
            a1 = TVector.MultiplyAdd(tap, x1, a1);
        }

        x += xStride;
        taps += along;
        if (from <= 1 && to > 1)
        {
            TVector x0 = TVector.Load(x), x1 = TVector.Load(x + TVector.Count);
            var tap = TVector.Broadcast(*taps);
            a0 = TVector.MultiplyAdd(tap, x0, a0);
            a1 = TVector.MultiplyAdd(tap, x1, a1);
            tap = TVector.Broadcast(taps[across]);
            b0 = TVector.MultiplyAdd(tap, x0, b0);
            b1 = TVector.MultiplyAdd(tap, x1, b1);
        }

        x += xStride;
        taps += along;
        if (from <= 2 && to > 2)
        {
            TVector x0 = TVector.Load(x), x1 = TVector.Load(x + TVector.Count);
            var tap = TVector.Broadcast(*taps);
            a0 = TVector.MultiplyAdd(tap, x0, a0);
            a1 = TVector.MultiplyAdd(tap, x1, a1);
            tap = TVector.Broadcast(taps[across]);
            b0 = TVector.MultiplyAdd(tap, x0, b0);
            b1 = TVector.MultiplyAdd(tap, x1, b1);
            tap = TVector.Broadcast(taps[across2]);
            c0 = TVector.MultiplyAdd(tap, x0, c0);
            c1 = TVector.MultiplyAdd(tap, x1, c1);
        }

        x += xStride;
        taps += along;
        int j = Math.Max(3, from), end = Math.Min(K, to);
        x += (j - 3) * xStride;
        taps += (j - 3) * along;
        for (; j < end; j++, x += xStride, taps += along)
        {
            TVector x0 = TVector.Load(x), x1 = TVector.Load(x + TVector.Count);
            var tap = TVector.Broadcast(*taps);
            a0 = TVector.MultiplyAdd(tap, x0, a0);
            a1 = TVector.MultiplyAdd(tap, x1, a1);
            tap = TVector.Broadcast(taps[across]);
            b0 = TVector.MultiplyAdd(tap, x0, b0);
            b1 = TVector.MultiplyAdd(tap, x1, b1);
            tap = TVector.Broadcast(taps[across2]);
            c0 = TVector.MultiplyAdd(tap, x0, c0);
            c1 = TVector.MultiplyAdd(tap, x1, c1);
            tap = TVector.Broadcast(taps[across3]);
            d0 = TVector.MultiplyAdd(tap, x0, d0);
            d1 = TVector.MultiplyAdd(tap, x1, d1);
        }

        x += (K - j) * xStride;
        taps += (K - j) * along;
        if (from <= K && to > K)
        {
            TVector x0 = TVector.Load(x), x1 = TVector.Load(x + TVector.Count);
            var tap = TVector.Broadcast(taps[across]);
            b0 = TVector.MultiplyAdd(tap, x0, b0);
            b1 = TVector.MultiplyAdd(tap, x1, b1);
            tap = TVector.Broadcast(taps[across2]);
            c0 = TVector.MultiplyAdd(tap, x0, c0);
            c1 = TVector.MultiplyAdd(tap, x1, c1);
            tap = TVector.Broadcast(taps[across3]);
            d0 = TVector.MultiplyAdd(tap, x0, d0);
            d1 = TVector.MultiplyAdd(tap, x1, d1);
        }

        x += xStride;
        taps += along;
        if (from <= K + 1 && to > K + 1)
        {
            TVector x0 = TVector.Load(x), x1 = TVector.Load(x + TVector.Count);
            var tap = TVector.Broadcast(taps[across2]);
            c0 = TVector.MultiplyAdd(tap, x0, c0);
            c1 = TVector.MultiplyAdd(tap, x1, c1);
            tap = TVector.Broadcast(taps[across3]);
            d0 = TVector.MultiplyAdd(tap, x0, d0);
            d1 = TVector.MultiplyAdd(tap, x1, d1);
        }

        x += xStride;
        taps += along;
        if (to == K + 3)
        {
            TVector x0 = TVector.Load(x), x1 = TVector.Load(x + TVector.Count);
            var tap = TVector.Broadcast(taps[across3]);
            d0 = TVector.MultiplyAdd(tap, x0, d0);
            d1 = TVector.MultiplyAdd(tap, x1, d1);
        }

        a0.Store(y);
        a1.Store(y + TVector.Count);
        y += yStride;
        b0.Store(y);
        b1.Store(y + TVector.Count);
        y += yStride;
        c0.Store(y);
        c1.Store(y + TVector.Count);
        y += yStride;
        d0.Store(y);
        d1.Store(y + TVector.Count);
    }

    // Four outputs of the first lanes of one vector of channels.
    private static void Tile1<TVector>(in Band band, int K, float* x, nint xStride, int from, int to, float* y, nint yStride, int lanes)
        where TVector : struct, IFloatVector<TVector>
    {
        nint along = band.Along, across = band.Across, across2 = 2 * across, across3 = 3 * across;
        float* taps = band.Taps;
        TVector a0 = TVector.Zero;
        TVector b0 = TVector.Zero;
        TVector c0 = TVector.Zero;
        TVector d0 = TVector.Zero;
        if (from == 0 && to > 0)
        {
            var x0 = lanes == TVector.Count ? TVector.Load(x) : TVector.LoadPartial(x, lanes);
            var tap = TVector.Broadcast(*taps);
            a0 = TVector.MultiplyAdd(tap, x0, a0);
        }

        x += xStride;
        taps += along;
        if (from <= 1 && to > 1)
        {
            var x0 = lanes == TVector.Count ? TVector.Load(x) : TVector.LoadPartial(x, lanes);
            var tap = TVector.Broadcast(*taps);
            a0 = TVector.MultiplyAdd(tap, x0, a0);
            tap = TVector.Broadcast(taps[across]);
            b0 = TVector.MultiplyAdd(tap, x0, b0);
        }

        x += xStride;
        taps += along;
        if (from <= 2 && to > 2)
        {
            var x0 = lanes == TVector.Count ? TVector.Load(x) : TVector.LoadPartial(x, lanes);
            var tap = TVector.Broadcast(*taps);
            a0 = TVector.MultiplyAdd(tap, x0, a0);
            tap = TVector.Broadcast(taps[across]);
            b0 = TVector.MultiplyAdd(tap, x0, b0);
            tap = TVector.Broadcast(taps[across2]);
            c0 = TVector.MultiplyAdd(tap, x0, c0);
        }

        x += xStride;
        taps += along;
        int j = Math.Max(3, from), end = Math.Min(K, to);
        x += (j - 3) * xStride;
        taps += (j - 3) * along;
        for (; j < end; j++, x += xStride, taps += along)
        {
            var x0 = lanes == TVector.Count ? TVector.Load(x) : TVector.LoadPartial(x, lanes);
            var tap = TVector.Broadcast(*taps);
            a0 = TVector.MultiplyAdd(tap, x0, a0);
            tap = TVector.Broadcast(taps[across]);
            b0 = TVector.MultiplyAdd(tap, x0, b0);
            tap = TVector.Broadcast(taps[across2]);
            c0 = TVector.MultiplyAdd(tap, x0, c0);
            tap = TVector.Broadcast(taps[across3]);
            d0 = TVector.MultiplyAdd(tap, x0, d0);
        }

        x += (K - j) * xStride;
        taps += (K - j) * along;
        if (from <= K && to > K)
        {
            var x0 = lanes == TVector.Count ? TVector.Load(x) : TVector.LoadPartial(x, lanes);
            var tap = TVector.Broadcast(taps[across]);
            b0 = TVector.MultiplyAdd(tap, x0, b0);
            tap = TVector.Broadcast(taps[across2]);
            c0 = TVector.MultiplyAdd(tap, x0, c0);
            tap = TVector.Broadcast(taps[across3]);
            d0 = TVector.MultiplyAdd(tap, x0, d0);
        }

        x += xStride;
        taps += along;
        if (from <= K + 1 && to > K + 1)
        {
            var x0 = lanes == TVector.Count ? TVector.Load(x) : TVector.LoadPartial(x, lanes);
            var tap = TVector.Broadcast(taps[across2]);
            c0 = TVector.MultiplyAdd(tap, x0, c0);
            tap = TVector.Broadcast(taps[across3]);
            d0 = TVector.MultiplyAdd(tap, x0, d0);
        }

        x += xStride;
        taps += along;
        if (to == K + 3)
        {
            var x0 = lanes == TVector.Count ? TVector.Load(x) : TVector.LoadPartial(x, lanes);
            var tap = TVector.Broadcast(taps[across3]);
            d0 = TVector.MultiplyAdd(tap, x0, d0);
        }

        a0.StorePartial(y, lanes);
        y += yStride;
        b0.StorePartial(y, lanes);
        y += yStride;
        c0.StorePartial(y, lanes);
        y += yStride;
        d0.StorePartial(y, lanes);
    }
}
