using System.Runtime.CompilerServices;

namespace CudaSeq.Kernels;

/// <summary>
/// A band of taps: output i and input row j meet at <c>Taps[i * Across + j * Along]</c> where 0 &lt;= j - i &lt; K, and nowhere else.
/// Filters that stand still, that change with the output and that change with the input are all bands, and so are their transposes.
/// </summary>
/// <param name="taps">The tap of output 0 and row 0.</param>
/// <param name="across">Elements from an output to the next.</param>
/// <param name="along">Elements from a row to the next.</param>
internal readonly unsafe struct Band(float* taps, nint across, nint along)
{
    public readonly float* Taps = taps;
    public readonly nint Across = across;
    public readonly nint Along = along;
}

/// <summary>Products with a narrow band of taps: the arithmetic of all convolutions over time, four time steps at once.</summary>
internal static unsafe partial class BandedProduct
{
    /// <summary>Outputs of one <see cref="Multiply"/>, and rows of dy of one <see cref="Outer"/>.</summary>
    public const int Steps = 4;

    /// <summary>Floats before and after a row of <see cref="Outer"/>'s result that it may overwrite.</summary>
    public const int Margin = 8;

    /// <summary>
    /// y[i, c] = sum over rows j in from .. to - 1 with 0 &lt;= j - i &lt; K of band[i, j] * x[j, c], each sum in the order of j.
    /// </summary>
    /// <param name="band">Taps.</param>
    /// <param name="K">Width of the band.</param>
    /// <param name="x">Row 0, which need not exist.</param>
    /// <param name="xStride">Elements from one row to the next.</param>
    /// <param name="from">First row that exists, 0 or more.</param>
    /// <param name="to">After the last row that exists.</param>
    /// <param name="channels">Channels of a row.</param>
    /// <param name="y">Row 0 of the output.</param>
    /// <param name="yStride">Elements from one output to the next.</param>
    /// <param name="outputs">1 .. <see cref="Steps"/>.</param>
    public static void Multiply<TVector>(
        in Band band, int K, float* x, nint xStride, int from, int to, int channels, float* y, nint yStride, int outputs)
        where TVector : struct, IFloatVector<TVector>
    {
        int c = 0, lanes = TVector.Count;
        if (outputs == Steps && K >= Steps - 1)
        {
            // Sixteen accumulators where there are 32 registers, eight where there are 16.
            if (lanes == 16)
            {
                for (; c <= channels - (4 * lanes); c += 4 * lanes)
                    Tile4<TVector>(in band, K, x + c, xStride, from, to, y + c, yStride);
            }

            for (; c <= channels - (2 * lanes); c += 2 * lanes)
                Tile2<TVector>(in band, K, x + c, xStride, from, to, y + c, yStride);
            for (; c < channels; c += lanes)
                Tile1<TVector>(in band, K, x + c, xStride, from, to, y + c, yStride, Math.Min(lanes, channels - c));
            return;
        }

        for (; c < channels; c += lanes)
        {
            for (int i = 0; i < outputs; i++)
            {
                Output<TVector>(
                    band.Taps + (i * band.Across), band.Along, Math.Max(from, i), Math.Min(to, i + K),
                    x + c, xStride, y + (i * yStride) + c, Math.Min(lanes, channels - c));
            }
        }
    }

    /// <summary>
    /// g[i, k] = sum over channels of dy[i, c] * x[i + k, c], and 0 where row i + k does not exist.
    /// </summary>
    /// <param name="dy">Row 0.</param>
    /// <param name="dyStride">Elements from one row to the next.</param>
    /// <param name="x">Row 0, which need not exist.</param>
    /// <param name="xStride">Elements from one row to the next.</param>
    /// <param name="from">First row of x that exists, 0 or more.</param>
    /// <param name="to">After the last row of x that exists.</param>
    /// <param name="channels">Channels of a row.</param>
    /// <param name="K">Taps.</param>
    /// <param name="g">Row 0 of the result, with <see cref="Margin"/> floats of room around every row.</param>
    /// <param name="gStride">Elements from one row of the result to the next.</param>
    /// <param name="rows">Rows of dy, 1 .. <see cref="Steps"/>.</param>
    public static void Outer<TVector>(
        float* dy, nint dyStride, float* x, nint xStride, int from, int to, int channels, int K, float* g, nint gStride, int rows)
        where TVector : struct, IFloatVector<TVector>
    {
        if (rows < Steps)
        {
            for (int i = 0; i < rows; i++)
            {
                for (int k = 0; k < K; k++)
                    g[(i * gStride) + k] = i + k >= from && i + k < to ? Dot<TVector>(dy + (i * dyStride), x + ((i + k) * xStride), channels) : 0;
            }

            return;
        }

        // Tiles may reach over the band: what they leave beside it goes to the margins or is overwritten below.
        if (typeof(TVector) == typeof(Float512))
        {
            for (int j = from; j < to; j += 4)
                OuterTile4(dy, dyStride, x, xStride, j, to - 1, channels, g + j, gStride - 1);
        }
        else
        {
            for (int j = from; j < to; j += 2)
                OuterTile2<TVector>(dy, dyStride, x, xStride, j, to - 1, channels, g + j, gStride - 1);
        }

        for (int i = 0; i < Steps; i++)
        {
            for (int k = 0; k < from - i; k++)
                g[(i * gStride) + k] = 0;
            for (int k = to - i; k < K; k++)
                g[(i * gStride) + k] = 0;
        }
    }

    private static void Output<TVector>(float* taps, nint along, int from, int to, float* x, nint xStride, float* y, int lanes)
        where TVector : struct, IFloatVector<TVector>
    {
        var sum = TVector.Zero;
        for (int j = from; j < to; j++)
            sum = TVector.MultiplyAdd(TVector.Broadcast(taps[j * along]), TVector.LoadPartial(x + (j * xStride), lanes), sum);
        sum.StorePartial(y, lanes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Dot<TVector>(float* a, float* b, int channels)
        where TVector : struct, IFloatVector<TVector>
    {
        var sum = TVector.Zero;
        int c = 0;
        for (; c <= channels - TVector.Count; c += TVector.Count)
            sum = TVector.MultiplyAdd(TVector.Load(a + c), TVector.Load(b + c), sum);
        if (c < channels)
            sum = TVector.MultiplyAdd(TVector.LoadPartial(a + c, channels - c), TVector.LoadPartial(b + c, channels - c), sum);
        return sum.Sum();
    }
}
