// What all kernels stand on: element types, accesses of 16 bytes, dynamic shared memory, asynchronous copies, tensor cores, division of indices. Inline PTX
// belongs here and nowhere else. NativeKernels.cu includes it first. Device code for NVRTC and nvcc without headers; g++ compiles the same text for the
// emulator (CUDASEQ_EMULATOR).

// The dynamic shared memory of a block, aligned to 16 bytes; at most once in a kernel.
#ifdef CUDASEQ_EMULATOR
#define DYNAMIC_SHARED(type, name) type* name = static_cast<type*>(emulator_dynamic_shared())
#else
#define DYNAMIC_SHARED(type, name)                                         \
    extern __shared__ __align__(16) unsigned char dynamic_shared_memory[]; \
    type* name = reinterpret_cast<type*>(dynamic_shared_memory)
#endif

constexpr int warp_lanes = 32;
constexpr unsigned all_lanes = 0xffffffffu;

__device__ inline float positive_infinity() { return __int_as_float(0x7f800000); }
__device__ inline float not_a_number() { return __int_as_float(0x7fc00000); }
__device__ inline float negative_infinity() { return __int_as_float(0xff800000); }
__device__ inline bool is_finite(double x) { return x - x == 0.0; }
__device__ inline bool is_finite(float x) { return (__float_as_int(x) & 0x7f800000) != 0x7f800000; }

// Elements are stored as E and computed with as float: float itself, bf16 (the upper half of a float) or f16 (IEEE 754 half precision).
struct bf16 {
    unsigned short bits;
};

struct f16 {
    unsigned short bits;
};

// Two elements side by side in a register, the first in the lower half: how 16 bytes and the tensor cores hold them.
// pack_pair rounds to the nearest element, of two the even one; NaN stays NaN.
template <typename E>
__device__ inline unsigned pack_pair(float low, float high);
template <typename E>
__device__ inline float low_of(unsigned pair);
template <typename E>
__device__ inline float high_of(unsigned pair);

#ifdef CUDASEQ_EMULATOR
inline unsigned bf16_bits(float x) {
    unsigned bits = __float_as_uint(x);
    return x != x ? 0x7fffu : (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
}

inline unsigned f16_bits(float x) {
    unsigned bits = __float_as_uint(x), sign = bits >> 16 & 0x8000u, rest = bits & 0x7fffffffu;
    if (rest > 0x7f800000u) return 0x7fffu;
    // From 65520 on, half a unit above the largest number, the nearest is infinity.
    if (rest >= 0x477ff000u) return sign | 0x7c00u;
    // Numbers below 2^-14 are multiples of 2^-24: adding 0.5 leaves just these bits, rounded, at the end.
    if (rest < 0x38800000u) return sign | (__float_as_uint(__uint_as_float(rest) + 0.5f) - 0x3f000000u);
    return sign | (rest + 0xfffu + (rest >> 13 & 1u) - 0x38000000u) >> 13;
}

inline float f16_value(unsigned bits) {
    unsigned sign = (bits & 0x8000u) << 16, rest = bits & 0x7fffu;
    if (rest >= 0x7c00u) return __uint_as_float(sign | 0x7f800000u | rest << 13);
    // A subnormal is its bits times 2^-24.
    float value = rest < 0x400u ? static_cast<float>(rest) * 5.9604645e-8f : __uint_as_float((rest << 13) + 0x38000000u);
    return sign != 0u ? -value : value;
}

template <>
inline unsigned pack_pair<bf16>(float low, float high) {
    return bf16_bits(low) | bf16_bits(high) << 16;
}
template <>
inline unsigned pack_pair<f16>(float low, float high) {
    return f16_bits(low) | f16_bits(high) << 16;
}
template <>
inline float low_of<f16>(unsigned pair) {
    return f16_value(pair & 0xffffu);
}
template <>
inline float high_of<f16>(unsigned pair) {
    return f16_value(pair >> 16);
}
#else
template <>
__device__ inline unsigned pack_pair<bf16>(float low, float high) {
    unsigned pair;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
    return pair;
}
template <>
__device__ inline unsigned pack_pair<f16>(float low, float high) {
    unsigned pair;
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
    return pair;
}
template <>
__device__ inline float low_of<f16>(unsigned pair) {
    float value;
    asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(static_cast<unsigned short>(pair)));
    return value;
}
template <>
__device__ inline float high_of<f16>(unsigned pair) {
    float value;
    asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(static_cast<unsigned short>(pair >> 16)));
    return value;
}
#endif
template <>
__device__ inline float low_of<bf16>(unsigned pair) {
    return __uint_as_float(pair << 16);
}
template <>
__device__ inline float high_of<bf16>(unsigned pair) {
    return __uint_as_float(pair & 0xffff0000u);
}

__device__ inline float to_float(float x) { return x; }
__device__ inline float to_float(bf16 x) { return low_of<bf16>(x.bits); }
__device__ inline float to_float(f16 x) { return low_of<f16>(x.bits); }

template <typename E>
__device__ inline E from_float(float x) {
    return {static_cast<unsigned short>(pack_pair<E>(x, 0.0f))};
}

template <>
__device__ inline float from_float<float>(float x) {
    return x;
}

// 16 bytes of elements as floats. The address must be a multiple of 16.
template <typename E>
struct Pack {
    static constexpr int Count = 8;
    float value[Count];

    __device__ static Pack load(const E* from) {
        uint4 four = *reinterpret_cast<const uint4*>(from);
        return {
            {low_of<E>(four.x), high_of<E>(four.x), low_of<E>(four.y), high_of<E>(four.y), low_of<E>(four.z), high_of<E>(four.z), low_of<E>(four.w),
             high_of<E>(four.w)}};
    }

    __device__ void store(E* to) const {
        *reinterpret_cast<uint4*>(to) =
            make_uint4(pack_pair<E>(value[0], value[1]), pack_pair<E>(value[2], value[3]), pack_pair<E>(value[4], value[5]), pack_pair<E>(value[6], value[7]));
    }
};

template <>
struct Pack<float> {
    static constexpr int Count = 4;
    float value[Count];

    __device__ static Pack load(const float* from) {
        float4 four = *reinterpret_cast<const float4*>(from);
        return {{four.x, four.y, four.z, four.w}};
    }

    __device__ void store(float* to) const { *reinterpret_cast<float4*>(to) = make_float4(value[0], value[1], value[2], value[3]); }
};

// Width elements as floats, where Width is 1 or makes whole packs: as many floats stand beside a pack of narrower elements.
template <int Width, typename E>
__device__ inline void load_elements(const E* from, float (&to)[Width]) {
    if constexpr (Width == 1) {
        to[0] = to_float(*from);
    } else {
        constexpr int count = Pack<E>::Count;
        static_assert(Width % count == 0, "elements are loaded one by one or 16 bytes at a time");
#pragma unroll
        for (int i = 0; i < Width; i += count) {
            Pack<E> pack = Pack<E>::load(from + i);
#pragma unroll
            for (int j = 0; j < count; j++) to[i + j] = pack.value[j];
        }
    }
}

template <int Width, typename E>
__device__ inline void store_elements(E* to, const float (&from)[Width]) {
    if constexpr (Width == 1) {
        *to = from_float<E>(from[0]);
    } else {
        constexpr int count = Pack<E>::Count;
        static_assert(Width % count == 0, "elements are stored one by one or 16 bytes at a time");
#pragma unroll
        for (int i = 0; i < Width; i += count) {
            Pack<E> pack;
#pragma unroll
            for (int j = 0; j < count; j++) pack.value[j] = from[i + j];
            pack.store(to + i);
        }
    }
}

// Four neighbouring elements; the address must be a multiple of their size, 16 bytes or 8.
__device__ inline float4 load_four(const float* from) { return *reinterpret_cast<const float4*>(from); }
__device__ inline void store_four(float* to, float4 four) { *reinterpret_cast<float4*>(to) = four; }

template <typename E>
__device__ inline float4 load_four(const E* from) {
    uint2 two = *reinterpret_cast<const uint2*>(from);
    return make_float4(low_of<E>(two.x), high_of<E>(two.x), low_of<E>(two.y), high_of<E>(two.y));
}

template <typename E>
__device__ inline void store_four(E* to, float4 four) {
    *reinterpret_cast<uint2*>(to) = make_uint2(pack_pair<E>(four.x, four.y), pack_pair<E>(four.z, four.w));
}

// Whether every address is a multiple of Bytes; a null pointer is.
template <int Bytes = 16, typename... T>
__device__ inline bool aligned(const T*... addresses) {
    return ((reinterpret_cast<unsigned long long>(addresses) | ...) & (Bytes - 1)) == 0;
}

// Copies of 16 bytes to shared memory behind the thread's back; both addresses are multiples of 16. What was begun before a commit is a group; wait<N> waits
// until at most the N latest of the thread's own groups are under way. Other threads' copies are seen after a barrier.
__device__ inline void cp_async16(void* shared, const void* global) {
#ifdef CUDASEQ_EMULATOR
    emulator_cp_async(shared, global, 16);
#else
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(static_cast<unsigned>(__cvta_generic_to_shared(shared))), "l"(global) : "memory");
#endif
}

__device__ inline void cp_async_commit() {
#ifdef CUDASEQ_EMULATOR
    emulator_cp_async_commit();
#else
    asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}

template <int Groups>
__device__ inline void cp_async_wait() {
#ifdef CUDASEQ_EMULATOR
    emulator_cp_async_wait(Groups);
#else
    asm volatile("cp.async.wait_group %0;" ::"n"(Groups) : "memory");
#endif
}

// Fragments of 16-bit elements for the tensor cores: four matrices of 8 x 8, matrix m of which stands in register m. Lane 8 m + r brings the address of row r
// of matrix m in shared memory, a multiple of 16 bytes; with g = lane / 4 and q = lane % 4, a lane gets columns 2 q and 2 q + 1 of row g, or of the
// transposed matrices rows 2 q and 2 q + 1 of column g. The whole warp takes part.
__device__ inline void ldmatrix_x4(unsigned (&registers)[4], const void* row) {
#ifdef CUDASEQ_EMULATOR
    emulator_ldmatrix_x4(registers, row);
#else
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(registers[0]), "=r"(registers[1]), "=r"(registers[2]), "=r"(registers[3])
                 : "r"(static_cast<unsigned>(__cvta_generic_to_shared(row)))
                 : "memory");
#endif
}

__device__ inline void ldmatrix_x4_trans(unsigned (&registers)[4], const void* row) {
#ifdef CUDASEQ_EMULATOR
    emulator_ldmatrix_x4_trans(registers, row);
#else
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(registers[0]), "=r"(registers[1]), "=r"(registers[2]), "=r"(registers[3])
                 : "r"(static_cast<unsigned>(__cvta_generic_to_shared(row)))
                 : "memory");
#endif
}

// sums [16, 8] += a [16, 16] * b [16, 8], with float sums: a lane holds columns 2 q and 2 q + 1 of rows g (sums[0], sums[1]) and g + 8 (sums[2], sums[3]).
// a: quarters of 8 x 8 in the order rows 0 .. 7, rows 8 .. 15, and again for columns 8 .. 15; b: rows 0 .. 7, rows 8 .. 15, as ldmatrix gives b's transpose.
template <typename E>
__device__ inline void mma_16816(float (&sums)[4], const unsigned (&a)[4], const unsigned (&b)[2]);

template <>
__device__ inline void mma_16816<bf16>(float (&sums)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
#ifdef CUDASEQ_EMULATOR
    emulator_mma_m16n8k16_bf16(sums, a, b, sums);
#else
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                 : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#endif
}

template <>
__device__ inline void mma_16816<f16>(float (&sums)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
#ifdef CUDASEQ_EMULATOR
    emulator_mma_m16n8k16_f16(sums, a, b, sums);
#else
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                 : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#endif
}

// 2^x to a relative error of 2^-22 in one instruction, where exp2f takes four; what float32 has no normal number for is zero.
__device__ inline float exp2_or_zero(float x) {
#ifdef CUDASEQ_EMULATOR
    float y = exp2f(x);
    return y < 1.17549435e-38f ? 0.0f : y;
#else
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
#endif
}

// value / divisor, and what remains, for numbers that are not negative. Nearly all fit 32 bits, where a division costs a fifth.
__device__ inline long long divide(long long value, long long divisor, long long& rest) {
    if (((value | divisor) >> 32) == 0) {
        unsigned quotient = static_cast<unsigned>(value) / static_cast<unsigned>(divisor);
        rest = static_cast<unsigned>(value) - quotient * static_cast<unsigned>(divisor);
        return quotient;
    }
    long long quotient = value / divisor;
    rest = value - quotient * divisor;
    return quotient;
}

// The thread's number in the grid, and the number of threads in the grid; blocks and grids of one dimension.
__device__ inline long long grid_thread() { return blockIdx.x * static_cast<long long>(blockDim.x) + threadIdx.x; }
__device__ inline long long grid_threads() { return gridDim.x * static_cast<long long>(blockDim.x); }

// Visits elements 0 .. length - 1 once in the whole grid: packs(i) has elements i .. i + Count - 1 with i a multiple of Count, ones(i) has element i.
template <int Count, typename Packs, typename Ones>
__device__ inline void for_each_element(long long length, bool packed, Packs packs, Ones ones) {
    long long whole = packed ? length / Count * Count : 0;
    for (long long i = grid_thread() * Count; i < whole; i += grid_threads() * Count) packs(i);
    for (long long i = whole + grid_thread(); i < length; i += grid_threads()) ones(i);
}
