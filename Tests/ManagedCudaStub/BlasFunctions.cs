using System;
using System.Runtime.InteropServices;
using ManagedCuda.BasicTypes;

namespace ManagedCuda.CudaBlas
{
    public enum CublasStatus
    {
        Success = 0,
    }

    public enum Operation
    {
        NonTranspose = 0,
        Transpose = 1,
    }

    public enum ComputeType
    {
    }

    public enum Math
    {
        DisallowReducedPrecisionReduction = 16,
    }

    public enum GemmAlgo
    {
        Default = -1,
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct CudaBlasHandle
    {
        public IntPtr Pointer;
    }

    public static class CudaBlasNativeMethods
    {
        private const string Library = "cublas64_12";

        [DllImport(Library)]
        public static extern CublasStatus cublasCreate_v2(ref CudaBlasHandle handle);

        [DllImport(Library)]
        public static extern CublasStatus cublasDestroy_v2(CudaBlasHandle handle);

        [DllImport(Library)]
        public static extern CublasStatus cublasSetWorkspace_v2(CudaBlasHandle handle, CUdeviceptr workspace, SizeT workspaceSizeInBytes);

        [DllImport(Library)]
        public static extern CublasStatus cublasSetMathMode(CudaBlasHandle handle, Math mode);

        [DllImport(Library)]
        public static extern CublasStatus cublasSetStream_v2(CudaBlasHandle handle, CUstream streamId);

        [DllImport(Library)]
        public static extern CublasStatus cublasGemmStridedBatchedEx(
            CudaBlasHandle handle, Operation transa, Operation transb, int m, int n, int k, CUdeviceptr alpha, CUdeviceptr A, cudaDataType Atype, int lda, long strideA,
            CUdeviceptr B, cudaDataType Btype, int ldb, long strideB, CUdeviceptr beta, CUdeviceptr C, cudaDataType Ctype, int ldc, long strideC, int batchCount,
            ComputeType computeType, GemmAlgo algo);
    }
}
