namespace CudaSeq.Kernels;

/// <summary>What a call of cuBLAS answers; the numbers are NVIDIA's.</summary>
internal enum CublasResult
{
    Success = 0,
    NotInitialized = 1,
    AllocationFailed = 3,
    InvalidValue = 7,
    ArchitectureMismatch = 8,
    MappingError = 11,
    ExecutionFailed = 13,
    InternalError = 14,
    NotSupported = 15,
    LicenseError = 16,
}

/// <summary>The element types of matrices; the numbers are NVIDIA's cudaDataType.</summary>
internal enum CublasType
{
    Float32 = 0,
    Float16 = 2,
    BFloat16 = 14,
}

/// <summary>Ours in NVIDIA's numbers.</summary>
internal static class CublasTypes
{
    /// <summary>The type of a matrix of floats.</summary>
    public static CublasType Of(DType type) => type switch
    {
        DType.BFloat16 => CublasType.BFloat16,
        DType.Float16 => CublasType.Float16,
        _ => CublasType.Float32,
    };
}

/// <summary>How products are summed; the numbers are NVIDIA's cublasComputeType.</summary>
internal enum CublasCompute
{
    /// <summary>float32 throughout.</summary>
    Float32 = 68,

    /// <summary>float32 inputs rounded to the 10 bits of TF32 for the tensor cores, float32 sums.</summary>
    Tf32 = 77,
}

/// <summary>Turning answers into exceptions.</summary>
internal static class CublasResults
{
    /// <summary>Throws unless the call succeeded.</summary>
    /// <exception cref="CudaException">It did not succeed.</exception>
    public static void Check(this CublasResult result, string call, string? where = null)
    {
        if (result != CublasResult.Success)
            throw new CudaException($"{call}{(where is null ? "" : $" on {where}")}: {result} ({(int)result}).", (int)result);
    }
}

/// <summary>
/// The door to cuBLAS: strided batches of products, of which a single product is the batch of one. Matrices are column-major, as in Fortran. Two bodies, as for
/// <see cref="CudaDriver"/>; libcublas is looked for at the first call. Products with fused epilogues go through <see cref="CublasLt"/>.
/// </summary>
internal static unsafe partial class Cublas
{
    /// <summary>Needs a current context. (cublasCreate_v2)</summary>
    public static partial CublasResult Create(out nint handle);

    /// <summary>(cublasDestroy_v2)</summary>
    public static partial CublasResult Destroy(nint handle);

    /// <summary>Queues all later products there. (cublasSetStream_v2)</summary>
    public static partial CublasResult SetStream(nint handle, nint stream);

    /// <summary>Device memory for split sums, instead of what cuBLAS would allocate behind our back; comes after <see cref="SetStream"/>, which resets it. (cublasSetWorkspace_v2)</summary>
    public static partial CublasResult SetWorkspace(nint handle, ulong workspace, nuint bytes);

    /// <summary>Sums that are split are joined in the type they are computed in, not in a narrower one of the result. (cublasSetMathMode)</summary>
    public static partial CublasResult DisallowReducedPrecisionReduction(nint handle);

    /// <summary>C = alpha op(A) op(B) + beta C for each matrix of a batch, with alpha and beta in host memory. (cublasGemmStridedBatchedEx)</summary>
    /// <param name="handle">The handle.</param>
    /// <param name="transposeA">Whether op(A) is the transpose.</param>
    /// <param name="transposeB">Whether op(B) is the transpose.</param>
    /// <param name="m">Rows of C.</param>
    /// <param name="n">Columns of C.</param>
    /// <param name="k">Columns of op(A).</param>
    /// <param name="alpha">Factor of the product.</param>
    /// <param name="a">First matrix.</param>
    /// <param name="b">Second matrix.</param>
    /// <param name="beta">Factor of the old C; with 0 it is not read.</param>
    /// <param name="c">The result.</param>
    /// <param name="count">Matrices in the batch.</param>
    /// <param name="compute">How products are summed.</param>
    public static partial CublasResult Gemm(
        nint handle, bool transposeA, bool transposeB, int m, int n, int k, float alpha, CublasMatrix a, CublasMatrix b, float beta, CublasMatrix c, int count,
        CublasCompute compute);
}

/// <summary>Matrices of a batch.</summary>
/// <param name="Address">The first element of the first matrix.</param>
/// <param name="Type">Element type.</param>
/// <param name="Leading">Elements from one column to the next.</param>
/// <param name="Stride">Elements from one matrix to the next.</param>
internal readonly record struct CublasMatrix(ulong Address, CublasType Type, int Leading, long Stride);
