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
    }
    ~Session() {
        if (cuCtxSynchronize() == 0) return;
        fflush(stdout);
        fprintf(stderr, "error: %s\n", cudaseq_emulator_last_message());
        _exit(1);
    }
} session;

}  // namespace

cudaError_t note(int result) {
    if (result != 0 && result != cudaErrorNotReady) last_error = static_cast<cudaError_t>(result);
    return static_cast<cudaError_t>(result);
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
