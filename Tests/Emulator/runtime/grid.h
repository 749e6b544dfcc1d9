// A launch: every block of a grid, one after another.
#pragma once
#include <vector>

#include "async_copies.h"
#include "block_scheduler.h"
#include "checker.h"
#include "image.h"

namespace cuda_emulator {

/// What the device reports as its limits, in bytes.
constexpr unsigned SharedBytesByDefault = 48 << 10, SharedBytesOptIn = 99 << 10, SharedBytesPerMultiprocessor = 100 << 10;

struct Launch {
    const Image* image;
    const Kernel* kernel;
    Coordinates grid, block;
    unsigned shared_bytes;
    std::vector<char> arguments;  ///< the parameters' values, one after another
    std::vector<size_t> offsets;  ///< where each one lies
};

/// Where each parameter lies in the one buffer that CUDA passes them in.
std::vector<size_t> parameter_offsets(const Kernel& kernel, size_t& bytes);

class Grid {
  public:
    Grid(Memory& memory, Shadow& shadow);

    /// Runs the launch to its end or to the first failure.
    Failure run(const Launch& launch, Order order, RandomNumbers& random);

  private:
    void prepare(const Launch& launch);
    void order_blocks(uint32_t count, Order order, RandomNumbers& random);
    Failure check_slack(const Launch& launch);

    static int on_barrier(Vote vote, int predicate, const char* file, int line);
    static void on_warp(WarpCall* call);
    static unsigned on_active_lanes();
    static void on_copy_async(void* shared, const void* global, unsigned bytes, unsigned source_bytes, const char* file, int line);
    static void on_commit_copies();
    static void on_wait_copies(int groups_left);
    static void on_fence();
    static void on_access(const void* address, size_t bytes, Access access, bool aligned, const char* file, int line, const void* return_address);
    static void on_stop(const char* reason, const char* file, int line, const void* return_address);

    Memory& memory_;
    Shadow& shadow_;
    BlockScheduler scheduler_;
    Checker checker_;
    AsyncCopies copies_;
    char* dynamic_end_;
    char* dynamic_ = nullptr;
    Image::Range shared_{};
    std::vector<uint32_t> blocks_;
    std::vector<void*> pointers_;
    bool checked_ = false;
};

}  // namespace cuda_emulator
