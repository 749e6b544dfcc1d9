namespace CudaSeq.Kernels;

/// <summary>
/// C[i] = op(A[i]) op(B[i]) [+ C[i]] for a batch of row-major matrices on a graphics card: op(A) is [M, K], op(B) is [K, N], C is [M, N].
/// A and B are of one type; C is of it too, or float32. Strides are the elements from one stored row to the next; a transposed operand is stored as [K, M] or
/// [N, K]. The twin of <see cref="GemmProblem"/>.
/// </summary>
/// <param name="M">Rows of op(A) and C, at least 1.</param>
/// <param name="N">Columns of op(B) and C, at least 1.</param>
/// <param name="K">Columns of op(A), rows of op(B), at least 1.</param>
internal readonly record struct CudaGemm(int M, int N, int K)
{
    public required DeviceSpan A { get; init; }

    public required long StrideA { get; init; }

    public bool TransposeA { get; init; }

    public required DeviceSpan B { get; init; }

    public required long StrideB { get; init; }

    public bool TransposeB { get; init; }

    public required DeviceSpan C { get; init; }

    public required long StrideC { get; init; }

    /// <summary>Whether the sums begin with what C holds.</summary>
    public bool Accumulate { get; init; }

    /// <summary>Number of products.</summary>
    public int Batch { get; init; } = 1;

    /// <summary>Elements from one A to the next; 0 where one serves all.</summary>
    public long BatchStrideA { get; init; }

    /// <summary>Elements from one B to the next; 0 where one serves all.</summary>
    public long BatchStrideB { get; init; }

    /// <summary>Elements from one C to the next.</summary>
    public long BatchStrideC { get; init; }

    /// <summary>One product of dense matrices: every stride is the length of a stored row.</summary>
    public static CudaGemm Dense(int m, int n, int k, DeviceSpan a, bool transposeA, DeviceSpan b, bool transposeB, DeviceSpan c) => new(m, n, k)
    {
        A = a,
        StrideA = transposeA ? m : k,
        TransposeA = transposeA,
        B = b,
        StrideB = transposeB ? k : n,
        TransposeB = transposeB,
        C = c,
        StrideC = n,
    };
}
