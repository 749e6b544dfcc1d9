// Linked into every image: the variables behind threadIdx and its kin, and, for the checked level, the calls that g++ writes before each
// access for -fsanitize=thread,bounds,alignment. We answer them ourselves; the sanitizers' own run-time libraries are not involved.
// Compiled without those options.
#include "module_interface.h"

using cuda_emulator::Access;
using cuda_emulator::Coordinates;
using cuda_emulator::Kernel;
using cuda_emulator::Module;
using cuda_emulator::Runtime;

#define HIDDEN __attribute__((visibility("hidden")))

namespace {
thread_local char shared_anchor;

void touch_shared() {
    shared_anchor = 1;
    asm volatile("" : : "r"(&shared_anchor) : "memory");
}
}  // namespace

extern "C" {
HIDDEN Coordinates cuda_emulator_thread_index, cuda_emulator_block_index, cuda_emulator_block_size, cuda_emulator_grid_size;
HIDDEN unsigned cuda_emulator_lane;
HIDDEN Runtime cuda_emulator_runtime;

// From the generated file.
extern HIDDEN const Kernel* cuda_emulator_kernels;
extern HIDDEN int cuda_emulator_kernel_count;

__attribute__((visibility("default"))) const Module* cuda_emulator_module() {
#ifdef CUDASEQ_EMULATOR_CHECKED
    constexpr bool Checked = true;
#else
    constexpr bool Checked = false;
#endif
    static const Module module{
        cuda_emulator::InterfaceVersion,
        Checked,
        &cuda_emulator_runtime,
        &cuda_emulator_thread_index,
        &cuda_emulator_block_index,
        &cuda_emulator_block_size,
        &cuda_emulator_grid_size,
        &cuda_emulator_lane,
        touch_shared,
        cuda_emulator_kernels,
        cuda_emulator_kernel_count};
    return &module;
}
}

#ifdef CUDASEQ_EMULATOR_CHECKED

namespace {
inline void check(const void* address, size_t bytes, Access access, bool aligned, const void* return_address) {
    const Runtime& runtime = cuda_emulator_runtime;
    if (static_cast<size_t>(static_cast<const char*>(address) - runtime.stacks) < runtime.stacks_bytes || runtime.access == nullptr) return;
    runtime.access(address, bytes, access, aligned, nullptr, 0, return_address);
}
}  // namespace

#define CALLBACK(name, bytes, access, aligned) \
    HIDDEN void name(void* address) { check(address, bytes, access, aligned, __builtin_return_address(0)); }
#define CALLBACKS(bytes)                                                 \
    CALLBACK(__tsan_read##bytes, bytes, Access::Read, true)              \
    CALLBACK(__tsan_write##bytes, bytes, Access::Write, true)            \
    CALLBACK(__tsan_unaligned_read##bytes, bytes, Access::Read, false)   \
    CALLBACK(__tsan_unaligned_write##bytes, bytes, Access::Write, false) \
    CALLBACK(__tsan_volatile_read##bytes, bytes, Access::Read, true)     \
    CALLBACK(__tsan_volatile_write##bytes, bytes, Access::Write, true)

extern "C" {
CALLBACKS(1)
CALLBACKS(2)
CALLBACKS(4)
CALLBACKS(8)
CALLBACKS(16)
HIDDEN void __tsan_read_range(void* address, size_t bytes) { check(address, bytes, Access::Read, false, __builtin_return_address(0)); }
HIDDEN void __tsan_write_range(void* address, size_t bytes) { check(address, bytes, Access::Write, false, __builtin_return_address(0)); }
HIDDEN void __tsan_init() {}
HIDDEN void __tsan_func_entry(void*) {}
HIDDEN void __tsan_func_exit() {}
HIDDEN void __tsan_vptr_read(void**) {}
HIDDEN void __tsan_vptr_update(void**, void*) {}

// The attribute is ignored for what the compiler knows already. A program of its own must not lend these to the libraries it is linked with.
asm(".hidden memcpy\n.hidden memset");

// The compiler may turn a large assignment into these; their own reads and writes would go unseen. Written so that they do not become calls of themselves.
void* memcpy(void* to, const void* from, size_t bytes) {
    check(from, bytes, Access::Read, false, __builtin_return_address(0));
    check(to, bytes, Access::Write, false, __builtin_return_address(0));
    return __builtin_memmove(to, from, bytes);
}
void* memset(void* to, int value, size_t bytes) {
    check(to, bytes, Access::Write, false, __builtin_return_address(0));
    for (size_t i = 0; i < bytes; i++) static_cast<volatile char*>(to)[i] = static_cast<char>(value);
    return to;
}

HIDDEN void __ubsan_handle_out_of_bounds_abort(void*, void*) {
    if (cuda_emulator_runtime.stop != nullptr) cuda_emulator_runtime.stop("index out of the bounds of its array", nullptr, 0, __builtin_return_address(0));
    __builtin_trap();
}

// Before the optimiser divides an access of 16 bytes into four of 4, which are aligned.
struct TypeMismatch {
    const char* file;
    unsigned line, column;
    const void* type;
    unsigned char log_alignment, kind;  // 0: load, 1: store
};
HIDDEN void __ubsan_handle_type_mismatch_v1_abort(const TypeMismatch* mismatch, const void* address) {
    constexpr unsigned char Store = 1;
    if (reinterpret_cast<uintptr_t>(address) % (size_t{1} << mismatch->log_alignment) != 0)
        check(address, size_t{1} << mismatch->log_alignment, mismatch->kind == Store ? Access::Write : Access::Read, true, __builtin_return_address(0));
    // An aligned address that is not itself wrong is past the end of the variable that the pointer was made from.
    bool aligned = reinterpret_cast<uintptr_t>(address) % (size_t{1} << mismatch->log_alignment) == 0;
    if (cuda_emulator_runtime.stop != nullptr)
        cuda_emulator_runtime.stop(
            aligned ? "out of bounds: beyond the variable that the pointer was made from" : "misaligned access to a thread's own memory", nullptr, 0,
            __builtin_return_address(0));
    __builtin_trap();
}
}

#endif
