using ManagedCuda.BasicTypes;
using ManagedCuda.CudaBlas;
using Api = ManagedCuda.CudaBlas.CudaBlasNativeMethods;

namespace CudaSeq.Kernels;

internal static unsafe partial class Cublas
{
    public static partial CublasResult Create(out nint handle)
    {
        ManagedCudaLibraries.Redirect();
        CudaPresence.OfProcess.Require(CudaLibrary.Cublas);
        var created = default(CudaBlasHandle);
        var result = Api.cublasCreate_v2(ref created);
        handle = created.Pointer;
        return (CublasResult)result;
    }

    public static partial CublasResult Destroy(nint handle) => (CublasResult)Api.cublasDestroy_v2(Handle(handle));

    public static partial CublasResult SetStream(nint handle, nint stream)
        => (CublasResult)Api.cublasSetStream_v2(Handle(handle), new CUstream { Pointer = stream });

    public static partial CublasResult SetWorkspace(nint handle, ulong workspace, nuint bytes)
        => (CublasResult)Api.cublasSetWorkspace_v2(Handle(handle), Memory(workspace), bytes);

    public static partial CublasResult DisallowReducedPrecisionReduction(nint handle)
        => (CublasResult)Api.cublasSetMathMode(Handle(handle), ManagedCuda.CudaBlas.Math.DisallowReducedPrecisionReduction);

    // Of the two declarations this is the one that knows all ways to sum; its factors are addresses, in the host's memory as well.
    public static partial CublasResult Gemm(
        nint handle, bool transposeA, bool transposeB, int m, int n, int k, float alpha, CublasMatrix a, CublasMatrix b, float beta, CublasMatrix c, int count,
        CublasCompute compute)
        => (CublasResult)Api.cublasGemmStridedBatchedEx(
            Handle(handle), Transposition(transposeA), Transposition(transposeB), m, n, k, Memory((ulong)&alpha),
            Memory(a.Address), (cudaDataType)a.Type, a.Leading, a.Stride, Memory(b.Address), (cudaDataType)b.Type, b.Leading, b.Stride, Memory((ulong)&beta),
            Memory(c.Address), (cudaDataType)c.Type, c.Leading, c.Stride, count, (ComputeType)compute, GemmAlgo.Default);

    private static Operation Transposition(bool transpose) => transpose ? Operation.Transpose : Operation.NonTranspose;

    private static CudaBlasHandle Handle(nint handle) => new() { Pointer = handle };

    private static CUdeviceptr Memory(ulong address) => new() { Pointer = address };
}
