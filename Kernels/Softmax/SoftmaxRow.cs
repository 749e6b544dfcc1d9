using System.Runtime.CompilerServices;

namespace CudaSeq.Kernels;

/// <summary>The steps of a softmax over one row that lies in the first-level cache; shared by every op that normalises.</summary>
internal static unsafe class SoftmaxRow
{
    /// <summary>The largest of x[0 .. n), -infinity for none; NaN is passed over, the sum of exponentials shows it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Max<TVector>(float* x, int n)
        where TVector : struct, IFloatVector<TVector>
    {
        // Max gives its second argument when either is NaN, so the running maximum stands second.
        var m0 = TVector.Broadcast(float.NegativeInfinity);
        var m1 = m0;
        int i = 0;
        for (; i <= n - (2 * TVector.Count); i += 2 * TVector.Count)
        {
            m0 = TVector.Max(TVector.Load(x + i), m0);
            m1 = TVector.Max(TVector.Load(x + i + TVector.Count), m1);
        }

        if (i <= n - TVector.Count)
        {
            m0 = TVector.Max(TVector.Load(x + i), m0);
            i += TVector.Count;
        }

        if (i < n)
            m1 = TVector.Max(TVector.LoadPartial(x + i, n - i, float.NegativeInfinity), m1);
        return TVector.Max(m0, m1).MaxLane();
    }

    /// <summary>y = exp(x - max) over n elements, in place if the pointers agree; returns the sum of y.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float ExpSum<TVector>(float* x, float* y, int n, float max)
        where TVector : struct, IFloatVector<TVector>
    {
        var m = TVector.Broadcast(max);
        var sum = TVector.Zero;
        int i = 0;
        for (; i <= n - TVector.Count; i += TVector.Count)
        {
            var e = VectorMath.Exp(TVector.Load(x + i) - m);
            e.Store(y + i);
            sum += e;
        }

        if (i < n)
        {
            var e = VectorMath.Exp(TVector.LoadPartial(x + i, n - i, float.NegativeInfinity) - m);
            e.StorePartial(y + i, n - i);
            sum += e;
        }

        return sum.Sum();
    }

    /// <summary>The sum of exp(x - max) over n elements.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float ExpSum<TVector>(float* x, int n, float max)
        where TVector : struct, IFloatVector<TVector>
    {
        var m = TVector.Broadcast(max);
        var sum = TVector.Zero;
        int i = 0;
        for (; i <= n - TVector.Count; i += TVector.Count)
            sum += VectorMath.Exp(TVector.Load(x + i) - m);
        if (i < n)
            sum += VectorMath.Exp(TVector.LoadPartial(x + i, n - i, float.NegativeInfinity) - m);
        return sum.Sum();
    }

    /// <summary>y *= factor over n elements.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Scale<TVector>(float* y, int n, float factor)
        where TVector : struct, IFloatVector<TVector>
    {
        var f = TVector.Broadcast(factor);
        int i = 0;
        for (; i <= n - TVector.Count; i += TVector.Count)
            (TVector.Load(y + i) * f).Store(y + i);
        if (i < n)
            (TVector.LoadPartial(y + i, n - i) * f).StorePartial(y + i, n - i);
    }
}
