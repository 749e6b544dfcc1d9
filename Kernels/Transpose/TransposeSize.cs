using System.Runtime.CompilerServices;

namespace CudaSeq.Kernels;

/// <summary>
/// A permutation of axes in its smallest form: axes of one element dropped, axes that stay neighbours merged.
/// Axes are the output's, each with the stride its step takes in the input.
/// </summary>
internal struct TransposeSize
{
    private Axes _sizes;
    private Axes _strides;

    public int Rank { get; private set; }

    public long Count { get; private set; }

    public readonly long Size(int axis) => _sizes[axis];

    public readonly long Stride(int axis) => _strides[axis];

    /// <summary>The order of the elements does not change.</summary>
    public readonly bool IsCopy => Rank <= 1;

    /// <summary>From the input's shape and, for every output axis, the input axis it is.</summary>
    public static TransposeSize Of(ReadOnlySpan<int> shape, ReadOnlySpan<int> axes)
    {
        Span<long> strides = stackalloc long[shape.Length];
        long stride = 1;
        for (int axis = shape.Length - 1; axis >= 0; axis--)
        {
            strides[axis] = stride;
            stride *= shape[axis];
        }

        var size = new TransposeSize { Count = stride };
        int n = 0;
        foreach (int axis in axes)
        {
            if (shape[axis] == 1)
                continue;
            if (n > 0 && size._strides[n - 1] == strides[axis] * shape[axis])
            {
                size._sizes[n - 1] *= shape[axis];
                size._strides[n - 1] = strides[axis];
                continue;
            }

            (size._sizes[n], size._strides[n]) = (shape[axis], strides[axis]);
            n++;
        }

        size.Rank = n;
        return size;
    }

    [InlineArray(6)]
    private struct Axes
    {
        private long _first;
    }
}
