using System.Runtime.InteropServices;

namespace CudaSeq.Kernels;

/// <summary>What is done to a product before it is written; the numbers are NVIDIA's cublasLtEpilogue. Its Gelu is the one with tanh.</summary>
internal enum CublasLtEpilogue
{
    None = 1,
    Relu = 2,
    Bias = 4,
    ReluBias = 6,
    BiasGradientA = 256,
    BiasGradientB = 512,
}

/// <summary>What can be set of a product; the numbers are NVIDIA's cublasLtMatmulDescAttributes.</summary>
internal enum CublasLtOperationAttribute
{
    /// <summary>int: 1 transposes A.</summary>
    TransposeA = 3,

    /// <summary>int: 1 transposes B.</summary>
    TransposeB = 4,

    /// <summary>int: a <see cref="CublasLtEpilogue"/>.</summary>
    Epilogue = 7,

    /// <summary>Address of a bias, one element a row of D; or of its gradient.</summary>
    BiasPointer = 8,

    /// <summary>long: elements from one matrix's bias to the next.</summary>
    BiasBatchStride = 10,

    /// <summary>int: a <see cref="CublasType"/>.</summary>
    BiasType = 26,
}

/// <summary>What can be set of a matrix; the numbers are NVIDIA's cublasLtMatrixLayoutAttribute.</summary>
internal enum CublasLtLayoutAttribute
{
    /// <summary>int: 0 column-major, 1 row-major.</summary>
    Order = 1,

    /// <summary>int: matrices in a batch.</summary>
    BatchCount = 5,

    /// <summary>long: elements from one matrix to the next.</summary>
    BatchStride = 6,
}

/// <summary>What can be asked of an algorithm; the numbers are NVIDIA's cublasLtMatmulPreferenceAttributes.</summary>
internal enum CublasLtPreferenceAttribute
{
    /// <summary>ulong: bytes of workspace at most.</summary>
    MaxWorkspaceBytes = 1,

    /// <summary>uint: a set of <see cref="CublasLtReduction"/>, how split sums may be joined.</summary>
    ReductionSchemes = 3,

    /// <summary>uint: what the addresses of A are multiples of; likewise for the others below.</summary>
    MinAlignmentA = 5,
    MinAlignmentB = 6,
    MinAlignmentC = 7,
    MinAlignmentD = 8,
}

/// <summary>Where and in what type the parts of a split sum are added up; the numbers are NVIDIA's cublasLtReductionScheme_t.</summary>
[Flags]
internal enum CublasLtReduction : uint
{
    InPlace = 1,
    ComputeType = 2,
    OutputType = 4,
}

/// <summary>An algorithm that suits a product, as cuBLASLt describes it (cublasLtMatmulHeuristicResult_t, 96 bytes).</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct CublasLtAlgorithm
{
    /// <summary>For <see cref="CublasLt.Multiply"/>.</summary>
    public fixed ulong Algorithm[8];

    /// <summary>Bytes of workspace that it needs.</summary>
    public nuint WorkspaceBytes;

    /// <summary>Whether it suits.</summary>
    public CublasResult State;

    /// <summary>How often it fills the device; a little less than a whole number is best.</summary>
    public float Waves;

    /// <summary>NVIDIA's own.</summary>
    public fixed int Reserved[4];
}

/// <summary>
/// The door to cuBLASLt: one product with an epilogue, by an algorithm that can be chosen once for a shape and kept. Bound by this project itself in both bindings,
/// because the ManagedCuda packages do not have it. libcublasLt is looked for at the first call of <see cref="Create"/>.
/// </summary>
internal static unsafe class CublasLt
{
    /// <summary>(cublasLtCreate)</summary>
    /// <exception cref="CudaException">The library cannot be loaded.</exception>
    public static CublasResult Create(out nint handle)
    {
        CudaPresence.OfProcess.Require(CudaLibrary.CublasLt);
        handle = 0;
        fixed (nint* p = &handle)
            return Library.Create(p);
    }

    /// <summary>(cublasLtDestroy)</summary>
    public static CublasResult Destroy(nint handle) => Library.Destroy(handle);

    /// <summary>A product with float32 factors, D = alpha op(A) op(B) + beta C, to be completed with attributes. (cublasLtMatmulDescCreate)</summary>
    public static CublasResult OperationCreate(out nint operation, CublasCompute compute)
    {
        operation = 0;
        fixed (nint* p = &operation)
            return Library.OperationCreate(p, compute, CublasType.Float32);
    }

    /// <summary>(cublasLtMatmulDescDestroy)</summary>
    public static CublasResult OperationDestroy(nint operation) => Library.OperationDestroy(operation);

    /// <summary>(cublasLtMatmulDescSetAttribute)</summary>
    public static CublasResult Set<T>(nint operation, CublasLtOperationAttribute attribute, T value)
        where T : unmanaged
        => Library.OperationSet(operation, (int)attribute, &value, (nuint)sizeof(T));

    /// <summary>A column-major matrix. (cublasLtMatrixLayoutCreate)</summary>
    public static CublasResult LayoutCreate(out nint layout, CublasType type, long rows, long columns, long leading)
    {
        layout = 0;
        fixed (nint* p = &layout)
            return Library.LayoutCreate(p, type, (ulong)rows, (ulong)columns, leading);
    }

    /// <summary>(cublasLtMatrixLayoutDestroy)</summary>
    public static CublasResult LayoutDestroy(nint layout) => Library.LayoutDestroy(layout);

    /// <summary>(cublasLtMatrixLayoutSetAttribute)</summary>
    public static CublasResult Set<T>(nint layout, CublasLtLayoutAttribute attribute, T value)
        where T : unmanaged
        => Library.LayoutSet(layout, (int)attribute, &value, (nuint)sizeof(T));

    /// <summary>(cublasLtMatmulPreferenceCreate)</summary>
    public static CublasResult PreferenceCreate(out nint preference)
    {
        preference = 0;
        fixed (nint* p = &preference)
            return Library.PreferenceCreate(p);
    }

    /// <summary>(cublasLtMatmulPreferenceDestroy)</summary>
    public static CublasResult PreferenceDestroy(nint preference) => Library.PreferenceDestroy(preference);

    /// <summary>(cublasLtMatmulPreferenceSetAttribute)</summary>
    public static CublasResult Set<T>(nint preference, CublasLtPreferenceAttribute attribute, T value)
        where T : unmanaged
        => Library.PreferenceSet(preference, (int)attribute, &value, (nuint)sizeof(T));

    /// <summary>The algorithms that are likely fastest, best first. (cublasLtMatmulAlgoGetHeuristic)</summary>
    /// <param name="handle">The handle.</param>
    /// <param name="operation">The product.</param>
    /// <param name="a">Layout of A.</param>
    /// <param name="b">Layout of B.</param>
    /// <param name="c">Layout of C, which may be that of D.</param>
    /// <param name="d">Layout of D.</param>
    /// <param name="preference">Workspace and alignment.</param>
    /// <param name="algorithms">Filled from the front.</param>
    /// <param name="count">How many were found.</param>
    public static CublasResult FindAlgorithms(
        nint handle, nint operation, nint a, nint b, nint c, nint d, nint preference, Span<CublasLtAlgorithm> algorithms, out int count)
    {
        count = 0;
        fixed (CublasLtAlgorithm* results = algorithms)
        fixed (int* p = &count)
            return Library.FindAlgorithms(handle, operation, a, b, c, d, preference, algorithms.Length, results, p);
    }

    /// <summary>Queues a product, D = epilogue(alpha op(A) op(B) + beta C). Addresses are of device memory. (cublasLtMatmul)</summary>
    public static CublasResult Multiply(
        nint handle, nint operation, float alpha, ulong a, nint layoutA, ulong b, nint layoutB, float beta, ulong c, nint layoutC, ulong d, nint layoutD,
        in CublasLtAlgorithm algorithm, ulong workspace, nuint workspaceBytes, nint stream)
    {
        fixed (CublasLtAlgorithm* chosen = &algorithm)
        {
            return Library.Multiply(
                handle, operation, &alpha, a, layoutA, b, layoutB, &beta, c, layoutC, d, layoutD, chosen->Algorithm, workspace, workspaceBytes, stream);
        }
    }

    private static class Library
    {
        private static readonly nint Handle = CudaPresence.OfProcess.Require(CudaLibrary.CublasLt);

        public static readonly delegate* unmanaged<nint*, CublasResult> Create = (delegate* unmanaged<nint*, CublasResult>)Export("cublasLtCreate");
        public static readonly delegate* unmanaged<nint, CublasResult> Destroy = (delegate* unmanaged<nint, CublasResult>)Export("cublasLtDestroy");
        public static readonly delegate* unmanaged<nint*, CublasCompute, CublasType, CublasResult> OperationCreate = (delegate* unmanaged<nint*, CublasCompute, CublasType, CublasResult>)Export("cublasLtMatmulDescCreate");
        public static readonly delegate* unmanaged<nint, CublasResult> OperationDestroy = (delegate* unmanaged<nint, CublasResult>)Export("cublasLtMatmulDescDestroy");
        public static readonly delegate* unmanaged<nint, int, void*, nuint, CublasResult> OperationSet = (delegate* unmanaged<nint, int, void*, nuint, CublasResult>)Export("cublasLtMatmulDescSetAttribute");
        public static readonly delegate* unmanaged<nint*, CublasType, ulong, ulong, long, CublasResult> LayoutCreate = (delegate* unmanaged<nint*, CublasType, ulong, ulong, long, CublasResult>)Export("cublasLtMatrixLayoutCreate");
        public static readonly delegate* unmanaged<nint, CublasResult> LayoutDestroy = (delegate* unmanaged<nint, CublasResult>)Export("cublasLtMatrixLayoutDestroy");
        public static readonly delegate* unmanaged<nint, int, void*, nuint, CublasResult> LayoutSet = (delegate* unmanaged<nint, int, void*, nuint, CublasResult>)Export("cublasLtMatrixLayoutSetAttribute");
        public static readonly delegate* unmanaged<nint*, CublasResult> PreferenceCreate = (delegate* unmanaged<nint*, CublasResult>)Export("cublasLtMatmulPreferenceCreate");
        public static readonly delegate* unmanaged<nint, CublasResult> PreferenceDestroy = (delegate* unmanaged<nint, CublasResult>)Export("cublasLtMatmulPreferenceDestroy");
        public static readonly delegate* unmanaged<nint, int, void*, nuint, CublasResult> PreferenceSet = (delegate* unmanaged<nint, int, void*, nuint, CublasResult>)Export("cublasLtMatmulPreferenceSetAttribute");
        public static readonly delegate* unmanaged<nint, nint, nint, nint, nint, nint, nint, int, CublasLtAlgorithm*, int*, CublasResult> FindAlgorithms =
            (delegate* unmanaged<nint, nint, nint, nint, nint, nint, nint, int, CublasLtAlgorithm*, int*, CublasResult>)Export("cublasLtMatmulAlgoGetHeuristic");

        public static readonly delegate* unmanaged<nint, nint, float*, ulong, nint, ulong, nint, float*, ulong, nint, ulong, nint, ulong*, ulong, nuint, nint, CublasResult> Multiply =
            (delegate* unmanaged<nint, nint, float*, ulong, nint, ulong, nint, float*, ulong, nint, ulong, nint, ulong*, ulong, nuint, nint, CublasResult>)Export("cublasLtMatmul");

        private static nint Export(string name) => NativeLibrary.GetExport(Handle, name);
    }
}
