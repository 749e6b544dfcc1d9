using System.Runtime.CompilerServices;

namespace CudaSeq.Kernels;

/// <summary>How convolution kernels turn logits into taps.</summary>
/// <param name="Softmax">Softmax over the K taps of a row; otherwise the logits are the taps.</param>
/// <param name="Drop">DropConnect on the normalised taps; element (row, k) of the mask has the index row * K + k.</param>
internal readonly record struct TapRule(bool Softmax, DropMask Drop)
{
    /// <summary>Whether the logits are the taps as they are.</summary>
    public bool IsIdentity => !Softmax && !Drop.Active;
}

/// <summary>Rows of K taps from rows of K logits, and the way back.</summary>
internal static unsafe partial class TapRows
{
    // Mask scales made at a time; they never leave the first-level cache.
    private const int ScaleElements = 1024;

    /// <summary>taps[i, k] = softmax over k of logits[i, k], dropped and scaled.</summary>
    /// <param name="rule">Softmax and DropConnect.</param>
    /// <param name="logits">[rows, K].</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="K">Taps a row.</param>
    /// <param name="maskRow">The mask's row that belongs to row 0.</param>
    /// <param name="taps">[rows, K].</param>
    /// <param name="factors">
    /// [rows, K], written when the rule drops: the softmax before DropConnect, or without softmax the mask's scales. Null for whoever needs no <see cref="Gradient"/>.
    /// </param>
    [SkipLocalsInit]
    public static void Prepare<TVector>(in TapRule rule, float* logits, int rows, int K, long maskRow, float* taps, float* factors)
        where TVector : struct, IFloatVector<TVector>
    {
        int lanes = TVector.Count, body = (K - 1) / lanes * lanes, tail = K - body;
        if (rule.Softmax)
        {
            float* minusInfinity = stackalloc float[16];
            for (int i = 0; i < lanes; i++)
                minusInfinity[i] = i < tail ? 0 : float.NegativeInfinity;
            var beyond = TVector.Load(minusInfinity);
            int row = typeof(TVector) == typeof(Float512) ? ShortRows(logits, rows, K, taps) : 0;
            for (nint offset = (nint)row * K; row < rows; row++, offset += K)
                Softmax(logits + offset, body, tail, beyond, taps + offset);
        }
        else
        {
            Copy<TVector>(logits, (nint)rows * K, taps);
        }

        if (!rule.Drop.Active)
            return;
        float* scales = stackalloc float[ScaleElements];
        nint count = (nint)rows * K;
        for (nint start = 0; start < count; start += ScaleElements)
        {
            int part = (int)Math.Min(ScaleElements, count - start);
            rule.Drop.Fill<TVector>((ulong)((maskRow * K) + start), part, scales);
            if (factors is not null)
                Copy<TVector>(rule.Softmax ? taps + start : scales, part, factors + start);
            Multiply<TVector>(taps + start, scales, part, taps + start);
        }
    }

    /// <summary>
    /// The gradient of the logits from the gradient g of the taps, row by row. With softmax s before and d after DropConnect: d[k] g[k] - s[k] sum over j of d[j] g[j].
    /// </summary>
    /// <param name="rule">The rule that made the taps.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="K">Taps a row.</param>
    /// <param name="g">[rows, K], the gradient of the taps.</param>
    /// <param name="gStride">Elements from one row of g to the next.</param>
    /// <param name="taps">[rows, K], what <see cref="Prepare"/> gave.</param>
    /// <param name="factors">[rows, K], what <see cref="Prepare"/> gave; not read unless the rule drops.</param>
    /// <param name="tapStride">Elements from one row of taps and of factors to the next.</param>
    /// <param name="gradient">[rows, K].</param>
    /// <param name="gradientStride">Elements from one row of the gradient to the next.</param>
    public static void Gradient<TVector>(
        in TapRule rule, int rows, int K, float* g, nint gStride, float* taps, float* factors, nint tapStride, float* gradient, nint gradientStride)
        where TVector : struct, IFloatVector<TVector>
    {
        float* before = rule.Drop.Active ? factors : taps;
        if (typeof(TVector) == typeof(Float512) && rule.Softmax && rows == 4 && K <= ShortRow)
        {
            SoftmaxGradient4(K, g, gStride, taps, before, tapStride, gradient, gradientStride);
            return;
        }

        for (int i = 0; i < rows; i++, g += gStride, taps += tapStride, before += tapStride, gradient += gradientStride)
        {
            if (rule.Softmax)
                SoftmaxGradient<TVector>(g, taps, before, K, gradient);
            else if (rule.Drop.Active)
                Multiply<TVector>(g, before, K, gradient);
            else
                Copy<TVector>(g, K, gradient);
        }
    }

    private static void SoftmaxGradient<TVector>(float* g, float* taps, float* before, int K, float* gradient)
        where TVector : struct, IFloatVector<TVector>
    {
        int lanes = TVector.Count, body = (K - 1) / lanes * lanes, tail = K - body;
        var sum = TVector.LoadPartial(taps + body, tail) * TVector.LoadPartial(g + body, tail);
        for (int k = 0; k < body; k += lanes)
            sum = TVector.MultiplyAdd(TVector.Load(taps + k), TVector.Load(g + k), sum);
        var dot = TVector.Broadcast(sum.Sum());
        for (int k = 0; k < body; k += lanes)
            ((TVector.Load(taps + k) * TVector.Load(g + k)) - (TVector.Load(before + k) * dot)).Store(gradient + k);
        ((TVector.LoadPartial(taps + body, tail) * TVector.LoadPartial(g + body, tail)) - (TVector.LoadPartial(before + body, tail) * dot))
            .StorePartial(gradient + body, tail);
    }

    // beyond is 0 in the lanes of the tail and minus infinity after them.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Softmax<TVector>(float* logits, int body, int tail, TVector beyond, float* taps)
        where TVector : struct, IFloatVector<TVector>
    {
        int lanes = TVector.Count;
        var last = TVector.LoadPartial(logits + body, tail) + beyond;
        var largest = last;
        for (int k = 0; k < body; k += lanes)
            largest = TVector.Max(largest, TVector.Load(logits + k));
        var shift = TVector.Broadcast(largest.MaxLane());
        last = VectorMath.Exp(last - shift);
        var sum = last;
        for (int k = 0; k < body; k += lanes)
        {
            var e = VectorMath.Exp(TVector.Load(logits + k) - shift);
            e.Store(taps + k);
            sum += e;
        }

        var scale = TVector.Broadcast(1 / sum.Sum());
        for (int k = 0; k < body; k += lanes)
            (TVector.Load(taps + k) * scale).Store(taps + k);
        (last * scale).StorePartial(taps + body, tail);
    }

    private static void Multiply<TVector>(float* a, float* b, int count, float* product)
        where TVector : struct, IFloatVector<TVector>
    {
        int i = 0;
        for (; i <= count - TVector.Count; i += TVector.Count)
            (TVector.Load(a + i) * TVector.Load(b + i)).Store(product + i);
        if (i < count)
            (TVector.LoadPartial(a + i, count - i) * TVector.LoadPartial(b + i, count - i)).StorePartial(product + i, count - i);
    }

    private static void Copy<TVector>(float* source, nint count, float* destination)
        where TVector : struct, IFloatVector<TVector>
    {
        nint i = 0;
        for (; i <= count - TVector.Count; i += TVector.Count)
            TVector.Load(source + i).Store(destination + i);
        if (i < count)
            TVector.LoadPartial(source + i, (int)(count - i)).StorePartial(destination + i, (int)(count - i));
    }
}
