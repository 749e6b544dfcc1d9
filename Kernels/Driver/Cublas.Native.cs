using System.Runtime.InteropServices;

namespace CudaSeq.Kernels;

internal static unsafe partial class Cublas
{
    private const int DefaultAlgorithm = -1;

    // CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION.
    private const int FullPrecisionReduction = 16;

    public static partial CublasResult Create(out nint handle)
    {
        CudaPresence.OfProcess.Require(CudaLibrary.Cublas);
        handle = 0;
        fixed (nint* p = &handle)
            return Library.Create(p);
    }

    public static partial CublasResult Destroy(nint handle) => Library.Destroy(handle);

    public static partial CublasResult SetStream(nint handle, nint stream) => Library.SetStream(handle, stream);

    public static partial CublasResult SetWorkspace(nint handle, ulong workspace, nuint bytes) => Library.SetWorkspace(handle, workspace, bytes);

    public static partial CublasResult DisallowReducedPrecisionReduction(nint handle) => Library.SetMathMode(handle, FullPrecisionReduction);

    public static partial CublasResult Gemm(
        nint handle, bool transposeA, bool transposeB, int m, int n, int k, float alpha, CublasMatrix a, CublasMatrix b, float beta, CublasMatrix c, int count,
        CublasCompute compute)
        => Library.Gemm(
            handle, transposeA ? 1 : 0, transposeB ? 1 : 0, m, n, k, &alpha, a.Address, a.Type, a.Leading, a.Stride, b.Address, b.Type, b.Leading, b.Stride, &beta,
            c.Address, c.Type, c.Leading, c.Stride, count, compute, DefaultAlgorithm);

    private static class Library
    {
        private static readonly nint Handle = CudaPresence.OfProcess.Require(CudaLibrary.Cublas);

        public static readonly delegate* unmanaged<nint*, CublasResult> Create = (delegate* unmanaged<nint*, CublasResult>)Export("cublasCreate_v2");
        public static readonly delegate* unmanaged<nint, CublasResult> Destroy = (delegate* unmanaged<nint, CublasResult>)Export("cublasDestroy_v2");
        public static readonly delegate* unmanaged<nint, nint, CublasResult> SetStream = (delegate* unmanaged<nint, nint, CublasResult>)Export("cublasSetStream_v2");
        public static readonly delegate* unmanaged<nint, ulong, nuint, CublasResult> SetWorkspace = (delegate* unmanaged<nint, ulong, nuint, CublasResult>)Export("cublasSetWorkspace_v2");
        public static readonly delegate* unmanaged<nint, int, CublasResult> SetMathMode = (delegate* unmanaged<nint, int, CublasResult>)Export("cublasSetMathMode");
        public static readonly delegate* unmanaged<nint, int, int, int, int, int, float*, ulong, CublasType, int, long, ulong, CublasType, int, long, float*, ulong, CublasType, int, long, int, CublasCompute, int, CublasResult> Gemm =
            (delegate* unmanaged<nint, int, int, int, int, int, float*, ulong, CublasType, int, long, ulong, CublasType, int, long, float*, ulong, CublasType, int, long, int, CublasCompute, int, CublasResult>)Export("cublasGemmStridedBatchedEx");

        private static nint Export(string name) => NativeLibrary.GetExport(Handle, name);
    }
}
