// In which order the threads of a block, the blocks of a grid and the operations of lazy streams get their turn. All of them are legal on a GPU,
// so a kernel whose result depends on it is wrong.
#pragma once
#include <stdint.h>

namespace cuda_emulator {

enum class Order : int { Forward = 0, Reverse = 1, Random = 2 };

/// xorshift64*: reproducible from its seed.
class RandomNumbers {
  public:
    explicit RandomNumbers(uint64_t seed = 1) { reset(seed); }
    void reset(uint64_t seed) { state_ = seed * 0x9e3779b97f4a7c15ull + 0x2545f4914f6cdd1dull; }
    /// Evenly from 0 to n - 1.
    uint32_t below(uint32_t n) {
        state_ ^= state_ >> 12;
        state_ ^= state_ << 25;
        state_ ^= state_ >> 27;
        return static_cast<uint32_t>(((state_ * 0x2545f4914f6cdd1dull >> 32) * n) >> 32);
    }

  private:
    uint64_t state_ = 1;
};

/// The threads of a block that could go on now. Forward takes the lowest, reverse the highest: a warp runs until it has to wait for others,
/// which leaves the fewest threads half done.
class RunnableThreads {
  public:
    void clear() {
        warps_ = 0;
        for (auto& lanes : lanes_) lanes = 0;
    }
    void add(int thread) {
        lanes_[thread >> 5] |= 1u << (thread & 31);
        warps_ |= 1u << (thread >> 5);
    }
    /// Removes and returns the next thread; -1 if there is none.
    int take(Order order, RandomNumbers& random) {
        if (warps_ == 0) return -1;
        int warp = pick(warps_, order, random), lane = pick(lanes_[warp], order, random);
        lanes_[warp] &= ~(1u << lane);
        if (lanes_[warp] == 0) warps_ &= ~(1u << warp);
        return warp * 32 + lane;
    }

  private:
    static int pick(uint32_t set, Order order, RandomNumbers& random) {
        if (order == Order::Forward) return __builtin_ctz(set);
        if (order == Order::Reverse) return 31 - __builtin_clz(set);
        for (uint32_t skip = random.below(static_cast<uint32_t>(__builtin_popcount(set))); skip > 0; skip--) set &= set - 1;
        return __builtin_ctz(set);
    }

    uint32_t warps_ = 0, lanes_[32] = {};
};

}  // namespace cuda_emulator
