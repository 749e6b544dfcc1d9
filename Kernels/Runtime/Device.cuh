// What all kernels stand on: element types, accesses of 16 bytes, dynamic shared memory, division of indices. Inline PTX belongs here and nowhere else.
// NativeKernels.cu includes it first. Device code for NVRTC and nvcc without headers; g++ compiles the same text for the emulator (CUDASEQ_EMULATOR).

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

// Elements are stored as E and computed with as float.
__device__ inline float to_float(float x) { return x; }

template <typename E>
__device__ inline E from_float(float x);

template <>
__device__ inline float from_float<float>(float x) {
    return x;
}

// 16 bytes of elements as floats. The address must be a multiple of 16.
template <typename E>
struct Pack;

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

// Width elements as floats, where Width is 1 or Pack<E>::Count.
template <int Width, typename E>
__device__ inline void load_elements(const E* from, float (&to)[Width]) {
    if constexpr (Width == 1) {
        to[0] = to_float(*from);
    } else {
        static_assert(Width == Pack<E>::Count, "elements are loaded one by one or 16 bytes at a time");
        Pack<E> pack = Pack<E>::load(from);
#pragma unroll
        for (int j = 0; j < Width; j++) to[j] = pack.value[j];
    }
}

template <int Width, typename E>
__device__ inline void store_elements(E* to, const float (&from)[Width]) {
    if constexpr (Width == 1) {
        *to = from_float<E>(from[0]);
    } else {
        static_assert(Width == Pack<E>::Count, "elements are stored one by one or 16 bytes at a time");
        Pack<E> pack;
#pragma unroll
        for (int j = 0; j < Width; j++) pack.value[j] = from[j];
        pack.store(to);
    }
}

// Four neighbouring elements, 16-byte aligned as floats.
__device__ inline float4 load_four(const float* from) { return *reinterpret_cast<const float4*>(from); }
__device__ inline void store_four(float* to, float4 four) { *reinterpret_cast<float4*>(to) = four; }

// Whether every address is a multiple of 16; a null pointer is.
template <typename... T>
__device__ inline bool aligned(const T*... addresses) {
    return ((reinterpret_cast<unsigned long long>(addresses) | ...) & 15) == 0;
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
