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
enum cudaError_t : int { cudaSuccess = 0, cudaErrorInvalidValue = 1, cudaErrorMemoryAllocation = 2, cudaErrorNotReady = 600 };
using cudaError = cudaError_t;
enum cudaMemcpyKind { cudaMemcpyHostToHost, cudaMemcpyHostToDevice, cudaMemcpyDeviceToHost, cudaMemcpyDeviceToDevice, cudaMemcpyDefault };
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

/// Remembers an error for cudaGetLastError.
cudaError_t note(int result);

/// Of the program that this is linked into.
int launch(const Kernel& kernel, dim3 grid, dim3 block, size_t shared_bytes, cudaStream_t stream, void** arguments);
void set_shared_limit(void (*entry)(), int bytes);

template <typename... P>
class Launcher {
  public:
    Launcher(const char* name, void (*entry)(P...), dim3 grid, dim3 block, size_t shared_bytes = 0, cudaStream_t stream = nullptr)
        : kernel_(make_kernel(name, entry)), grid_(grid), block_(block), shared_bytes_(shared_bytes), stream_(stream) {}

    void operator()(P... arguments) {
        std::tuple<std::remove_cv_t<P>...> values(arguments...);
        std::apply(
            [&](auto&... value) {
                void* pointers[] = {static_cast<void*>(&value)..., nullptr};
                note(launch(kernel_, grid_, block_, shared_bytes_, stream_, pointers));
            },
            values);
    }

  private:
    Kernel kernel_;
    dim3 grid_, block_;
    size_t shared_bytes_;
    cudaStream_t stream_;
};

inline uint64_t address(const void* pointer) { return reinterpret_cast<uint64_t>(pointer); }

}  // namespace cuda_emulator

#define EMULATOR_STRIP(...) __VA_ARGS__
#define EMULATOR_QUOTE(...) #__VA_ARGS__
#define EMULATOR_NAME(...) EMULATOR_QUOTE(__VA_ARGS__)
#define EMULATOR_LAUNCH(kernel, ...) cuda_emulator::Launcher(EMULATOR_NAME(EMULATOR_STRIP kernel), &EMULATOR_STRIP kernel, __VA_ARGS__)

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

#define EMULATOR_FORWARD(name, parameters, call) \
    inline cudaError_t name parameters { return cuda_emulator::note(call); }
EMULATOR_FORWARD(cudaDeviceSynchronize, (), cuCtxSynchronize())
EMULATOR_FORWARD(cudaDeviceReset, (), cuCtxSynchronize())
EMULATOR_FORWARD(cudaSetDevice, (int device), device == 0 ? 0 : 101)
EMULATOR_FORWARD(cudaGetDevice, (int* device), (*device = 0))
EMULATOR_FORWARD(cudaGetDeviceCount, (int* count), (*count = 1, 0))
template <typename T>
EMULATOR_FORWARD(cudaMalloc, (T * *pointer, size_t bytes), cuMemAlloc_v2(reinterpret_cast<uint64_t*>(pointer), bytes))
template <typename T>
EMULATOR_FORWARD(cudaMallocManaged, (T * *pointer, size_t bytes, unsigned = 0), cuMemAlloc_v2(reinterpret_cast<uint64_t*>(pointer), bytes))
template <typename T>
EMULATOR_FORWARD(cudaMallocAsync, (T * *pointer, size_t bytes, cudaStream_t stream), cuMemAllocAsync(reinterpret_cast<uint64_t*>(pointer), bytes, stream))
template <typename T>
EMULATOR_FORWARD(cudaMallocHost, (T * *pointer, size_t bytes), cuMemHostAlloc(reinterpret_cast<void**>(pointer), bytes, 0))
template <typename T>
EMULATOR_FORWARD(cudaHostAlloc, (T * *pointer, size_t bytes, unsigned flags), cuMemHostAlloc(reinterpret_cast<void**>(pointer), bytes, flags))
EMULATOR_FORWARD(cudaFree, (void* pointer), cuMemFree_v2(cuda_emulator::address(pointer)))
    EMULATOR_FORWARD(cudaFreeAsync, (void* pointer, cudaStream_t stream), cuMemFreeAsync(cuda_emulator::address(pointer), stream))
        EMULATOR_FORWARD(cudaFreeHost, (void* pointer), cuMemFreeHost(pointer)) EMULATOR_FORWARD(
            cudaMemcpy, (void* to, const void* from, size_t bytes, cudaMemcpyKind), cuMemcpy(cuda_emulator::address(to), cuda_emulator::address(from), bytes))
            EMULATOR_FORWARD(
                cudaMemcpyAsync, (void* to, const void* from, size_t bytes, cudaMemcpyKind, cudaStream_t stream = nullptr),
                cuMemcpyAsync(cuda_emulator::address(to), cuda_emulator::address(from), bytes, stream))
                EMULATOR_FORWARD(
                    cudaMemset, (void* to, int value, size_t bytes), cuMemsetD8_v2(cuda_emulator::address(to), static_cast<unsigned char>(value), bytes))
                    EMULATOR_FORWARD(
                        cudaMemsetAsync, (void* to, int value, size_t bytes, cudaStream_t stream = nullptr),
                        cuMemsetD8Async(cuda_emulator::address(to), static_cast<unsigned char>(value), bytes, stream))
                        EMULATOR_FORWARD(cudaStreamCreate, (cudaStream_t * stream), cuStreamCreate(stream, 0))
                            EMULATOR_FORWARD(cudaStreamCreateWithFlags, (cudaStream_t * stream, unsigned flags), cuStreamCreate(stream, flags))
                                EMULATOR_FORWARD(cudaStreamDestroy, (cudaStream_t stream), cuStreamDestroy_v2(stream))
                                    EMULATOR_FORWARD(cudaStreamSynchronize, (cudaStream_t stream), cuStreamSynchronize(stream))
                                        EMULATOR_FORWARD(cudaStreamQuery, (cudaStream_t stream), cuStreamQuery(stream)) EMULATOR_FORWARD(
                                            cudaStreamWaitEvent, (cudaStream_t stream, cudaEvent_t event, unsigned flags = 0),
                                            cuStreamWaitEvent(stream, event, flags))
                                            EMULATOR_FORWARD(cudaEventCreate, (cudaEvent_t * event), cuEventCreate(event, 0))
                                                EMULATOR_FORWARD(cudaEventCreateWithFlags, (cudaEvent_t * event, unsigned flags), cuEventCreate(event, flags))
                                                    EMULATOR_FORWARD(cudaEventDestroy, (cudaEvent_t event), cuEventDestroy_v2(event)) EMULATOR_FORWARD(
                                                        cudaEventRecord, (cudaEvent_t event, cudaStream_t stream = nullptr), cuEventRecord(event, stream))
                                                        EMULATOR_FORWARD(cudaEventSynchronize, (cudaEvent_t event), cuEventSynchronize(event))
                                                            EMULATOR_FORWARD(cudaEventQuery, (cudaEvent_t event), cuEventQuery(event)) EMULATOR_FORWARD(
                                                                cudaEventElapsedTime, (float* milliseconds, cudaEvent_t start, cudaEvent_t end),
                                                                cuEventElapsedTime(milliseconds, start, end))
#undef EMULATOR_FORWARD

                                                                template <typename... P>
                                                                cudaError_t cudaFuncSetAttribute(void (*kernel)(P...), cudaFuncAttribute, int value) {
    cuda_emulator::set_shared_limit(reinterpret_cast<void (*)()>(kernel), value);
    return cudaSuccess;
}
template <typename T>
cudaError_t cudaMemcpyToSymbol(T& symbol, const void* from, size_t bytes, size_t offset = 0, cudaMemcpyKind = cudaMemcpyHostToDevice) {
    cuCtxSynchronize();
    memcpy(reinterpret_cast<char*>(&symbol) + offset, from, bytes);
    return cudaSuccess;
}
template <typename T>
cudaError_t cudaMemcpyFromSymbol(void* to, const T& symbol, size_t bytes, size_t offset = 0, cudaMemcpyKind = cudaMemcpyDeviceToHost) {
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
