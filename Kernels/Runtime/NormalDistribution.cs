using System.Runtime.CompilerServices;

namespace CudaSeq.Kernels;

/// <summary>The standard normal distribution over any vector width, for GELU(x) = x Cumulative(x) = x (1 + erf(x / sqrt 2)) / 2.</summary>
internal static class NormalDistribution
{
    // Beyond, the tail is below 1e-9 and a float near 1 does not see it.
    private const float Limit = 6;

    /// <summary>
    /// The probability of a value below x, with an absolute error below 1e-7 and a relative error below 5e-6 for x above -6; 0 below that. NaN stays NaN.
    /// The tail is exp(-Q(|x|)), where Q is the polynomial of degree 10 nearest to -ln of the tail on 0 .. 6: no cancellation on either side.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Cumulative<TVector>(TVector x)
        where TVector : struct, IFloatVector<TVector>
    {
        var t = TVector.Abs(x);
        var q = TVector.Broadcast(1.6914228e-8f);
        q = TVector.MultiplyAdd(q, t, TVector.Broadcast(-5.2078968e-7f));
        q = TVector.MultiplyAdd(q, t, TVector.Broadcast(6.849234e-6f));
        q = TVector.MultiplyAdd(q, t, TVector.Broadcast(-4.887616e-5f));
        q = TVector.MultiplyAdd(q, t, TVector.Broadcast(1.805318e-4f));
        q = TVector.MultiplyAdd(q, t, TVector.Broadcast(2.5984174e-5f));
        q = TVector.MultiplyAdd(q, t, TVector.Broadcast(-4.845227e-3f));
        q = TVector.MultiplyAdd(q, t, TVector.Broadcast(3.6368795e-2f));
        q = TVector.MultiplyAdd(q, t, TVector.Broadcast(3.1830156e-1f));
        q = TVector.MultiplyAdd(q, t, TVector.Broadcast(7.9788536e-1f));
        q = TVector.MultiplyAdd(q, t, TVector.Broadcast(6.9314718e-1f));
        var tail = TVector.SelectLess(TVector.Broadcast(Limit), t, TVector.Zero, VectorMath.Exp(TVector.Zero - q));
        return TVector.SelectLess(x, TVector.Zero, tail, TVector.Broadcast(1) - tail);
    }

    /// <summary>exp(-x^2 / 2) / sqrt(2 pi).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Density<TVector>(TVector x)
        where TVector : struct, IFloatVector<TVector>
        => VectorMath.Exp(x * x * TVector.Broadcast(-0.5f)) * TVector.Broadcast(0.3989422804f);
}
