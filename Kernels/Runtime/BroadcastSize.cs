using System.Runtime.CompilerServices;

namespace CudaSeq.Kernels;

/// <summary>
/// How two tensors meet under broadcasting: the output as <see cref="Rows"/> rows of <see cref="Inner"/> elements, where inside a row each input
/// either walks along (stride 1) or stays (stride 0). Axes over which both inputs walk alike are merged, so that equal shapes are one long row.
/// </summary>
internal struct BroadcastSize
{
    private const int MaxOuter = 5;

    private Axes _sizes;
    private Axes _stridesA;
    private Axes _stridesB;

    /// <summary>Axes outside the row.</summary>
    public int OuterRank { get; private set; }

    public long Rows { get; private set; }

    public long Inner { get; private set; }

    public int InnerStrideA { get; private set; }

    public int InnerStrideB { get; private set; }

    /// <summary>Both inputs have the output's shape.</summary>
    public readonly bool Same => Rows == 1 && InnerStrideA == 1 && InnerStrideB == 1;

    /// <summary>Size of an axis outside the row; axis 0 changes fastest.</summary>
    public readonly long Size(int axis) => _sizes[axis];

    /// <summary>What a step along an axis outside the row adds to the place in the first input.</summary>
    public readonly long StrideA(int axis) => _stridesA[axis];

    /// <summary>What a step along an axis outside the row adds to the place in the second input.</summary>
    public readonly long StrideB(int axis) => _stridesB[axis];

    /// <summary>From three shapes of equal rank (missing leading axes are 1), where every axis of an input is the output's or 1.</summary>
    public static BroadcastSize Of(ReadOnlySpan<int> output, ReadOnlySpan<int> a, ReadOnlySpan<int> b)
    {
        var size = new BroadcastSize { Inner = 1, InnerStrideA = 1, InnerStrideB = 1 };
        Span<long> sizes = stackalloc long[output.Length + 1], stridesA = stackalloc long[output.Length + 1], stridesB = stackalloc long[output.Length + 1];
        int n = 0;
        long strideA = 1, strideB = 1;
        for (int axis = output.Length - 1; axis >= 0; axis--)
        {
            if (output[axis] == 1)
                continue;
            long stepA = a[axis] == 1 ? 0 : strideA, stepB = b[axis] == 1 ? 0 : strideB;
            strideA *= a[axis];
            strideB *= b[axis];
            if (n > 0 && stepA == stridesA[n - 1] * sizes[n - 1] && stepB == stridesB[n - 1] * sizes[n - 1])
            {
                sizes[n - 1] *= output[axis];
                continue;
            }

            (sizes[n], stridesA[n], stridesB[n]) = (output[axis], stepA, stepB);
            n++;
        }

        size.Rows = 1;
        if (n == 0)
            return size;
        size.Inner = sizes[0];
        size.InnerStrideA = (int)stridesA[0];
        size.InnerStrideB = (int)stridesB[0];
        size.OuterRank = n - 1;
        for (int i = 1; i < n; i++)
        {
            size.Rows *= sizes[i];
            (size._sizes[i - 1], size._stridesA[i - 1], size._stridesB[i - 1]) = (sizes[i], stridesA[i], stridesB[i]);
        }

        return size;
    }

    /// <summary>Where both inputs stand at the start of a row.</summary>
    public readonly (long A, long B) Start(long row)
    {
        long a = 0, b = 0;
        for (int i = 0; i < OuterRank; i++)
        {
            long index = row % _sizes[i];
            row /= _sizes[i];
            a += index * _stridesA[i];
            b += index * _stridesB[i];
        }

        return (a, b);
    }

    [InlineArray(MaxOuter)]
    private struct Axes
    {
        private long _first;
    }
}
