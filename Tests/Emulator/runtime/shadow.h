// The checked level's memory of memory: for each byte who wrote and who read it last, and when. "When" is the run (one block of one launch, or
// one copy), and within a block a clock for each thread that moves on at barriers. An access that no barrier, warp barrier or stream order puts
// after the last one of another thread is a race, whatever order the threads happened to run in.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include <string>
#include <vector>

#include "../module_interface.h"
#include "clock.h"

namespace cuda_emulator {

struct WriteStamp {
    uint32_t run;  ///< 0: never written
    uint32_t thread : 10, time : 20, atomic : 1, in_flight : 1;
};

struct ReadStamp {
    uint32_t run;  ///< 0: never read
    uint32_t thread : 10, time : 19;
    uint32_t several_lanes : 1;   ///< other lanes of the warp have read it too, with no barrier between
    uint32_t several_warps : 1;   ///< other warps have read it too since the last __syncthreads
    uint32_t several_blocks : 1;  ///< other blocks of the launch have read it too
};

struct Cell {
    WriteStamp write;
    ReadStamp read;
};
static_assert(sizeof(Cell) == 16);

/// Untouched pages of them cost nothing; null if there is no room.
Cell* make_cells(size_t bytes);
void drop_cells(Cell* cells, size_t bytes);

enum class Problem { None, Uninitialised, InFlight, ReadAfterWrite, WriteAfterWrite, WriteAfterRead };

struct Verdict {
    Problem problem = Problem::None;
    uint32_t run = 0;     ///< of the access that this one clashes with
    unsigned thread = 0;  ///< and its thread
};

class Shadow {
  public:
    static constexpr uint32_t BeforeAll = 1;

    /// An operation of a stream begins, a launch or a copy. `before`: what is known to be done.
    void begin_operation(const std::string& name, int stream, uint64_t number, const Clock& before);
    /// A block of the operation begins.
    void begin_block(int thread_count);
    /// The one block of an operation without threads, which touches several things.
    void begin_copy() {
        if (run_ < first_run_) begin_block(1);
    }
    /// Everything so far is known to be done: the host waited for all streams.
    void settle();

    void pass_barrier();
    void pass_warp(int warp, unsigned lanes);
    void fence() { fenced_[run_ - first_run_] = true; }

    /// Shared memory is as if never written when a block begins.
    Verdict visit_shared(Cell* cells, size_t bytes, Access access, unsigned thread) { return visit<false>(cells, bytes, access, thread); }
    Verdict visit_global(Cell* cells, size_t bytes, Access access, unsigned thread) { return visit<true>(cells, bytes, access, thread); }
    /// __device__ variables are written before the program begins, by their initialisers.
    Verdict visit_variable(Cell* cells, size_t bytes, Access access, unsigned thread);
    /// A copy may read what was never written; what it writes is then as uninitialised as what it read.
    Verdict visit_copied(Cell* to, Cell* from, size_t bytes);
    /// cp.async: until `land_async` every access to these bytes is a mistake.
    void mark_in_flight(Cell* cells, size_t bytes, unsigned thread);
    void land_async(Cell* cells, size_t bytes, unsigned thread);

    static void mark_initialised(Cell* cells, size_t bytes, uint32_t run);
    static void mark_uninitialised(Cell* cells, size_t bytes);

    uint32_t run() const { return run_; }
    uint32_t first_run() const { return first_run_; }
    /// The name of the operation that a run belonged to.
    std::string name_of(uint32_t run) const;

  private:
    static constexpr int MaxThreads = 1024;

    struct Operation {
        uint32_t first_run;
        int stream;
        uint64_t number;
        std::string name;
    };

    template <bool Global>
    Verdict visit(Cell* cells, size_t bytes, Access access, unsigned me);
    bool unordered(uint32_t run, unsigned thread, unsigned time, unsigned me) const;
    bool unordered_read(const ReadStamp& read, unsigned me) const;
    void note_read(ReadStamp& read, unsigned me);
    const Operation* operation_of(uint32_t run) const;

    uint32_t next_run_ = BeforeAll + 1, run_ = BeforeAll, first_run_ = BeforeAll, settled_run_ = BeforeAll + 1;
    std::vector<Operation> history_;  // since the last settling
    std::vector<uint64_t> latest_;    // of each stream, the number of its latest operation
    Clock before_;
    int stream_ = 0;
    bool all_before_ = true;
    std::vector<bool> fenced_;
    bool acquired_ = false;

    int thread_count_ = 0;
    uint32_t time_[MaxThreads], barrier_seen_[MaxThreads];
    uint32_t seen_[MaxThreads][WarpSize];  // by a thread, of each lane of its warp
};

}  // namespace cuda_emulator
