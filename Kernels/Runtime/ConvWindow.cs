namespace CudaSeq.Kernels;

/// <summary>
/// The last K inputs of a causal convolution during decoding, as a ring: the input of step s lies in row s mod K. Nothing moves when time goes on.
/// </summary>
internal static unsafe class ConvWindow
{
    /// <summary>Stores x as the input of <paramref name="step"/> and computes y[c] = sum over k of taps[k] * input(step - (K - 1) + k)[c]; there is nothing before step 0.</summary>
    /// <param name="taps">[K]; tap K - 1 belongs to the new input.</param>
    /// <param name="K">Taps.</param>
    /// <param name="x">[channels].</param>
    /// <param name="window">Row 0 of the ring, [K, channels].</param>
    /// <param name="stride">Elements from one row to the next.</param>
    /// <param name="step">Number of this step, from 0.</param>
    /// <param name="channels">Channels.</param>
    /// <param name="y">[channels].</param>
    public static void Step<TVector>(float* taps, int K, float* x, float* window, nint stride, int step, int channels, float* y)
        where TVector : struct, IFloatVector<TVector>
    {
        int newest = step % K, older = Math.Min(step, K - 1);

        // The older inputs are at most two runs of rows: those before the newest, and before them those at the ring's end.
        int before = Math.Min(older, newest), end = older - before;
        int c = 0;
        for (; c <= channels - (4 * TVector.Count); c += 4 * TVector.Count)
        {
            var tap = TVector.Broadcast(taps[K - 1]);
            TVector x0 = TVector.Load(x + c), x1 = TVector.Load(x + c + TVector.Count);
            TVector x2 = TVector.Load(x + c + (2 * TVector.Count)), x3 = TVector.Load(x + c + (3 * TVector.Count));
            float* slot = window + (newest * stride) + c;
            x0.Store(slot);
            x1.Store(slot + TVector.Count);
            x2.Store(slot + (2 * TVector.Count));
            x3.Store(slot + (3 * TVector.Count));
            TVector y0 = tap * x0, y1 = tap * x1, y2 = tap * x2, y3 = tap * x3;
            float* row = window + ((K - end) * stride) + c;
            for (int k = K - 1 - older; k < K - 1; k++, row += stride)
            {
                if (k == K - 1 - before)
                    row = window + ((newest - before) * stride) + c;
                tap = TVector.Broadcast(taps[k]);
                y0 = TVector.MultiplyAdd(tap, TVector.Load(row), y0);
                y1 = TVector.MultiplyAdd(tap, TVector.Load(row + TVector.Count), y1);
                y2 = TVector.MultiplyAdd(tap, TVector.Load(row + (2 * TVector.Count)), y2);
                y3 = TVector.MultiplyAdd(tap, TVector.Load(row + (3 * TVector.Count)), y3);
            }

            y0.Store(y + c);
            y1.Store(y + c + TVector.Count);
            y2.Store(y + c + (2 * TVector.Count));
            y3.Store(y + c + (3 * TVector.Count));
        }

        for (; c < channels; c += TVector.Count)
        {
            int lanes = Math.Min(TVector.Count, channels - c);
            var newInput = TVector.LoadPartial(x + c, lanes);
            newInput.StorePartial(window + (newest * stride) + c, lanes);
            var sum = TVector.Broadcast(taps[K - 1]) * newInput;
            float* row = window + ((K - end) * stride) + c;
            for (int k = K - 1 - older; k < K - 1; k++, row += stride)
            {
                if (k == K - 1 - before)
                    row = window + ((newest - before) * stride) + c;
                sum = TVector.MultiplyAdd(TVector.Broadcast(taps[k]), TVector.LoadPartial(row, lanes), sum);
            }

            sum.StorePartial(y + c, lanes);
        }
    }
}
