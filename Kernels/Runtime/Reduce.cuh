// Sums and maxima over warps and blocks, always in one order. Blocks have one dimension and whole warps; every thread of the warp or block takes part
// and receives the result.

struct Add {
    template <typename T>
    __device__ static T combine(T a, T b) {
        return a + b;
    }
};

// Passes over NaN, as SoftmaxRow.Max does: a sum beside it shows the NaN.
struct LargerFloat {
    __device__ static float combine(float a, float b) { return fmaxf(a, b); }
};

struct Larger {
    template <typename T>
    __device__ static T combine(T a, T b) {
        return a > b ? a : b;
    }
};

template <typename T>
__device__ inline T shuffle_xor(T x, int lanes) {
    return __shfl_xor_sync(all_lanes, x, lanes);
}

// Over groups of Lanes neighbouring lanes, Lanes a power of two. Both partners of a step compute the same number, so that all lanes end with the same bits.
template <typename Operation, int Lanes = warp_lanes, typename T>
__device__ inline T warp_reduce(T x) {
#pragma unroll
    for (int lanes = Lanes / 2; lanes > 0; lanes /= 2) x = Operation::combine(x, shuffle_xor(x, lanes));
    return x;
}

// `neutral` stands for warps that the block does not have.
template <typename Operation, typename T>
__device__ inline T block_reduce(T x, T neutral) {
    __shared__ T of_warp[warp_lanes];
    int lane = threadIdx.x % warp_lanes, warp = threadIdx.x / warp_lanes;
    x = warp_reduce<Operation>(x);
    if (lane == 0) of_warp[warp] = x;
    __syncthreads();
    x = warp_reduce<Operation>(lane < static_cast<int>(blockDim.x) / warp_lanes ? of_warp[lane] : neutral);
    // The next reduction may overwrite what a slow warp has yet to read.
    __syncthreads();
    return x;
}

template <int Lanes = warp_lanes, typename T>
__device__ inline T warp_sum(T x) {
    return warp_reduce<Add, Lanes>(x);
}

// Two sums whose steps do not wait for each other.
__device__ inline void warp_sums(float& x, float& y) {
#pragma unroll
    for (int lanes = warp_lanes / 2; lanes > 0; lanes /= 2) {
        float other_x = shuffle_xor(x, lanes), other_y = shuffle_xor(y, lanes);
        x += other_x;
        y += other_y;
    }
}

template <typename T>
__device__ inline T block_sum(T x) {
    return block_reduce<Add>(x, static_cast<T>(0));
}

template <int Lanes = warp_lanes>
__device__ inline float warp_max(float x) {
    return warp_reduce<LargerFloat, Lanes>(x);
}

// A row of at most Longest elements in the registers of a warp: the lane's elements are (i * 32 + lane) * Width + j. Width is 1, or Pack<E>::Count
// for rows that start at multiples of 16 bytes and are a multiple of Width long.
template <typename E, int Width>
struct WarpRow {
    static constexpr int Longest = 1024;
    static constexpr int Steps = Longest / warp_lanes / Width;
    float value[Steps][Width];

    __device__ void load(const E* row, int count) {
#pragma unroll
        for (int i = 0; i < Steps; i++) {
            int c = at(i);
            if (c < count) load_elements<Width>(row + c, value[i]);
        }
    }

    __device__ void store(E* row, int count) const {
#pragma unroll
        for (int i = 0; i < Steps; i++) {
            int c = at(i);
            if (c < count) store_elements<Width>(row + c, value[i]);
        }
    }

    // use(i, j) for every element of the lane, which is value[i][j] here and in every other row of this length.
    template <typename Use>
    __device__ void each(int count, Use use) const {
#pragma unroll
        for (int i = 0; i < Steps; i++) {
            if (at(i) < count) {
#pragma unroll
                for (int j = 0; j < Width; j++) use(i, j);
            }
        }
    }

    // The lane's first element of step i.
    __device__ static int at(int i) { return (i * warp_lanes + static_cast<int>(threadIdx.x) % warp_lanes) * Width; }
};

// The row of a kernel that gives each warp one; false for warps without.
__device__ inline bool warp_row(long long rows, long long& row) {
    row = grid_thread() / warp_lanes;
    return row < rows;
}

constexpr int column_sum_warps = 8;

// Sums of the columns of rows [first, last) of a matrix, for 32 * Width columns a block of 8 warps: each takes every eighth row, and the warps' sums are
// added in order. `load(row, column, value)` fetches Width neighbouring elements; the sums come back to warp 0, in `sum`. At most once in a kernel.
template <int Width, typename Load>
__device__ inline void column_sums(long long first, long long last, long long column, long long columns, float (&sum)[Width], Load load) {
    __shared__ float of_warp[column_sum_warps][warp_lanes * Width];
    int lane = threadIdx.x % warp_lanes, warp = threadIdx.x / warp_lanes;
#pragma unroll
    for (int j = 0; j < Width; j++) sum[j] = 0.0f;
    if (column < columns) {
#pragma unroll 4
        for (long long row = first + warp; row < last; row += column_sum_warps) {
            float value[Width];
            load(row, column, value);
#pragma unroll
            for (int j = 0; j < Width; j++) sum[j] += value[j];
        }
    }
#pragma unroll
    for (int j = 0; j < Width; j++) of_warp[warp][lane * Width + j] = sum[j];
    __syncthreads();
    if (warp == 0) {
        for (int w = 1; w < column_sum_warps; w++) {
#pragma unroll
            for (int j = 0; j < Width; j++) sum[j] += of_warp[w][lane * Width + j];
        }
    }
}
