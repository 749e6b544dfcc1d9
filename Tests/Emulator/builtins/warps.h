// Barriers, and what the lanes of a warp do together: shuffles, votes, reductions. A lane that arrives waits until every living lane of its mask
// is there with the same function, mask and line; lanes that never come are reported as a deadlock.
#pragma once

inline void __syncthreads(EMULATOR_SITE) { cuda_emulator::runtime.barrier(cuda_emulator::Vote::None, 0, file, line); }
inline int __syncthreads_or(int predicate, EMULATOR_SITE) { return cuda_emulator::runtime.barrier(cuda_emulator::Vote::Any, predicate, file, line); }
inline int __syncthreads_and(int predicate, EMULATOR_SITE) { return cuda_emulator::runtime.barrier(cuda_emulator::Vote::All, predicate, file, line); }
inline int __syncthreads_count(int predicate, EMULATOR_SITE) { return cuda_emulator::runtime.barrier(cuda_emulator::Vote::Count, predicate, file, line); }

namespace cuda_emulator {

/// What a shuffle gives that reads a lane outside its mask: undefined on the GPU, NaN as a float here.
constexpr uint64_t UndefinedLane = 0x7ff4dead7fa0deadull;

EMULATOR_UNCHECKED inline void combine_nothing(unsigned, WarpCall* const*) {}

EMULATOR_UNCHECKED inline void combine_shuffle(unsigned lanes, WarpCall* const* calls) {
    for (int lane = 0; lane < WarpSize; lane++) {
        if (!(lanes >> lane & 1)) continue;
        int source = calls[lane]->operand;
        calls[lane]->result = (lanes >> source & 1) ? calls[source]->value : UndefinedLane;
    }
}

EMULATOR_UNCHECKED inline void combine_ballot(unsigned lanes, WarpCall* const* calls) {
    unsigned votes = 0;
    for (int lane = 0; lane < WarpSize; lane++)
        if ((lanes >> lane & 1) && calls[lane]->operand != 0) votes |= 1u << lane;
    for (int lane = 0; lane < WarpSize; lane++)
        if (lanes >> lane & 1) calls[lane]->result = votes;
}

EMULATOR_UNCHECKED inline void combine_match(unsigned lanes, WarpCall* const* calls) {
    for (int lane = 0; lane < WarpSize; lane++) {
        if (!(lanes >> lane & 1)) continue;
        calls[lane]->result = 0;
        for (int other = 0; other < WarpSize; other++)
            if ((lanes >> other & 1) && calls[other]->value == calls[lane]->value) calls[lane]->result |= 1ull << other;
    }
}

template <typename Fold>
EMULATOR_UNCHECKED void combine_fold(unsigned lanes, WarpCall* const* calls) {
    bool first = true;
    uint32_t sum = 0;
    for (int lane = 0; lane < WarpSize; lane++) {
        if (!(lanes >> lane & 1)) continue;
        sum = first ? static_cast<uint32_t>(calls[lane]->value) : Fold::of(sum, static_cast<uint32_t>(calls[lane]->value));
        first = false;
    }
    for (int lane = 0; lane < WarpSize; lane++)
        if (lanes >> lane & 1) calls[lane]->result = sum;
}

EMULATOR_UNCHECKED inline uint64_t warp(
    const char* name, void (*combine)(unsigned, WarpCall* const*), unsigned mask, uint64_t value, int operand, const char* file, int line) {
    WarpCall call{};
    call.name = name;
    call.combine = combine;
    call.mask = mask;
    call.value = value;
    call.operand = operand;
    call.file = file;
    call.line = line;
    runtime.warp(&call);
    return call.result;
}

template <typename T>
EMULATOR_UNCHECKED T shuffle(const char* name, unsigned mask, T value, int source, const char* file, int line) {
    static_assert(std::is_arithmetic_v<T> && sizeof(T) <= sizeof(uint64_t), "shuffles move numbers of up to 64 bits");
    uint64_t bits = 0;
    memcpy(&bits, &value, sizeof value);
    bits = warp(name, combine_shuffle, mask, bits, source, file, line);
    memcpy(&value, &bits, sizeof value);
    return value;
}

/// The lane that ends the group of `width` lanes which the calling lane is in.
inline int group_end(int width) { return (static_cast<int>(lane) | (width - 1)) + 1; }

}  // namespace cuda_emulator

template <typename T>
inline T __shfl_sync(unsigned mask, T value, int source, int width = warpSize, EMULATOR_SITE) {
    int first = static_cast<int>(cuda_emulator::lane) & ~(width - 1);
    return cuda_emulator::shuffle("__shfl_sync", mask, value, first | (source & (width - 1)), file, line);
}
template <typename T>
inline T __shfl_xor_sync(unsigned mask, T value, int lane_mask, int width = warpSize, EMULATOR_SITE) {
    int own = static_cast<int>(cuda_emulator::lane), source = (own ^ lane_mask) & (warpSize - 1);
    return cuda_emulator::shuffle("__shfl_xor_sync", mask, value, source < cuda_emulator::group_end(width) ? source : own, file, line);
}
template <typename T>
inline T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = warpSize, EMULATOR_SITE) {
    int own = static_cast<int>(cuda_emulator::lane), source = own + static_cast<int>(delta);
    return cuda_emulator::shuffle("__shfl_down_sync", mask, value, source < cuda_emulator::group_end(width) ? source : own, file, line);
}
template <typename T>
inline T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = warpSize, EMULATOR_SITE) {
    int own = static_cast<int>(cuda_emulator::lane), source = own - static_cast<int>(delta);
    return cuda_emulator::shuffle("__shfl_up_sync", mask, value, source >= (own & ~(width - 1)) ? source : own, file, line);
}

inline unsigned __ballot_sync(unsigned mask, int predicate, EMULATOR_SITE) {
    return static_cast<unsigned>(cuda_emulator::warp("__ballot_sync", cuda_emulator::combine_ballot, mask, 0, predicate != 0, file, line));
}
inline int __any_sync(unsigned mask, int predicate, EMULATOR_SITE) {
    return cuda_emulator::warp("__any_sync", cuda_emulator::combine_ballot, mask, 0, predicate != 0, file, line) != 0;
}
inline int __all_sync(unsigned mask, int predicate, EMULATOR_SITE) {
    return cuda_emulator::warp("__all_sync", cuda_emulator::combine_ballot, mask, 0, predicate == 0, file, line) == 0;
}
template <typename T>
inline unsigned __match_any_sync(unsigned mask, T value, EMULATOR_SITE) {
    uint64_t bits = 0;
    memcpy(&bits, &value, sizeof value);
    return static_cast<unsigned>(cuda_emulator::warp("__match_any_sync", cuda_emulator::combine_match, mask, bits, 0, file, line));
}
inline unsigned __activemask() { return cuda_emulator::runtime.active_lanes(); }

inline void __syncwarp(unsigned mask = 0xffffffffu, EMULATOR_SITE) {
    cuda_emulator::WarpCall call{};
    call.name = "__syncwarp";
    call.combine = cuda_emulator::combine_nothing;
    call.mask = mask;
    call.orders_memory = true;
    call.file = file;
    call.line = line;
    cuda_emulator::runtime.warp(&call);
}

#define EMULATOR_REDUCE(name, type, expression)                                                                                                           \
    namespace cuda_emulator {                                                                                                                             \
    struct fold##name##type {                                                                                                                             \
        EMULATOR_UNCHECKED static uint32_t of(uint32_t x, uint32_t y) {                                                                                   \
            type a = static_cast<type>(x), b = static_cast<type>(y);                                                                                      \
            return static_cast<uint32_t>(expression);                                                                                                     \
        }                                                                                                                                                 \
    };                                                                                                                                                    \
    }                                                                                                                                                     \
    inline type name(unsigned mask, type value, EMULATOR_SITE) {                                                                                          \
        return static_cast<type>(                                                                                                                         \
            cuda_emulator::warp(#name, cuda_emulator::combine_fold<cuda_emulator::fold##name##type>, mask, static_cast<uint32_t>(value), 0, file, line)); \
    }
EMULATOR_REDUCE(__reduce_add_sync, unsigned, a + b)
EMULATOR_REDUCE(__reduce_min_sync, unsigned, a < b ? a : b)
EMULATOR_REDUCE(__reduce_max_sync, unsigned, a < b ? b : a)
EMULATOR_REDUCE(__reduce_and_sync, unsigned, a& b)
EMULATOR_REDUCE(__reduce_or_sync, unsigned, a | b)
EMULATOR_REDUCE(__reduce_xor_sync, unsigned, a ^ b)
EMULATOR_REDUCE(__reduce_add_sync, int, static_cast<int>(static_cast<uint32_t>(a) + static_cast<uint32_t>(b)))
EMULATOR_REDUCE(__reduce_min_sync, int, a < b ? a : b)
EMULATOR_REDUCE(__reduce_max_sync, int, a < b ? b : a)
#undef EMULATOR_REDUCE
