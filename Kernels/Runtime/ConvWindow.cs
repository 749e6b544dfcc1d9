namespace CudaSeq.Kernels;

/// <summary>
/// The last K inputs of a causal convolution during decoding, as a ring: the input of step s lies in row s mod K. Nothing moves when time goes on.
/// </summary>
internal static unsafe class ConvWindow
{
    /// <summary>
    /// Stores x as the input of this step and computes y[c] = sum over k of taps[h(c), k] * input(step - (K - 1) + k)[c], where nothing was before step 0.
    /// </summary>
    /// <param name="size">Sizes; B, T and the padding do not matter.</param>
    /// <param name="taps">[H, K]; tap K - 1 belongs to the new input.</param>
    /// <param name="x">[C].</param>
    /// <param name="window">[K, C].</param>
    /// <param name="step">Number of this step, from 0.</param>
    /// <param name="y">[C].</param>
    public static void Step<TVector>(in ConvSize size, float* taps, float* x, float* window, int step, float* y)
        where TVector : struct, IFloatVector<TVector>
    {
        int K = size.K, newest = step % K, older = Math.Min(step, K - 1);

        // The older inputs are at most two runs of rows: those before the newest one, and before them those at the ring's end.
        int near = Math.Min(older, newest), far = older - near, lanes = TVector.Count;
        nint stride = size.C;
        for (int h = 0; h < size.H; h++, taps += K)
        {
            int channel = h * size.R, last = channel + size.R, c = channel;
            for (; c <= last - (4 * lanes); c += 4 * lanes)
            {
                var tap = TVector.Broadcast(taps[K - 1]);
                TVector x0 = TVector.Load(x + c), x1 = TVector.Load(x + c + lanes), x2 = TVector.Load(x + c + (2 * lanes)), x3 = TVector.Load(x + c + (3 * lanes));
                float* row = window + (newest * stride) + c;
                x0.Store(row);
                x1.Store(row + lanes);
                x2.Store(row + (2 * lanes));
                x3.Store(row + (3 * lanes));
                TVector y0 = tap * x0, y1 = tap * x1, y2 = tap * x2, y3 = tap * x3;
                row = window + ((K - far) * stride) + c;
                for (int k = K - 1 - older; k < K - 1; k++, row += stride)
                {
                    if (k == K - 1 - near)
                        row = window + ((newest - near) * stride) + c;
                    tap = TVector.Broadcast(taps[k]);
                    y0 = TVector.MultiplyAdd(tap, TVector.Load(row), y0);
                    y1 = TVector.MultiplyAdd(tap, TVector.Load(row + lanes), y1);
                    y2 = TVector.MultiplyAdd(tap, TVector.Load(row + (2 * lanes)), y2);
                    y3 = TVector.MultiplyAdd(tap, TVector.Load(row + (3 * lanes)), y3);
                }

                y0.Store(y + c);
                y1.Store(y + c + lanes);
                y2.Store(y + c + (2 * lanes));
                y3.Store(y + c + (3 * lanes));
            }

            for (; c < last; c += lanes)
            {
                int count = Math.Min(lanes, last - c);
                var input = TVector.LoadPartial(x + c, count);
                input.StorePartial(window + (newest * stride) + c, count);
                var sum = TVector.Broadcast(taps[K - 1]) * input;
                float* row = window + ((K - far) * stride) + c;
                for (int k = K - 1 - older; k < K - 1; k++, row += stride)
                {
                    if (k == K - 1 - near)
                        row = window + ((newest - near) * stride) + c;
                    sum = TVector.MultiplyAdd(TVector.Broadcast(taps[k]), TVector.LoadPartial(row, count), sum);
                }

                sum.StorePartial(y + c, count);
            }
        }
    }
}
