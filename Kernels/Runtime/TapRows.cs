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
internal static unsafe class TapRows
{
    /// <summary>
    /// taps[i, k] = softmax over k of logits[i, k], dropped and scaled.
    /// </summary>
    /// <param name="rule">Softmax and DropConnect.</param>
    /// <param name="logits">Row i starts at i * <paramref name="logitStride"/>.</param>
    /// <param name="logitStride">Elements from one row of logits to the next.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="K">Taps a row.</param>
    /// <param name="maskRow">The mask's row that belongs to row 0.</param>
    /// <param name="maskStride">Mask rows from one row to the next.</param>
    /// <param name="taps">[rows, K].</param>
    /// <param name="factors">
    /// [rows, K] for <see cref="Gradient"/>, or null: the softmax before DropConnect; without softmax the mask's scales. Written only when the rule drops.
    /// </param>
    public static void Prepare<TVector>(
        TapRule rule, float* logits, nint logitStride, int rows, int K, ulong maskRow, ulong maskStride, float* taps, float* factors)
        where TVector : struct, IFloatVector<TVector>
    {
        int lanes = TVector.Count, body = (K - 1) / lanes * lanes, tail = K - body;
        float* minusInfinity = stackalloc float[16];
        for (int i = 0; i < lanes; i++)
            minusInfinity[i] = i < tail ? 0 : float.NegativeInfinity;
        var beyond = TVector.Load(minusInfinity);
        float* scales = stackalloc float[ConvSize.MaxK];
        for (int i = 0; i < rows; i++, logits += logitStride, taps += K)
        {
            if (rule.Softmax)
                Softmax(logits, body, tail, beyond, taps);
            else
                Copy<TVector>(logits, body, tail, taps);
            if (!rule.Drop.Active)
                continue;
            rule.Drop.Fill<TVector>((maskRow + ((ulong)i * maskStride)) * (ulong)K, K, scales);
            if (factors is not null)
                Copy<TVector>(rule.Softmax ? taps : scales, body, tail, factors + ((nint)i * K));
            for (int k = 0; k < body; k += lanes)
                (TVector.Load(taps + k) * TVector.Load(scales + k)).Store(taps + k);
            (TVector.LoadPartial(taps + body, tail) * TVector.LoadPartial(scales + body, tail)).StorePartial(taps + body, tail);
        }
    }

    /// <summary>
    /// One row's gradient of the logits from the gradient g of its taps. With softmax s before and d after DropConnect: d[k] g[k] - s[k] sum over j of d[j] g[j].
    /// </summary>
    /// <param name="rule">The rule that made the taps.</param>
    /// <param name="g">[K], the gradient of the taps.</param>
    /// <param name="taps">[K], what <see cref="Prepare"/> gave.</param>
    /// <param name="factors">[K], what <see cref="Prepare"/> gave; not read unless the rule drops.</param>
    /// <param name="K">Taps.</param>
    /// <param name="gradient">[K].</param>
    public static void Gradient<TVector>(TapRule rule, float* g, float* taps, float* factors, int K, float* gradient)
        where TVector : struct, IFloatVector<TVector>
    {
        int lanes = TVector.Count, body = (K - 1) / lanes * lanes, tail = K - body;
        if (rule.IsIdentity)
        {
            Copy<TVector>(g, body, tail, gradient);
            return;
        }

        if (!rule.Softmax)
        {
            for (int k = 0; k < body; k += lanes)
                (TVector.Load(g + k) * TVector.Load(factors + k)).Store(gradient + k);
            (TVector.LoadPartial(g + body, tail) * TVector.LoadPartial(factors + body, tail)).StorePartial(gradient + body, tail);
            return;
        }

        float* before = rule.Drop.Active ? factors : taps;
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

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Copy<TVector>(float* source, int body, int tail, float* destination)
        where TVector : struct, IFloatVector<TVector>
    {
        for (int k = 0; k < body; k += TVector.Count)
            TVector.Load(source + k).Store(destination + k);
        TVector.LoadPartial(source + body, tail).StorePartial(destination + body, tail);
    }
}
