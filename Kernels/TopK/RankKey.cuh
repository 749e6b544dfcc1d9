// Where a number stands in the order of its row: larger keys come first. No two elements of a row share a key, and no key is 0. Shared by ArgMax and TopK.

// -0 equals 0, NaN lies above infinity.
__device__ inline unsigned ordered_bits(float x) {
    if (x != x) return 0xffffffffu;
    int bits = __float_as_int(x + 0.0f);
    return static_cast<unsigned>(bits ^ ((bits >> 31) & 0x7fffffff)) ^ 0x80000000u;
}

// Of equal numbers the lower index comes first.
__device__ inline unsigned long long rank_key(float x, int index) {
    return static_cast<unsigned long long>(ordered_bits(x)) << 32 | ~static_cast<unsigned>(index);
}

__device__ inline int rank_index(unsigned long long key) { return static_cast<int>(~static_cast<unsigned>(key)); }

// use(key) for the thread's share of the elements of a row, every threads-th of the block.
template <typename E, typename Use>
__device__ inline void each_key(const E* x, int count, Use use) {
    constexpr int packed = Pack<E>::Count;
    if (count % packed == 0 && aligned(x)) {
#pragma unroll 4
        for (int c = threadIdx.x * packed; c < count; c += blockDim.x * packed) {
            Pack<E> pack = Pack<E>::load(x + c);
#pragma unroll
            for (int j = 0; j < packed; j++) use(rank_key(pack.value[j], c + j));
        }
    } else {
#pragma unroll 4
        for (int c = threadIdx.x; c < count; c += blockDim.x) use(rank_key(to_float(x[c]), c));
    }
}
