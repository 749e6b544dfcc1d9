// Linked into a program that brings its kernels itself: opens the device, and says at the end what went wrong on it, whether or not the program asked.
#include <stdio.h>
#include <unistd.h>

#include <map>

#include "../cuda_builtins.h"
#include "cuda_runtime.h"

extern "C" {
const cuda_emulator::Kernel* cuda_emulator_kernels = nullptr;
int cuda_emulator_kernel_count = 0;
}

namespace cuda_emulator {
namespace {

cudaError_t last_error = cudaSuccess;
char first_refusal[1024];
std::map<void (*)(), int>& shared_limits() {
    static auto& limits = *new std::map<void (*)(), int>;
    return limits;
}

struct Session {
    Session() {
        void* context;
        cuInit(0);
        cuDevicePrimaryCtxRetain(&context, 0);
        cuCtxSetCurrent(context);
        cudaseq_emulator_watch();  // or what is allocated before the first launch would count as written
    }
    ~Session() {
        bool failed = cuCtxSynchronize() != 0;
        if (!failed && first_refusal[0] == 0) return;
        fflush(stdout);
        fprintf(stderr, "error: %s\n", failed ? cudaseq_emulator_last_message() : first_refusal);
        _exit(1);
    }
};
__attribute__((init_priority(101))) Session session;  // before the program's own variables, and after them at its end

/// That memory is short is an answer a program may live with; any other refusal is a mistake, even if nobody looks at the result.
void remember(int result, const char* why, const char* file, int line) {
    last_error = static_cast<cudaError_t>(result);
    if (first_refusal[0] != 0 || result == cudaErrorMemoryAllocation) return;
    if (why == nullptr || *why == 0) cuGetErrorName(result, &why);
    snprintf(first_refusal, sizeof first_refusal, "refused: %s, %s:%d", why, file, line);
}

}  // namespace

cudaError_t note(int result, const char* file, int line) {
    if (result != 0 && result != cudaErrorNotReady) remember(result, cudaseq_emulator_last_message(), file, line);
    return static_cast<cudaError_t>(result);
}

cudaError_t refuse(const char* why, const char* file, int line, cudaError_t error) {
    remember(error, why, file, line);
    return error;
}

int copy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream, bool wait, const char* file, int line) {
    constexpr int Host = 1, Device = 2;
    bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
    bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
    bool fits = (cudaseq_emulator_reach(address(to)) & (to_device ? Device : Host)) && (cudaseq_emulator_reach(address(from)) & (from_device ? Device : Host));
    if (kind != cudaMemcpyDefault && !fits) return refuse("a copy between other memories than its direction says", file, line, cudaErrorInvalidMemcpyDirection);
    return wait ? cuMemcpy(address(to), address(from), bytes) : cuMemcpyAsync(address(to), address(from), bytes, stream);
}

int launch(const Kernel& kernel, dim3 grid, dim3 block, size_t shared_bytes, cudaStream_t stream, void** arguments) {
    static auto& kept = *new std::map<void (*)(), Kernel>;  // work that is queued refers to it
    const auto& own = kept.try_emplace(kernel.entry, kernel).first->second;
    constexpr int WithoutAsking = 48 << 10;
    auto limit = shared_limits().find(kernel.entry);
    unsigned extents[6] = {grid.x, grid.y, grid.z, block.x, block.y, block.z};
    return cudaseq_emulator_launch(
        cuda_emulator_module(), &own, extents, static_cast<unsigned>(shared_bytes),
        static_cast<unsigned>(limit == shared_limits().end() ? WithoutAsking : limit->second), stream, arguments);
}

void set_shared_limit(void (*entry)(), int bytes) { shared_limits()[entry] = bytes; }

}  // namespace cuda_emulator

cudaError_t cudaPeekAtLastError() { return cuda_emulator::last_error; }

cudaError_t cudaGetLastError() {
    auto error = cuda_emulator::last_error;
    cuda_emulator::last_error = cudaSuccess;
    return error;
}
