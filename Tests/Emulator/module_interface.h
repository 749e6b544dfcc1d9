// What a kernel image and the emulated driver know of each other: the image brings its kernels and the variables behind threadIdx and its kin,
// the driver fills in the functions that a kernel needs of its surroundings. Both sides are built by build.sh in one go; the version catches leftovers.
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace cuda_emulator {

constexpr uint32_t InterfaceVersion = 1;
constexpr int WarpSize = 32;

/// The layout of uint3 and dim3.
struct Coordinates {
    unsigned x, y, z;
};

enum class Kind : uint32_t { Other, Signed, Unsigned, Float, Pointer };

struct Parameter {
    uint32_t size, alignment;
    Kind kind;
    Kind element;           ///< of what a pointer points to
    uint32_t element_size;  ///< 0 where unknown
};

struct Kernel {
    const char* name;
    void (*entry)();                                        ///< the kernel with its type erased
    void (*call)(void (*entry)(), void* const* arguments);  ///< gives it its type back and calls it for one thread
    const Parameter* parameters;
    int parameter_count;
};

/// One lane's part in an operation of its warp. It lies on the lane's stack while the lane waits for the others named in its mask;
/// the last to arrive runs `combine` for all.
struct WarpCall {
    const char* name;
    void (*combine)(unsigned lanes, WarpCall* const* calls);
    unsigned mask;
    int operand;
    uint64_t value, result;
    const void* input;
    void* output;
    bool orders_memory;  ///< __syncwarp: lanes may arrive at different lines, and see each other's writes afterwards
    const char* file;
    int line;
};

enum class Access { Read, Write, Atomic };
enum class Vote { None, Any, All, Count };

/// What the driver offers a running kernel. `file` is null where only a return address is known; the driver then looks the line up.
struct Runtime {
    int (*barrier)(Vote vote, int predicate, const char* file, int line);
    void (*warp)(WarpCall* call);
    unsigned (*active_lanes)();
    void (*copy_async)(void* shared, const void* global, unsigned bytes, unsigned source_bytes, const char* file, int line);
    void (*commit_copies)();
    void (*wait_copies)(int groups_left);
    void (*fence)();
    void (*access)(const void* address, size_t bytes, Access access, bool aligned, const char* file, int line, const void* return_address);
    void (*stop)(const char* reason, const char* file, int line, const void* return_address);
    void* dynamic_shared;
    const char* stacks;  ///< where the stacks of threads lie: no access to them is worth a check
    size_t stacks_bytes;
};

struct Module {
    uint32_t version;
    bool checked;
    Runtime* runtime;
    Coordinates *thread_index, *block_index, *block_size, *grid_size;
    unsigned* lane;
    void (*touch_shared)();  ///< makes the operating-system thread's copy of the __shared__ variables
    const Kernel* kernels;
    int kernel_count;
};

}  // namespace cuda_emulator

/// The one function that an image exports.
extern "C" const cuda_emulator::Module* cuda_emulator_module();
