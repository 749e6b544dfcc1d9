// The part of cooperative groups that stays within a block: the block itself, and tiles of a warp. A grid's sync() needs blocks that run at the same time,
// which these do not.
#pragma once

namespace cooperative_groups {

class thread_block {
  public:
    static dim3 group_index() { return blockIdx; }
    static dim3 thread_index() { return threadIdx; }
    static dim3 dim_threads() { return blockDim; }
    static unsigned thread_rank() { return threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z); }
    static unsigned size() { return blockDim.x * blockDim.y * blockDim.z; }
    static unsigned num_threads() { return size(); }
    static void sync(EMULATOR_SITE) { __syncthreads(file, line); }
};

inline thread_block this_thread_block() { return {}; }

template <unsigned Size, typename Parent = thread_block>
class thread_block_tile {
    static_assert(Size <= 32 && (Size & (Size - 1)) == 0, "a tile has 1, 2, 4, 8, 16 or 32 threads");
    static constexpr int Width = static_cast<int>(Size);
    static unsigned mask() { return (Size == 32 ? ~0u : (1u << Size) - 1) << (cuda_emulator::lane & ~(Size - 1)); }

  public:
    static unsigned thread_rank() { return cuda_emulator::lane % Size; }
    static constexpr unsigned size() { return Size; }
    static constexpr unsigned num_threads() { return Size; }
    static unsigned meta_group_rank() { return thread_block::thread_rank() / Size; }
    static unsigned meta_group_size() { return (thread_block::size() + Size - 1) / Size; }
    static void sync(EMULATOR_SITE) { __syncwarp(mask(), file, line); }

    template <typename T>
    static T shfl(T value, int source, EMULATOR_SITE) {
        return __shfl_sync(mask(), value, source, Width, file, line);
    }
    template <typename T>
    static T shfl_down(T value, unsigned delta, EMULATOR_SITE) {
        return __shfl_down_sync(mask(), value, delta, Width, file, line);
    }
    template <typename T>
    static T shfl_up(T value, unsigned delta, EMULATOR_SITE) {
        return __shfl_up_sync(mask(), value, delta, Width, file, line);
    }
    template <typename T>
    static T shfl_xor(T value, int lane_mask, EMULATOR_SITE) {
        return __shfl_xor_sync(mask(), value, lane_mask, Width, file, line);
    }
    static int any(int predicate, EMULATOR_SITE) { return __any_sync(mask(), predicate, file, line); }
    static int all(int predicate, EMULATOR_SITE) { return __all_sync(mask(), predicate, file, line); }
    static unsigned ballot(int predicate, EMULATOR_SITE) { return __ballot_sync(mask(), predicate, file, line) >> (cuda_emulator::lane & ~(Size - 1)); }
};

template <unsigned Size, typename Parent>
thread_block_tile<Size, Parent> tiled_partition(const Parent&) {
    return {};
}

template <typename Group>
void sync(const Group&, EMULATOR_SITE) {
    Group::sync(file, line);
}

}  // namespace cooperative_groups
