// Judges each access of a kernel at the checked level: finds out what memory it is to, asks the shadow, and words what is wrong.
#pragma once
#include <vector>

#include "block_scheduler.h"
#include "memory.h"
#include "shadow.h"

namespace cuda_emulator {

class Checker {
  public:
    Checker(Memory& memory, Shadow& shadow, BlockScheduler& scheduler) : memory_(memory), shadow_(shadow), scheduler_(scheduler) {}

    /// The shared memory of the block that runs next; `blocks` lists the launch's blocks in the order in which they run.
    void begin_launch(char* shared, size_t shared_bytes, char* dynamic, size_t dynamic_bytes, const std::vector<uint32_t>& blocks, Coordinates grid);

    /// Does not return if the access is wrong: the thread ends there.
    void access(const void* address, size_t bytes, Access access, bool aligned, Place place);
    /// cp.async: a read now, and a write that takes until `land`.
    void begin_copy(const void* to, const void* from, size_t bytes, size_t source_bytes, Place place);
    void land_copy(const void* to, size_t bytes);

  private:
    struct Region {
        const char* name = nullptr;  ///< null: memory that is not watched
        Cell* cells = nullptr;
        enum { Shared, Global, Variable } kind = Shared;
    };

    Region region_of(const void* address, size_t bytes, Access access, Place place);
    [[noreturn]] void report(const Verdict& verdict, const Region& region, size_t bytes, Access access, Place place);
    void watch_spin(const void* address, size_t bytes, Access access, Place place);
    std::string other_party(const Verdict& verdict, bool& same_warp) const;

    Memory& memory_;
    Shadow& shadow_;
    BlockScheduler& scheduler_;
    uintptr_t shared_ = 0, dynamic_ = 0;
    size_t shared_bytes_ = 0, dynamic_bytes_ = 0;
    std::vector<Cell> shared_cells_, dynamic_cells_;
    const std::vector<uint32_t>* blocks_ = nullptr;
    Coordinates grid_{};

    struct Spin {
        const void *address, *from;
        uint64_t content;
        int thread, count;
    };
    Spin spin_{};
    int spin_turns_ = 0;  ///< how often a thread that spins has let others go on, since the last write
};

}  // namespace cuda_emulator
