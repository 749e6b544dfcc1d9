// cuBLAS: the few functions that a tensor engine calls, on the emulated device.
#include "matrix_product.h"

#define CUBLAS_API extern "C" __attribute__((visibility("default"))) int

using namespace cuda_emulator;

namespace {

enum Status { Success = 0, NotInitialized = 1, InvalidValue = 7, ExecutionFailed = 13, NotSupported = 15 };
enum PointerMode { HostPointers = 0, DevicePointers = 1 };
enum MathMode { Tf32Math = 3 };
enum ComputeType { ComputeFloat = 68, ComputePedanticFloat = 69, ComputeFastHalf = 74, ComputeFastBfloat16 = 75, ComputeFastTf32 = 77 };

struct Handle {
    void* stream = nullptr;
    int pointer_mode = HostPointers, math_mode = 0;
};

bool is_float_compute(int type) {
    return type == ComputeFloat || type == ComputePedanticFloat || type == ComputeFastHalf || type == ComputeFastBfloat16 || type == ComputeFastTf32;
}

int gemm(
    const char* name, void* handle, int transpose_a, int transpose_b, int m, int n, int k, const void* alpha, const void* a, int a_type, int lda,
    int64_t a_stride, const void* b, int b_type, int ldb, int64_t b_stride, const void* beta, void* c, int c_type, int ldc, int64_t c_stride, int batches,
    bool tf32) {
    if (handle == nullptr) return NotInitialized;
    const auto& h = *static_cast<Handle*>(handle);
    auto ta = static_cast<DataType>(a_type), tb = static_cast<DataType>(b_type), tc = static_cast<DataType>(c_type);
    if (!is_known(ta) || !is_known(tb) || !is_known(tc) || ta != tb) return NotSupported;
    int rows_a = transpose_a ? k : m, rows_b = transpose_b ? n : k;
    if (m < 0 || n < 0 || k < 0 || batches < 0 || lda < rows_a || ldb < rows_b || ldc < m || lda < 1 || ldb < 1 || ldc < 1) return InvalidValue;
    if (m == 0 || n == 0 || batches == 0) return Success;
    Product p{};
    p.name = name;
    p.a = {reinterpret_cast<uint64_t>(a), ta, rows_a, transpose_a ? m : k, lda, false, a_stride};
    p.b = {reinterpret_cast<uint64_t>(b), tb, rows_b, transpose_b ? k : n, ldb, false, b_stride};
    p.c = p.d = {reinterpret_cast<uint64_t>(c), tc, m, n, ldc, false, c_stride};
    p.transpose_a = transpose_a != 0;
    p.transpose_b = transpose_b != 0;
    p.m = m;
    p.n = n;
    p.k = k;
    p.batches = batches;
    p.tf32 = ta == DataType::Float32 && (tf32 || h.math_mode == Tf32Math);
    if (h.pointer_mode == DevicePointers) {
        p.device_scalars[0] = reinterpret_cast<uint64_t>(alpha);
        p.device_scalars[1] = reinterpret_cast<uint64_t>(beta);
    } else {
        p.alpha = *static_cast<const float*>(alpha);
        p.beta = *static_cast<const float*>(beta);
    }
    return enqueue(h.stream, p) == 0 ? Success : ExecutionFailed;
}

}  // namespace

CUBLAS_API cublasCreate_v2(void** handle) {
    *handle = new Handle;
    return Success;
}

CUBLAS_API cublasDestroy_v2(void* handle) {
    delete static_cast<Handle*>(handle);
    return Success;
}

CUBLAS_API cublasGetVersion_v2(void*, int* version) {
    *version = 120400;
    return Success;
}

CUBLAS_API cublasSetStream_v2(void* handle, void* stream) {
    static_cast<Handle*>(handle)->stream = stream;
    return Success;
}

CUBLAS_API cublasGetStream_v2(void* handle, void** stream) {
    *stream = static_cast<Handle*>(handle)->stream;
    return Success;
}

CUBLAS_API cublasSetWorkspace_v2(void*, void*, size_t) { return Success; }

CUBLAS_API cublasSetMathMode(void* handle, int mode) {
    static_cast<Handle*>(handle)->math_mode = mode & 0xf;
    return Success;
}

CUBLAS_API cublasGetMathMode(void* handle, int* mode) {
    *mode = static_cast<Handle*>(handle)->math_mode;
    return Success;
}

CUBLAS_API cublasSetPointerMode_v2(void* handle, int mode) {
    static_cast<Handle*>(handle)->pointer_mode = mode;
    return Success;
}

CUBLAS_API cublasGetPointerMode_v2(void* handle, int* mode) {
    *mode = static_cast<Handle*>(handle)->pointer_mode;
    return Success;
}

CUBLAS_API cublasSgemm_v2(
    void* handle, int transpose_a, int transpose_b, int m, int n, int k, const float* alpha, const float* a, int lda, const float* b, int ldb,
    const float* beta, float* c, int ldc) {
    return gemm("cublasSgemm", handle, transpose_a, transpose_b, m, n, k, alpha, a, 0, lda, 0, b, 0, ldb, 0, beta, c, 0, ldc, 0, 1, false);
}

CUBLAS_API cublasSgemmStridedBatched(
    void* handle, int transpose_a, int transpose_b, int m, int n, int k, const float* alpha, const float* a, int lda, long long a_stride, const float* b,
    int ldb, long long b_stride, const float* beta, float* c, int ldc, long long c_stride, int batches) {
    return gemm(
        "cublasSgemmStridedBatched", handle, transpose_a, transpose_b, m, n, k, alpha, a, 0, lda, a_stride, b, 0, ldb, b_stride, beta, c, 0, ldc, c_stride,
        batches, false);
}

CUBLAS_API cublasGemmEx(
    void* handle, int transpose_a, int transpose_b, int m, int n, int k, const void* alpha, const void* a, int a_type, int lda, const void* b, int b_type,
    int ldb, const void* beta, void* c, int c_type, int ldc, int compute, int) {
    if (!is_float_compute(compute)) return NotSupported;
    return gemm(
        "cublasGemmEx", handle, transpose_a, transpose_b, m, n, k, alpha, a, a_type, lda, 0, b, b_type, ldb, 0, beta, c, c_type, ldc, 0, 1,
        compute == ComputeFastTf32);
}

CUBLAS_API cublasGemmStridedBatchedEx(
    void* handle, int transpose_a, int transpose_b, int m, int n, int k, const void* alpha, const void* a, int a_type, int lda, long long a_stride,
    const void* b, int b_type, int ldb, long long b_stride, const void* beta, void* c, int c_type, int ldc, long long c_stride, int batches, int compute, int) {
    if (!is_float_compute(compute)) return NotSupported;
    return gemm(
        "cublasGemmStridedBatchedEx", handle, transpose_a, transpose_b, m, n, k, alpha, a, a_type, lda, a_stride, b, b_type, ldb, b_stride, beta, c, c_type,
        ldc, c_stride, batches, compute == ComputeFastTf32);
}

extern "C" __attribute__((visibility("default"))) const char* cublasGetStatusString(int status) {
    switch (status) {
        case Success:
            return "success";
        case NotInitialized:
            return "the library was not initialized";
        case InvalidValue:
            return "an unsupported value or parameter was passed to the function";
        case ExecutionFailed:
            return "the function failed to launch on the GPU";
        case NotSupported:
            return "the functionality requested is not supported";
        default:
            return "unknown status";
    }
}

extern "C" __attribute__((visibility("default"))) const char* cublasGetStatusName(int status) {
    switch (status) {
        case Success:
            return "CUBLAS_STATUS_SUCCESS";
        case NotInitialized:
            return "CUBLAS_STATUS_NOT_INITIALIZED";
        case InvalidValue:
            return "CUBLAS_STATUS_INVALID_VALUE";
        case ExecutionFailed:
            return "CUBLAS_STATUS_EXECUTION_FAILED";
        case NotSupported:
            return "CUBLAS_STATUS_NOT_SUPPORTED";
        default:
            return "CUBLAS_STATUS_UNKNOWN";
    }
}
