// Device memory and pinned host memory. An allocation lies between guard pages, starts as NaN (0xFF) and begins at a multiple of 256, as CUDA
// promises; what that leaves before the guard page is filled with a pattern that is checked after launches and when it is freed. Freed memory
// stays reserved and untouchable for a while, so that a use after free is told from a stray pointer.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include <deque>
#include <map>
#include <memory>
#include <string>

namespace cuda_emulator {

struct Cell;

struct Allocation {
    uintptr_t begin;
    size_t bytes;
    char* mapping;
    size_t mapping_bytes;
    bool host, freed;
    bool managed = false;  ///< the host may touch it too
    Cell* cells;           ///< one for each byte, for the checked level; null otherwise
    std::string freed_by;

    uintptr_t end() const { return begin + bytes; }
    size_t slack() const;
    /// The first byte after the end that was written to; -1 if none was.
    long written_slack() const;
};

class Memory {
  public:
    static constexpr size_t Alignment = 256;

    explicit Memory(size_t total) : total_(total) {}

    /// Null when the device is full.
    Allocation* allocate(size_t bytes, bool host);
    void free(Allocation& allocation, const std::string& by);
    /// The living allocation that begins here; null if there is none.
    Allocation* at(uint64_t begin);
    /// The living or lately freed allocation that holds this address; null if there is none.
    Allocation* holding(uintptr_t address);
    /// Whether all these bytes are within one living allocation, which is returned.
    Allocation* whole(uint64_t begin, size_t bytes);
    /// Where an address lies relative to the nearest allocation, for messages.
    std::string describe(uintptr_t address);

    /// From now on every allocation has cells; those that exist count as initialised.
    void watch();

    size_t total() const { return total_; }
    size_t used() const { return used_; }
    size_t living() const { return living_; }
    void set_total(size_t bytes) { total_ = bytes; }

  private:
    void forget_oldest();

    std::map<uintptr_t, std::unique_ptr<Allocation>> allocations_;
    std::deque<uintptr_t> freed_;
    static constexpr unsigned RecentCount = 4;
    Allocation* recent_[RecentCount] = {};  // what was found last is likely to be asked for again
    unsigned turn_ = 0;
    size_t total_, used_ = 0, living_ = 0, freed_bytes_ = 0;
    bool watched_ = false;
};

}  // namespace cuda_emulator
