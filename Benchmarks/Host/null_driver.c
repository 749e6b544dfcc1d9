// A CUDA driver, cuBLAS and cuBLASLt whose calls succeed at once and do nothing, so that what is left of an op's time is the host's own path to the driver.
// HostRun.cs compiles it: cc -O2 -shared -fPIC null_driver.c -o libcuda.so.1 -ldl. Memory is the host's, and is never looked into.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define API __attribute__((visibility("default"))) int
// Functions that have nothing to answer; a caller may pass any arguments.
#define NOTHING(name) \
    API name(void) { return 0; }
// Functions whose first argument receives a handle.
#define HANDLE(name)           \
    API name(void** result) {  \
        *result = (void*)name; \
        return 0;              \
    }

static __thread void* current;

API cuDriverGetVersion(int* version) { return *version = 12040, 0; }
API cuDeviceGetCount(int* count) { return *count = 1, 0; }
API cuDeviceGet(int* device, int ordinal) { return *device = ordinal, 0; }
API cuDeviceGetName(char* name, int length, int device) { return (void)device, strncpy(name, "null", (size_t)length), 0; }
API cuDeviceTotalMem_v2(size_t* bytes, int device) { return (void)device, *bytes = (size_t)8 << 30, 0; }
API cuGetErrorName(int result, const char** text) { return (void)result, *text = "null", 0; }
API cuGetErrorString(int result, const char** text) { return (void)result, *text = "of the driver that does nothing", 0; }
API cuMemGetInfo_v2(size_t* free_bytes, size_t* total) { return *free_bytes = *total = (size_t)8 << 30, 0; }

// Attributes of an H200, as far as launches depend on them.
API cuDeviceGetAttribute(int* value, int attribute, int device) {
    (void)device;
    switch (attribute) {
        case 8:
            return *value = 49152, 0;  // shared memory of a block
        case 16:
            return *value = 132, 0;  // multiprocessors
        case 38:
            return *value = 50 << 20, 0;  // L2
        case 75:
            return *value = 9, 0;
        case 76:
            return *value = 0, 0;
        case 97:
            return *value = 232448, 0;  // shared memory of a block that asks for it
        case 115:
            return *value = 1, 0;  // memory pools
        default:
            return *value = 0, 0;
    }
}

HANDLE(cuDeviceGetDefaultMemPool)
HANDLE(cuDevicePrimaryCtxRetain)
NOTHING(cuInit)
NOTHING(cuMemPoolTrimTo)
NOTHING(cuDevicePrimaryCtxRelease_v2)
API cuCtxSetCurrent(void* context) { return current = context, 0; }
API cuCtxGetCurrent(void** context) { return *context = current, 0; }

static int allocate(void** address, size_t bytes) { return posix_memalign(address, 256, bytes) == 0 ? 0 : 2; }
API cuMemAlloc_v2(void** address, size_t bytes) { return allocate(address, bytes); }
API cuMemAllocAsync(void** address, size_t bytes) { return allocate(address, bytes); }
API cuMemHostAlloc(void** address, size_t bytes) { return allocate(address, bytes); }
API cuMemFree_v2(void* address) { return free(address), 0; }
API cuMemFreeAsync(void* address) { return free(address), 0; }
API cuMemFreeHost(void* address) { return free(address), 0; }
NOTHING(cuMemcpyHtoDAsync_v2)
NOTHING(cuMemcpyDtoHAsync_v2)
NOTHING(cuMemcpyDtoDAsync_v2)
NOTHING(cuMemsetD8Async)
NOTHING(cuMemsetD32Async)

HANDLE(cuModuleLoadDataEx)
HANDLE(cuModuleGetFunction)
NOTHING(cuModuleUnload)
API cuFuncGetAttribute(int* value) { return *value = 0, 0; }
NOTHING(cuFuncSetAttribute)
NOTHING(cuLaunchKernel)

HANDLE(cuStreamCreate)
NOTHING(cuStreamDestroy_v2)
NOTHING(cuStreamSynchronize)
NOTHING(cuStreamWaitEvent)
NOTHING(cuStreamBeginCapture_v2)
API cuStreamEndCapture(void* stream, void** graph) { return (void)stream, *graph = (void*)cuStreamEndCapture, 0; }
HANDLE(cuEventCreate)
NOTHING(cuEventDestroy_v2)
NOTHING(cuEventRecord)
NOTHING(cuEventSynchronize)
API cuEventElapsedTime(float* milliseconds) { return *milliseconds = 1.0f, 0; }
HANDLE(cuGraphInstantiateWithFlags)
NOTHING(cuGraphDestroy)
NOTHING(cuGraphLaunch)
NOTHING(cuGraphExecDestroy)

// Known to CudaDriver.Emulator.cs as a driver that brings its own kernels: any file will do, and this one is there.
NOTHING(cudaseq_emulator_version)
__attribute__((visibility("default"))) const char* cudaseq_emulator_kernel_image(void) {
    static Dl_info self;
    return dladdr((void*)cuInit, &self) != 0 ? self.dli_fname : NULL;
}

HANDLE(cublasCreate_v2)
NOTHING(cublasDestroy_v2)
NOTHING(cublasSetStream_v2)
NOTHING(cublasSetWorkspace_v2)
NOTHING(cublasGemmStridedBatchedEx)
HANDLE(cublasLtCreate)
NOTHING(cublasLtDestroy)
HANDLE(cublasLtMatmulDescCreate)
NOTHING(cublasLtMatmulDescDestroy)
NOTHING(cublasLtMatmulDescSetAttribute)
HANDLE(cublasLtMatrixLayoutCreate)
NOTHING(cublasLtMatrixLayoutDestroy)
NOTHING(cublasLtMatrixLayoutSetAttribute)
HANDLE(cublasLtMatmulPreferenceCreate)
NOTHING(cublasLtMatmulPreferenceDestroy)
NOTHING(cublasLtMatmulPreferenceSetAttribute)
NOTHING(cublasLtMatmul)
// Each algorithm is 96 bytes, of which all zeros say: it suits and needs no workspace.
API cublasLtMatmulAlgoGetHeuristic(
    void* handle, void* operation, void* a, void* b, void* c, void* d, void* preference, int wanted, void* algorithms, int* found) {
    (void)handle, (void)operation, (void)a, (void)b, (void)c, (void)d, (void)preference;
    memset(algorithms, 0, 96 * (size_t)wanted);
    return *found = 1, 0;
}
