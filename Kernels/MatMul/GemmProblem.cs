namespace CudaSeq.Kernels;

/// <summary>
/// C = epilogue(op(A) op(B) [+ C]) on row-major matrices in memory: op(A) is [M, K], op(B) is [K, N], C is [M, N].
/// Strides are the floats from one stored row to the next; a transposed operand is stored as [K, M] or [N, K].
/// </summary>
internal unsafe struct GemmProblem
{
    public int M;
    public int N;
    public int K;

    public float* A;
    public long StrideA;
    public bool TransposeA;

    public float* B;
    public long StrideB;
    public bool TransposeB;

    public float* C;
    public long StrideC;

    /// <summary>Whether the sums begin with what C holds.</summary>
    public bool Accumulate;

    public Epilogue Epilogue;

    /// <summary>The product of dense matrices: every stride is the length of a stored row.</summary>
    public static GemmProblem Dense(int m, int n, int k, float* a, bool transposeA, float* b, bool transposeB, float* c) => new()
    {
        M = m,
        N = n,
        K = k,
        A = a,
        StrideA = transposeA ? m : k,
        TransposeA = transposeA,
        B = b,
        StrideB = transposeB ? k : n,
        TransposeB = transposeB,
        C = c,
        StrideC = n,
        Epilogue = Epilogue.None,
    };
}
