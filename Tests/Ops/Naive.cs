using System.Numerics;

namespace CudaSeq.Tests;

/// <summary>The plainest loops that several references share.</summary>
internal static class Naive
{
    /// <summary>f(a, b) under broadcasting, one element at a time.</summary>
    public static T[] Broadcast<T>(int[] shapeA, int[] shapeB, T[] a, T[] b, Func<T, T, T> f)
        where T : struct, IFloatingPointIeee754<T>
    {
        int rank = Math.Max(shapeA.Length, shapeB.Length);
        int[] sizesA = [.. Enumerable.Repeat(1, rank - shapeA.Length), .. shapeA];
        int[] sizesB = [.. Enumerable.Repeat(1, rank - shapeB.Length), .. shapeB];
        int[] sizes = [.. sizesA.Zip(sizesB, (m, n) => m == 1 ? n : m)];
        var y = new T[sizes.Aggregate(1, (m, n) => m * n)];
        for (int i = 0; i < y.Length; i++)
        {
            int rest = i, atA = 0, atB = 0, strideA = 1, strideB = 1;
            for (int axis = rank - 1; axis >= 0; axis--)
            {
                int index = rest % sizes[axis];
                rest /= sizes[axis];
                atA += sizesA[axis] == 1 ? 0 : index * strideA;
                atB += sizesB[axis] == 1 ? 0 : index * strideB;
                strideA *= sizesA[axis];
                strideB *= sizesB[axis];
            }

            y[i] = f(a[atA], b[atB]);
        }

        return y;
    }

    public static int Count(IEnumerable<int> sizes) => sizes.Aggregate(1, (m, n) => m * n);
}
