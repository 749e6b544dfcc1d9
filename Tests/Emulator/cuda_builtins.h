// Lets g++ compile a .cu: it is included by force before the first line and stands for what NVRTC has built in. nvcc and NVRTC never see it.
// __shared__ variables are thread_local: one copy for the operating-system thread that runs a block, all in one segment that the driver
// finds, fills with NaN before each block and watches. (A section of their own would do for plain functions only: g++ 12 drops the attribute in templates.)
// What a compiler for sm_90a adds (wgmma, bulk copies) is left out: the emulated device has compute capability 8.6.
#pragma once
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <type_traits>
#include <utility>

#include "module_interface.h"

namespace cuda_emulator {
template <size_t Bytes>
constexpr size_t alignment() {
    return Bytes;
}
template <typename T>
constexpr size_t alignment() {
    return alignof(T);
}
}  // namespace cuda_emulator

#define CUDASEQ_EMULATOR 1
#define __CUDA_ARCH__ 860
#define __CUDACC__ 1

// generate.sh reads the names of kernels off the preprocessed text, where this keyword has to stay.
#ifndef CUDASEQ_EMULATOR_LISTING
#define __global__
#endif
#define __device__
#define __host__
#define __constant__
#define __managed__
#define __shared__ static thread_local
#define __forceinline__ inline
// Empty, and not the attribute: system headers write __attribute__((__noinline__)).
#define __noinline__
#define __launch_bounds__(...)
#define __grid_constant__
#define __cluster_dims__(...)
#define __align__(bytes) __attribute__((aligned(bytes)))
// Where CUDA allows `__shared__ alignas(16) float x[4]`, g++ would ignore the standard attribute after `static`. It takes a number or a type.
#define alignas(...) __attribute__((aligned(cuda_emulator::alignment<__VA_ARGS__>())))
#define __builtin_assume(condition) static_cast<void>(0)

/// Functions of this header are called, not instrumented: the checked level would otherwise report their lines instead of the kernel's.
#define EMULATOR_UNCHECKED __attribute__((noinline, no_sanitize("thread")))
/// The caller's file and line, as the last two parameters of a built-in.
#define EMULATOR_SITE const char *file = __builtin_FILE(), int line = __builtin_LINE()

#include "builtins/vectors.h"

// Constant for the life of a thread, so declared const: the compiler may keep them in registers, and the checked level leaves them alone.
// The variables behind them are in module_support.cpp.
#define EMULATOR_VARIABLE(symbol) __asm__(symbol) __attribute__((visibility("hidden")))
extern const uint3 threadIdx EMULATOR_VARIABLE("cuda_emulator_thread_index");
extern const uint3 blockIdx EMULATOR_VARIABLE("cuda_emulator_block_index");
extern const dim3 blockDim EMULATOR_VARIABLE("cuda_emulator_block_size");
extern const dim3 gridDim EMULATOR_VARIABLE("cuda_emulator_grid_size");
constexpr int warpSize = cuda_emulator::WarpSize;

namespace cuda_emulator {
extern const unsigned lane EMULATOR_VARIABLE("cuda_emulator_lane");
extern const Runtime runtime EMULATOR_VARIABLE("cuda_emulator_runtime");
}  // namespace cuda_emulator

/// The block's dynamic shared memory: what `extern __shared__ T name[];` names on the GPU and C++ cannot say.
inline void* emulator_dynamic_shared() { return cuda_emulator::runtime.dynamic_shared; }
#define EMULATOR_DYNAMIC_SHARED(T, name) T* name = static_cast<T*>(emulator_dynamic_shared())

#include "builtins/arithmetic.h"
#include "builtins/async_copies.h"
#include "builtins/atomics.h"
#include "builtins/tensor_cores.h"
#include "builtins/warps.h"
