using System.Runtime.CompilerServices;

namespace CudaSeq.Kernels;

// The gradient of taps that stand still: one vector of channels at a time, its rows copied side by side. In a tensor they lie a whole row apart,
// often a power of two, and would push each other out of the first-level cache; and where copying, rows that do not exist become zeros.
internal static unsafe partial class BandedProduct
{
    /// <summary>Taps that <see cref="Correlate"/> sums at once.</summary>
    public const int Taps = 8;

    // Vectors of channels that are copied at a time: lines that lie side by side in the tensor are fetched together.
    private const int MostVectors = 4;

    /// <summary>
    /// sums[k, lane] += sum over t in 0 .. steps - 1 of dy[t, c] * x[t + k, c], where x is zero in rows that do not exist and c is a channel of that lane.
    /// </summary>
    /// <param name="dy">Row 0.</param>
    /// <param name="dyStride">Elements from one row to the next.</param>
    /// <param name="steps">Rows of dy, at most <see cref="ConvSize.ChunkSteps"/>.</param>
    /// <param name="x">Row 0, which need not exist.</param>
    /// <param name="xStride">Elements from one row to the next.</param>
    /// <param name="from">First row of x that exists, 0 or more.</param>
    /// <param name="to">After the last row of x that exists.</param>
    /// <param name="K">Taps.</param>
    /// <param name="channels">Channels.</param>
    /// <param name="sums">[K, TVector.Count] and room for <see cref="Taps"/> - 1 more rows, in which anything may be left.</param>
    /// <param name="sumsStride">Elements from the sums of one vector of channels to the next; 0 adds all vectors up.</param>
    [SkipLocalsInit]
    public static void Correlate<TVector>(
        float* dy, nint dyStride, int steps, float* x, nint xStride, int from, int to, int K, int channels, float* sums, nint sumsStride)
        where TVector : struct, IFloatVector<TVector>
    {
        // An even number of steps and whole eights of taps: zeros beyond the end.
        int lanes = TVector.Count, even = (steps + 1) & ~1, rows = even + ((K + Taps - 1) / Taps * Taps);
        int vectors = Math.Min(MostVectors, (channels + lanes - 1) / lanes);
        from = Math.Min(from, rows);
        to = Math.Clamp(to, from, rows);
        float* memory = stackalloc float[((vectors * (even + rows)) + 1) * lanes];
        float* ownDy = Align<TVector>(memory), ownX = ownDy + ((nint)vectors * even * lanes);
        for (int c = 0; c < channels; c += MostVectors * lanes)
        {
            int count = Math.Min(MostVectors * lanes, channels - c);
            Gather<TVector>(dy + c, dyStride, 0, steps, even, count, ownDy);
            Gather<TVector>(x + c, xStride, from, to, rows, count, ownX);
            for (int v = 0; v * lanes < count; v++, sums += sumsStride)
            {
                for (int k = 0; k < K; k += Taps)
                    CorrelateTile<TVector>(ownDy + ((nint)v * even * lanes), even, ownX + ((((nint)v * rows) + k) * lanes), sums + ((nint)k * lanes));
            }
        }
    }

    // Up to the next whole vector, so that no load touches two lines of the cache.
    private static float* Align<TVector>(float* memory)
        where TVector : struct, IFloatVector<TVector>
    {
        nint bytes = TVector.Count * sizeof(float);
        return (float*)(((nint)memory + bytes - 1) & -bytes);
    }

    // destination[vector, row]: rows from .. to - 1 of the source, zeros before and after them and in lanes beyond the channels.
    private static void Gather<TVector>(float* source, nint stride, int from, int to, int rows, int channels, float* destination)
        where TVector : struct, IFloatVector<TVector>
    {
        int lanes = TVector.Count, last = (channels - 1) / lanes, rest = channels - (last * lanes);
        nint vector = (nint)rows * lanes;
        for (int v = 0; v <= last; v++)
        {
            new Span<float>(destination + (v * vector), from * lanes).Clear();
            new Span<float>(destination + (v * vector) + (to * lanes), (rows - to) * lanes).Clear();
        }

        source += from * stride;
        destination += from * lanes;
        for (int t = from; t < to; t++, source += stride, destination += lanes)
        {
            for (int v = 0; v < last; v++)
                TVector.Load(source + (v * lanes)).Store(destination + (v * vector));
            TVector.LoadPartial(source + (last * lanes), rest).Store(destination + (last * vector));
        }
    }

    // Two steps at once share the rows of x.
    private static void CorrelateTile<TVector>(float* dy, int steps, float* x, float* sums)
        where TVector : struct, IFloatVector<TVector>
    {
        int lanes = TVector.Count;
        TVector s0 = TVector.Load(sums), s1 = TVector.Load(sums + lanes), s2 = TVector.Load(sums + (2 * lanes)), s3 = TVector.Load(sums + (3 * lanes));
        TVector s4 = TVector.Load(sums + (4 * lanes)), s5 = TVector.Load(sums + (5 * lanes));
        TVector s6 = TVector.Load(sums + (6 * lanes)), s7 = TVector.Load(sums + (7 * lanes));
        for (int t = 0; t < steps; t += 2, dy += 2 * lanes, x += 2 * lanes)
        {
            TVector now = TVector.Load(dy), next = TVector.Load(dy + lanes);
            s0 = TVector.MultiplyAdd(now, TVector.Load(x), s0);
            var row = TVector.Load(x + lanes);
            s0 = TVector.MultiplyAdd(next, row, s0);
            s1 = TVector.MultiplyAdd(now, row, s1);
            row = TVector.Load(x + (2 * lanes));
            s1 = TVector.MultiplyAdd(next, row, s1);
            s2 = TVector.MultiplyAdd(now, row, s2);
            row = TVector.Load(x + (3 * lanes));
            s2 = TVector.MultiplyAdd(next, row, s2);
            s3 = TVector.MultiplyAdd(now, row, s3);
            row = TVector.Load(x + (4 * lanes));
            s3 = TVector.MultiplyAdd(next, row, s3);
            s4 = TVector.MultiplyAdd(now, row, s4);
            row = TVector.Load(x + (5 * lanes));
            s4 = TVector.MultiplyAdd(next, row, s4);
            s5 = TVector.MultiplyAdd(now, row, s5);
            row = TVector.Load(x + (6 * lanes));
            s5 = TVector.MultiplyAdd(next, row, s5);
            s6 = TVector.MultiplyAdd(now, row, s6);
            row = TVector.Load(x + (7 * lanes));
            s6 = TVector.MultiplyAdd(next, row, s6);
            s7 = TVector.MultiplyAdd(now, row, s7);
            s7 = TVector.MultiplyAdd(next, TVector.Load(x + (8 * lanes)), s7);
        }

        s0.Store(sums);
        s1.Store(sums + lanes);
        s2.Store(sums + (2 * lanes));
        s3.Store(sums + (3 * lanes));
        s4.Store(sums + (4 * lanes));
        s5.Store(sums + (5 * lanes));
        s6.Store(sums + (6 * lanes));
        s7.Store(sums + (7 * lanes));
    }
}
