// What the emulated driver exports beyond CUDA's functions: controls for tests, and the door for the stand-ins of CUDA's libraries.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "../module_interface.h"

extern "C" {
/// That it is there says that the driver is emulated.
int cudaseq_emulator_version();
/// 0 forward, 1 reverse, 2 random with this seed; -1 for another order.
int cudaseq_emulator_set_order(int order, unsigned seed);
/// Whether streams run lazily, and the seed of the order in which they do.
void cudaseq_emulator_set_lazy(int lazy, unsigned seed);
void cudaseq_emulator_set_memory(uint64_t bytes);
/// The latest failure of a kernel, else why the latest refused call was refused; valid until the next call.
const char* cudaseq_emulator_last_message();
/// Forgets errors, which CUDA never does: the process can go on with the next test.
void cudaseq_emulator_reset();
/// Since the process began: launches, of one kernel or (null) of all, and copies from the device to the host.
long cudaseq_emulator_launches(const char* kernel);
long cudaseq_emulator_host_reads();
/// Bytes of device memory in use.
uint64_t cudaseq_emulator_used_memory();
/// The image of NativeKernels.cu beside this library: checked if CUDASEQ_EMULATOR_LEVEL says so, else plain. Null where there is none.
const char* cudaseq_emulator_kernel_image();
/// From now on every byte of device memory is watched, as it is once a checked image has been loaded. What is allocated by then counts as written.
void cudaseq_emulator_watch();
/// Who may touch memory at this address: 1 the host, 2 the device, 3 both.
int cudaseq_emulator_reach(uint64_t address);
/// These bytes are as if never written, in stream order: what a pool does that hands memory out again.
int cudaseq_emulator_forget(uint64_t address, size_t bytes, void* stream);

/// What a kernel was declared with: kinds are those of module_interface.h, the last two say what a pointer points to. A CUDA result.
int cudaseq_emulator_parameter(void* function, size_t index, unsigned* bytes, int* kind, int* element_kind, unsigned* element_bytes);

/// A launch of a kernel that the program itself brings, the only one it may have; extents of grid and block. A CUDA result.
int cudaseq_emulator_launch(
    const cuda_emulator::Module* module, const cuda_emulator::Kernel* kernel, const unsigned* extents, unsigned shared_bytes, unsigned most_shared_bytes,
    void* stream, void** parameters);

/// Runs `work(state)` in stream order, or makes a graph's node of it; `release(state)` once it will not run again. A CUDA result.
int cudaseq_emulator_enqueue(void* stream, const char* name, int (*work)(void* state), void (*release)(void* state), void* state);
/// From within such work: checks bytes that it is going to read or write. A CUDA result.
int cudaseq_emulator_touch(const char* name, uint64_t address, size_t bytes, int write);
}
