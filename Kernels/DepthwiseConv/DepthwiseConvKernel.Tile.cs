namespace CudaSeq.Kernels;

// The register tile: four steps of two vectors of channels. A row of x is loaded once and meets the taps of up to four steps; the first three rows meet
// only the first steps, the last three only the last ones. Wants K >= 3.
internal static unsafe partial class DepthwiseConvKernel
{
    // y[i] = taps[K] + sum over rows j in from .. to - 1 with 0 <= j - i < K of taps[j - i] * x[j]; taps is [K + 1, two vectors], the last row the bias.
    private static void Tile<TVector>(float* taps, int K, float* x, nint xStride, int from, int to, float* y, nint yStride)
        where TVector : struct, IFloatVector<TVector>
    {
        int lanes = TVector.Count, width = 2 * lanes;
        float* bias = taps + ((nint)K * width);
        TVector a0 = TVector.Load(bias), a1 = TVector.Load(bias + lanes), b0 = a0, b1 = a1, c0 = a0, c1 = a1, d0 = a0, d1 = a1;
        if (from == 0 && to > 0)
        {
            TVector x0 = TVector.Load(x), x1 = TVector.Load(x + lanes);
            a0 = TVector.MultiplyAdd(TVector.Load(taps), x0, a0);
            a1 = TVector.MultiplyAdd(TVector.Load(taps + lanes), x1, a1);
        }

        x += xStride;
        if (from <= 1 && to > 1)
        {
            TVector x0 = TVector.Load(x), x1 = TVector.Load(x + lanes);
            a0 = TVector.MultiplyAdd(TVector.Load(taps + width), x0, a0);
            a1 = TVector.MultiplyAdd(TVector.Load(taps + width + lanes), x1, a1);
            b0 = TVector.MultiplyAdd(TVector.Load(taps), x0, b0);
            b1 = TVector.MultiplyAdd(TVector.Load(taps + lanes), x1, b1);
        }

        x += xStride;
        if (from <= 2 && to > 2)
        {
            TVector x0 = TVector.Load(x), x1 = TVector.Load(x + lanes);
            a0 = TVector.MultiplyAdd(TVector.Load(taps + (2 * width)), x0, a0);
            a1 = TVector.MultiplyAdd(TVector.Load(taps + (2 * width) + lanes), x1, a1);
            b0 = TVector.MultiplyAdd(TVector.Load(taps + width), x0, b0);
            b1 = TVector.MultiplyAdd(TVector.Load(taps + width + lanes), x1, b1);
            c0 = TVector.MultiplyAdd(TVector.Load(taps), x0, c0);
            c1 = TVector.MultiplyAdd(TVector.Load(taps + lanes), x1, c1);
        }

        x += xStride;
        int first = Math.Max(3, from), end = Math.Min(K, to);
        x += (first - 3) * xStride;
        float* tap = taps + ((nint)first * width);
        for (int j = first; j < end; j++, x += xStride, tap += width)
        {
            TVector x0 = TVector.Load(x), x1 = TVector.Load(x + lanes);
            a0 = TVector.MultiplyAdd(TVector.Load(tap), x0, a0);
            a1 = TVector.MultiplyAdd(TVector.Load(tap + lanes), x1, a1);
            b0 = TVector.MultiplyAdd(TVector.Load(tap - width), x0, b0);
            b1 = TVector.MultiplyAdd(TVector.Load(tap - width + lanes), x1, b1);
            c0 = TVector.MultiplyAdd(TVector.Load(tap - (2 * width)), x0, c0);
            c1 = TVector.MultiplyAdd(TVector.Load(tap - (2 * width) + lanes), x1, c1);
            d0 = TVector.MultiplyAdd(TVector.Load(tap - (3 * width)), x0, d0);
            d1 = TVector.MultiplyAdd(TVector.Load(tap - (3 * width) + lanes), x1, d1);
        }

        x += (K - Math.Max(first, end)) * xStride;
        tap = bias;
        if (from <= K && to > K)
        {
            TVector x0 = TVector.Load(x), x1 = TVector.Load(x + lanes);
            b0 = TVector.MultiplyAdd(TVector.Load(tap - width), x0, b0);
            b1 = TVector.MultiplyAdd(TVector.Load(tap - width + lanes), x1, b1);
            c0 = TVector.MultiplyAdd(TVector.Load(tap - (2 * width)), x0, c0);
            c1 = TVector.MultiplyAdd(TVector.Load(tap - (2 * width) + lanes), x1, c1);
            d0 = TVector.MultiplyAdd(TVector.Load(tap - (3 * width)), x0, d0);
            d1 = TVector.MultiplyAdd(TVector.Load(tap - (3 * width) + lanes), x1, d1);
        }

        x += xStride;
        tap += width;
        if (from <= K + 1 && to > K + 1)
        {
            TVector x0 = TVector.Load(x), x1 = TVector.Load(x + lanes);
            c0 = TVector.MultiplyAdd(TVector.Load(tap - (2 * width)), x0, c0);
            c1 = TVector.MultiplyAdd(TVector.Load(tap - (2 * width) + lanes), x1, c1);
            d0 = TVector.MultiplyAdd(TVector.Load(tap - (3 * width)), x0, d0);
            d1 = TVector.MultiplyAdd(TVector.Load(tap - (3 * width) + lanes), x1, d1);
        }

        x += xStride;
        tap += width;
        if (to == K + 3)
        {
            TVector x0 = TVector.Load(x), x1 = TVector.Load(x + lanes);
            d0 = TVector.MultiplyAdd(TVector.Load(tap - (3 * width)), x0, d0);
            d1 = TVector.MultiplyAdd(TVector.Load(tap - (3 * width) + lanes), x1, d1);
        }

        a0.Store(y);
        a1.Store(y + lanes);
        y += yStride;
        b0.Store(y);
        b1.Store(y + lanes);
        y += yStride;
        c0.Store(y);
        c1.Store(y + lanes);
        y += yStride;
        d0.Store(y);
        d1.Store(y + lanes);
    }

    // The same for one step and the first channels of two vectors: borders of all kinds.
    private static void Step<TVector>(float* taps, int K, float* x, nint xStride, int from, int to, int channels, float* y)
        where TVector : struct, IFloatVector<TVector>
    {
        int lanes = TVector.Count, low = Math.Min(channels, lanes), high = channels - low;
        float* bias = taps + ((nint)K * 2 * lanes);
        TVector a0 = TVector.Load(bias), a1 = TVector.Load(bias + lanes);
        for (int k = from; k < to; k++)
        {
            float* tap = taps + ((nint)k * 2 * lanes), row = x + (k * xStride);
            a0 = TVector.MultiplyAdd(TVector.Load(tap), TVector.LoadPartial(row, low), a0);
            if (high > 0)
                a1 = TVector.MultiplyAdd(TVector.Load(tap + lanes), TVector.LoadPartial(row + lanes, high), a1);
        }

        a0.StorePartial(y, low);
        if (high > 0)
            a1.StorePartial(y + lanes, high);
    }
}
