// The part of CUDA's runtime that small programs use, for a stranger's .cu with a main() of its own: eng/emulate.sh includes this by force, as nvcc
// does with its own, and has rewritten kernel<<<grid, block>>>(arguments) to EMULATOR_LAUNCH((kernel), grid, block)(arguments).
#pragma once
#include <map>
#include <tuple>

#include "../driver/controls.h"
#include "../module_registration.h"
#include "../tool/cuda.h"

using cudaStream_t = void*;
using cudaEvent_t = void*;
enum cudaError_t : int {
    cudaSuccess = 0,
    cudaErrorInvalidValue = 1,
    cudaErrorMemoryAllocation = 2,
    cudaErrorInvalidConfiguration = 9,
    cudaErrorInvalidMemcpyDirection = 21,
    cudaErrorInvalidDevice = 101,
    cudaErrorNotReady = 600,
    cudaErrorIllegalAddress = 700,
    cudaErrorLaunchFailure = 719
};
using cudaError = cudaError_t;
enum cudaMemcpyKind { cudaMemcpyHostToHost, cudaMemcpyHostToDevice, cudaMemcpyDeviceToHost, cudaMemcpyDeviceToDevice, cudaMemcpyDefault };
enum cudaDeviceAttr {
    cudaDevAttrMaxThreadsPerBlock = 1,
    cudaDevAttrMaxSharedMemoryPerBlock = 8,
    cudaDevAttrWarpSize = 10,
    cudaDevAttrMultiProcessorCount = 16,
    cudaDevAttrComputeCapabilityMajor = 75,
    cudaDevAttrComputeCapabilityMinor = 76,
    cudaDevAttrMaxSharedMemoryPerBlockOptin = 97
};
enum cudaFuncAttribute { cudaFuncAttributeMaxDynamicSharedMemorySize = 8 };
constexpr unsigned cudaStreamDefault = 0, cudaStreamNonBlocking = 1, cudaEventDefault = 0, cudaEventDisableTiming = 2, cudaHostAllocDefault = 0;

struct cudaDeviceProp {
    char name[256];
    size_t totalGlobalMem, sharedMemPerBlock;
    int warpSize, maxThreadsPerBlock, multiProcessorCount, major, minor;
};

extern "C" {
int cuCtxSynchronize();
int cuGetErrorString(int result, const char** text);
int cuGetErrorName(int result, const char** text);
int cuDeviceGetAttribute(int* value, int attribute, int device);
int cuDeviceGetName(char* name, int bytes, int device);
int cuDeviceTotalMem_v2(size_t* bytes, int device);
int cuMemAllocAsync(uint64_t* address, size_t bytes, void* stream);
int cuMemHostAlloc(void** pointer, size_t bytes, unsigned flags);
int cuMemFreeHost(void* pointer);
int cuMemAllocManaged(uint64_t* address, size_t bytes, unsigned flags);
int cuMemGetInfo_v2(size_t* free, size_t* total);
int cuMemcpy(uint64_t to, uint64_t from, size_t bytes);
int cuMemcpyAsync(uint64_t to, uint64_t from, size_t bytes, void* stream);
int cuMemsetD8_v2(uint64_t to, unsigned char value, size_t count);
int cuMemsetD8Async(uint64_t to, unsigned char value, size_t count, void* stream);
int cuStreamSynchronize(void* stream);
int cuStreamQuery(void* stream);
int cuEventSynchronize(void* event);
int cuEventQuery(void* event);
int cuEventElapsedTime(float* milliseconds, void* start, void* end);
}

namespace cuda_emulator {

/// Remembers an error for cudaGetLastError, and the first one for the program's end.
cudaError_t note(int result, const char* file, int line);
/// An error that the driver does not see.
cudaError_t refuse(const char* why, const char* file, int line, cudaError_t error = cudaErrorInvalidValue);
int copy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream, bool wait, const char* file, int line);

/// Of the program that this is linked into.
int launch(const Kernel& kernel, dim3 grid, dim3 block, size_t shared_bytes, cudaStream_t stream, void** arguments);
void set_shared_limit(void (*entry)(), int bytes);

template <typename... P>
class Launcher {
  public:
    Launcher(const char* name, void (*entry)(P...), dim3 grid, dim3 block, size_t shared_bytes = 0, cudaStream_t stream = nullptr, EMULATOR_SITE)
        : kernel_(make_kernel(name, entry)), grid_(grid), block_(block), shared_bytes_(shared_bytes), stream_(stream), file_(file), line_(line) {}

    void operator()(P... arguments) {
        std::tuple<std::remove_cv_t<P>...> values(arguments...);
        std::apply(
            [&](auto&... value) {
                void* pointers[] = {static_cast<void*>(&value)..., nullptr};
                note(launch(kernel_, grid_, block_, shared_bytes_, stream_, pointers), file_, line_);
            },
            values);
    }

  private:
    Kernel kernel_;
    dim3 grid_, block_;
    size_t shared_bytes_;
    cudaStream_t stream_;
    const char* file_;
    int line_;
};

/// A kernel by its name, or a pointer to one.
template <typename... P>
auto entry_of(void (*kernel)(P...)) {
    return kernel;
}

inline uint64_t address(const void* pointer) { return reinterpret_cast<uint64_t>(pointer); }

}  // namespace cuda_emulator

#define EMULATOR_STRIP(...) __VA_ARGS__
#define EMULATOR_QUOTE(...) #__VA_ARGS__
#define EMULATOR_NAME(...) EMULATOR_QUOTE(__VA_ARGS__)
#define EMULATOR_LAUNCH(kernel, ...) cuda_emulator::Launcher(EMULATOR_NAME(EMULATOR_STRIP kernel), cuda_emulator::entry_of(EMULATOR_STRIP kernel), __VA_ARGS__)

cudaError_t cudaGetLastError();
cudaError_t cudaPeekAtLastError();
inline const char* cudaGetErrorString(cudaError_t error) {
    const char* text = nullptr;
    cuGetErrorString(error, &text);
    return text;
}
inline const char* cudaGetErrorName(cudaError_t error) {
    const char* text = nullptr;
    cuGetErrorName(error, &text);
    return text;
}

// name(parameters) as a call of the driver; the caller's place follows the parameters.
#define EMULATOR_FORWARD(name, call, ...) \
    inline cudaError_t name(__VA_ARGS__ __VA_OPT__(, ) EMULATOR_SITE) { return cuda_emulator::note(call, file, line); }
EMULATOR_FORWARD(cudaDeviceSynchronize, (cuCtxSynchronize()))
EMULATOR_FORWARD(cudaDeviceReset, (cuCtxSynchronize()))
EMULATOR_FORWARD(cudaSetDevice, (device == 0 ? 0 : cudaErrorInvalidDevice), int device)
EMULATOR_FORWARD(cudaGetDevice, ((*device = 0)), int* device)
EMULATOR_FORWARD(cudaGetDeviceCount, ((*count = 1, 0)), int* count)
EMULATOR_FORWARD(cudaDeviceGetAttribute, (cuDeviceGetAttribute(value, attribute, device)), int* value, cudaDeviceAttr attribute, int device)
EMULATOR_FORWARD(cudaMemGetInfo, (cuMemGetInfo_v2(free, total)), size_t* free, size_t* total)
template <typename T>
EMULATOR_FORWARD(cudaMalloc, (cuMemAlloc_v2(reinterpret_cast<uint64_t*>(pointer), bytes)), T** pointer, size_t bytes)
template <typename T>
EMULATOR_FORWARD(cudaMallocManaged, (cuMemAllocManaged(reinterpret_cast<uint64_t*>(pointer), bytes, flags)), T** pointer, size_t bytes, unsigned flags = 1)
template <typename T>
EMULATOR_FORWARD(cudaMallocAsync, (cuMemAllocAsync(reinterpret_cast<uint64_t*>(pointer), bytes, stream)), T** pointer, size_t bytes, cudaStream_t stream)
template <typename T>
EMULATOR_FORWARD(cudaMallocHost, (cuMemHostAlloc(reinterpret_cast<void**>(pointer), bytes, 0)), T** pointer, size_t bytes)
template <typename T>
EMULATOR_FORWARD(cudaHostAlloc, (cuMemHostAlloc(reinterpret_cast<void**>(pointer), bytes, flags)), T** pointer, size_t bytes, unsigned flags)
EMULATOR_FORWARD(cudaFree, (cuMemFree_v2(cuda_emulator::address(pointer))), void* pointer)
    EMULATOR_FORWARD(cudaFreeAsync, (cuMemFreeAsync(cuda_emulator::address(pointer), stream)), void* pointer, cudaStream_t stream)
        EMULATOR_FORWARD(cudaFreeHost, (cuMemFreeHost(pointer)), void* pointer) EMULATOR_FORWARD(
            cudaMemcpy, (cuda_emulator::copy(to, from, bytes, kind, nullptr, true, file, line)), void* to, const void* from, size_t bytes, cudaMemcpyKind kind)
            EMULATOR_FORWARD(
                cudaMemcpyAsync, (cuda_emulator::copy(to, from, bytes, kind, stream, false, file, line)), void* to, const void* from, size_t bytes,
                cudaMemcpyKind kind, cudaStream_t stream = nullptr)
                EMULATOR_FORWARD(
                    cudaMemset, (cuMemsetD8_v2(cuda_emulator::address(to), static_cast<unsigned char>(value), bytes)), void* to, int value, size_t bytes)
                    EMULATOR_FORWARD(
                        cudaMemsetAsync, (cuMemsetD8Async(cuda_emulator::address(to), static_cast<unsigned char>(value), bytes, stream)), void* to, int value,
                        size_t bytes, cudaStream_t stream = nullptr) EMULATOR_FORWARD(cudaStreamCreate, (cuStreamCreate(stream, 0)), cudaStream_t* stream)
                        EMULATOR_FORWARD(cudaStreamCreateWithFlags, (cuStreamCreate(stream, flags)), cudaStream_t* stream, unsigned flags)
                            EMULATOR_FORWARD(cudaStreamDestroy, (cuStreamDestroy_v2(stream)), cudaStream_t stream)
                                EMULATOR_FORWARD(cudaStreamSynchronize, (cuStreamSynchronize(stream)), cudaStream_t stream)
                                    EMULATOR_FORWARD(cudaStreamQuery, (cuStreamQuery(stream)), cudaStream_t stream) EMULATOR_FORWARD(
                                        cudaStreamWaitEvent, (cuStreamWaitEvent(stream, event, flags)), cudaStream_t stream, cudaEvent_t event,
                                        unsigned flags = 0) EMULATOR_FORWARD(cudaEventCreate, (cuEventCreate(event, 0)), cudaEvent_t* event)
                                        EMULATOR_FORWARD(cudaEventCreateWithFlags, (cuEventCreate(event, flags)), cudaEvent_t* event, unsigned flags)
                                            EMULATOR_FORWARD(cudaEventDestroy, (cuEventDestroy_v2(event)), cudaEvent_t event) EMULATOR_FORWARD(
                                                cudaEventRecord, (cuEventRecord(event, stream)), cudaEvent_t event, cudaStream_t stream = nullptr)
                                                EMULATOR_FORWARD(cudaEventSynchronize, (cuEventSynchronize(event)), cudaEvent_t event)
                                                    EMULATOR_FORWARD(cudaEventQuery, (cuEventQuery(event)), cudaEvent_t event) EMULATOR_FORWARD(
                                                        cudaEventElapsedTime, (cuEventElapsedTime(milliseconds, start, end)), float* milliseconds,
                                                        cudaEvent_t start, cudaEvent_t end)
#undef EMULATOR_FORWARD

                                                        template <typename... P>
                                                        cudaError_t cudaFuncSetAttribute(void (*kernel)(P...), cudaFuncAttribute, int value) {
    cuda_emulator::set_shared_limit(reinterpret_cast<void (*)()>(kernel), value);
    return cudaSuccess;
}
template <typename T>
cudaError_t cudaMemcpyToSymbol(T& symbol, const void* from, size_t bytes, size_t offset = 0, cudaMemcpyKind = cudaMemcpyHostToDevice, EMULATOR_SITE) {
    if (offset > sizeof symbol || bytes > sizeof symbol - offset) return cuda_emulator::refuse("cudaMemcpyToSymbol past the end of the symbol", file, line);
    cuCtxSynchronize();
    memcpy(reinterpret_cast<char*>(&symbol) + offset, from, bytes);
    return cudaSuccess;
}
template <typename T>
cudaError_t cudaMemcpyFromSymbol(void* to, const T& symbol, size_t bytes, size_t offset = 0, cudaMemcpyKind = cudaMemcpyDeviceToHost, EMULATOR_SITE) {
    if (offset > sizeof symbol || bytes > sizeof symbol - offset) return cuda_emulator::refuse("cudaMemcpyFromSymbol past the end of the symbol", file, line);
    cuCtxSynchronize();
    memcpy(to, reinterpret_cast<const char*>(&symbol) + offset, bytes);
    return cudaSuccess;
}
inline cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
    *properties = cudaDeviceProp{};
    cuDeviceGetName(properties->name, sizeof properties->name, device);
    cuDeviceTotalMem_v2(&properties->totalGlobalMem, device);
    int shared;
    cuDeviceGetAttribute(&shared, 8, device);
    properties->sharedMemPerBlock = static_cast<size_t>(shared);
    cuDeviceGetAttribute(&properties->maxThreadsPerBlock, 1, device);
    cuDeviceGetAttribute(&properties->warpSize, 10, device);
    cuDeviceGetAttribute(&properties->multiProcessorCount, 16, device);
    cuDeviceGetAttribute(&properties->major, 75, device);
    cuDeviceGetAttribute(&properties->minor, 76, device);
    return cudaSuccess;
}
