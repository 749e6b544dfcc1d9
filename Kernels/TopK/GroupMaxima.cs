using System.Runtime.CompilerServices;

namespace CudaSeq.Kernels;

/// <summary>The largest of each group of <see cref="Size"/> neighbours in a row, so that a search visits only groups worth it. NaN counts as +infinity here.</summary>
internal static unsafe class GroupMaxima
{
    public const int Size = 64;

    public static int Count(int n) => (n + Size - 1) / Size;

    /// <summary>The largest of group <paramref name="group"/> of x[0 .. n).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Of<TVector>(float* x, int n, int group)
        where TVector : struct, IFloatVector<TVector>
    {
        // Min gives its second argument for NaN.
        var infinity = TVector.Broadcast(float.PositiveInfinity);
        var max = TVector.Broadcast(float.NegativeInfinity);
        int i = group * Size, end = Math.Min(n, i + Size);
        for (; i <= end - TVector.Count; i += TVector.Count)
            max = TVector.Max(max, TVector.Min(TVector.Load(x + i), infinity));
        if (i < end)
            max = TVector.Max(max, TVector.Min(TVector.LoadPartial(x + i, end - i, float.NegativeInfinity), infinity));
        return max.MaxLane();
    }
}
