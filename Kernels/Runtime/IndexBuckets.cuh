// The positions of every index, grouped by index and in order inside a group. Twin: IndexBuckets.cs. A stable radix sort of (index, position), 8 bits a
// pass: with one owner for each group, scattered sums need no atomics and have one order.

constexpr int bucket_digits = 256;
constexpr int bucket_tile = 2048;  // indices a block of 256 threads sorts
constexpr int bucket_warps = bucket_digits / warp_lanes;

__device__ inline int bucket_digit(int index, int shift) { return (index >> shift) & (bucket_digits - 1); }

// counts[digit, block] = how many of the block's indices have the digit at bits shift .. shift + 7. indices [count]; counts [256, blocks].
__device__ inline void index_buckets_count(const int* indices, int* counts, int count, int shift) {
    __shared__ int histogram[bucket_digits];
    histogram[threadIdx.x] = 0;
    __syncthreads();
    int first = blockIdx.x * bucket_tile, last = min(count, first + bucket_tile);
    for (int i = first + threadIdx.x; i < last; i += bucket_digits) atomicAdd(&histogram[bucket_digit(indices[i], shift)], 1);
    __syncthreads();
    counts[static_cast<long long>(threadIdx.x) * gridDim.x + blockIdx.x] = histogram[threadIdx.x];
}

// counts becomes the sums of the numbers before each; one block.
__device__ inline void index_buckets_scan(int* counts, int length) {
    __shared__ int of_warp[warp_lanes];
    int lane = threadIdx.x % warp_lanes, warp = threadIdx.x / warp_lanes, warps = blockDim.x / warp_lanes;
    int run = (length + static_cast<int>(blockDim.x) - 1) / static_cast<int>(blockDim.x);
    int first = min(length, static_cast<int>(threadIdx.x) * run), last = min(length, first + run), sum = 0;
    for (int i = first; i < last; i++) sum += counts[i];
    int before = sum;
#pragma unroll
    for (int lanes = 1; lanes < warp_lanes; lanes *= 2) {
        int other = __shfl_up_sync(all_lanes, before, lanes);
        if (lane >= lanes) before += other;
    }
    if (lane == warp_lanes - 1) of_warp[warp] = before;
    before -= sum;
    __syncthreads();
    for (int w = 0; w < warp && w < warps; w++) before += of_warp[w];
    for (int i = first; i < last; i++) {
        int own = counts[i];
        counts[i] = before;
        before += own;
    }
}

// Moves the block's indices to their places for this digit, equal digits in order. positions is null in the first pass, where it would be 0, 1, 2, ...;
// counts as the scan leaves it.
__device__ inline void index_buckets_scatter(
    const int* indices, const int* positions, const int* counts, int* sorted, int* sorted_positions, int count, int shift) {
    __shared__ int place[bucket_warps][bucket_digits];
    constexpr int rounds = bucket_tile / bucket_digits;
    int lane = threadIdx.x % warp_lanes, warp = threadIdx.x / warp_lanes;
    int first = blockIdx.x * bucket_tile + warp * (bucket_tile / bucket_warps) + lane;
    for (int digit = lane; digit < bucket_digits; digit += warp_lanes) place[warp][digit] = 0;
    __syncwarp();
    for (int round = 0; round < rounds; round++) {
        int i = first + round * warp_lanes;
        if (i < count) atomicAdd(&place[warp][bucket_digit(indices[i], shift)], 1);
    }
    __syncthreads();
    // Thread = digit: where each warp's first index with it goes.
    int next = counts[static_cast<long long>(threadIdx.x) * gridDim.x + blockIdx.x];
    for (int w = 0; w < bucket_warps; w++) {
        int own = place[w][threadIdx.x];
        place[w][threadIdx.x] = next;
        next += own;
    }
    __syncthreads();
    for (int round = 0; round < rounds; round++) {
        int i = first + round * warp_lanes;
        bool valid = i < count;
        int index = valid ? indices[i] : 0, digit = bucket_digit(index, shift);
        unsigned peers = __ballot_sync(all_lanes, valid);
#pragma unroll
        for (int bit = 0; bit < 8; bit++) {
            bool set = (digit >> bit & 1) != 0;
            unsigned with = __ballot_sync(all_lanes, set);
            peers &= set ? with : ~with;
        }
        int rank = __popc(peers & ((1u << lane) - 1)), base = place[warp][digit];
        __syncwarp();
        if (valid) {
            if (rank == 0) place[warp][digit] = base + __popc(peers);
            sorted[base + rank] = index;
            sorted_positions[base + rank] = positions == nullptr ? i : positions[i];
        }
        __syncwarp();
    }
}

// starts[v] = how many of the sorted indices are below v, for v = 0 .. limit: group v lies at starts[v] .. starts[v + 1] - 1.
__device__ inline void index_buckets_starts(const int* sorted, int* starts, int count, int limit) {
    long long v = grid_thread();
    if (v > limit) return;
    int low = 0, high = count;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (sorted[middle] < v)
            low = middle + 1;
        else
            high = middle;
    }
    starts[v] = low;
}
