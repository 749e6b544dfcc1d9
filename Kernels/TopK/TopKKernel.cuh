// The k largest of every row in order. Twin: TopKKernel.Cpu.cs. x [rows, count]; values, indices [rows, k]; a block for each row.
// Each thread finds the best of its share; the k-th of these bounds the k-th of all from below, so that few elements pass it. Where too many pass (or k is
// more than the threads), the exact bound is found digit by digit. What passed is sorted.

// Keys descending; count is a power of two. Also a barrier before and after.
__device__ inline void sort_keys(unsigned long long* keys, int count) {
    for (int size = 2; size <= count; size *= 2) {
        for (int stride = size / 2; stride > 0; stride /= 2) {
            __syncthreads();
            for (int i = threadIdx.x; i < count / 2; i += blockDim.x) {
                int low = i / stride * 2 * stride + i % stride, high = low + stride;
                bool descending = (low & size) == 0;
                unsigned long long a = keys[low], b = keys[high];
                if ((a < b) == descending) {
                    keys[low] = b;
                    keys[high] = a;
                }
            }
        }
    }
    __syncthreads();
}

// The bound that exactly k keys of the row reach: the row's digits of 8 bits from the highest on, until all of the bin that straddles the bound belong.
template <typename E>
__device__ inline unsigned long long exact_bound(const E* x, int count, int k) {
    constexpr int bins = 256;
    __shared__ int histogram[bins];
    __shared__ int chosen, wanted_of_it;
    unsigned long long bound = 0;
    int wanted = k;
    for (int shift = 56; shift >= 0; shift -= 8) {
        for (int i = threadIdx.x; i < bins; i += blockDim.x) histogram[i] = 0;
        __syncthreads();
        each_key(x, count, [&](unsigned long long key) {
            if (shift == 56 || key >> (shift + 8) == bound >> (shift + 8)) atomicAdd(&histogram[key >> shift & (bins - 1)], 1);
        });
        __syncthreads();
        if (threadIdx.x == 0) {
            int bin = bins - 1, rest = wanted;
            while (histogram[bin] < rest) rest -= histogram[bin--];
            chosen = bin;
            wanted_of_it = rest;
        }
        __syncthreads();
        bound |= static_cast<unsigned long long>(chosen) << shift;
        wanted = wanted_of_it;
        bool whole = histogram[chosen] == wanted;
        __syncthreads();
        if (whole) break;
    }
    return bound;
}

// spill [rows, spill_count]: where the keys of a row go when k is more than the capacity; spill_count is a power of two, at least k. capacity: keys in
// shared memory, a power of two, at least the threads.
template <typename E>
__device__ inline void top_k_forward(const E* x, E* values, int* indices, unsigned long long* spill, int count, int k, int capacity, int spill_count) {
    DYNAMIC_SHARED(unsigned long long, shared_keys);  // [capacity]
    __shared__ int found;
    x += static_cast<long long>(blockIdx.x) * count;
    int threads = blockDim.x;
    unsigned long long bound = 0;
    if (k <= threads) {
        unsigned long long best = 0;
        each_key(x, count, [&](unsigned long long key) { best = key > best ? key : best; });
        shared_keys[threadIdx.x] = best;
        sort_keys(shared_keys, threads);
        bound = shared_keys[k - 1];
    }

    unsigned long long* keys = shared_keys;
    int room = capacity;
    auto collect = [&]() {
        __syncthreads();
        if (threadIdx.x == 0) found = 0;
        __syncthreads();
        each_key(x, count, [&](unsigned long long key) {
            if (key < bound) return;
            int at = atomicAdd(&found, 1);
            if (at < room) keys[at] = key;
        });
        __syncthreads();
    };
    if (k <= capacity) collect();
    if (k > capacity || found > capacity) {
        bound = exact_bound(x, count, k);
        if (k > capacity) {
            keys = spill + static_cast<long long>(blockIdx.x) * spill_count;
            room = spill_count;
        }
        collect();
    }

    int sorted = 1;
    while (sorted < found) sorted *= 2;
    for (int i = found + threadIdx.x; i < sorted; i += threads) keys[i] = 0;
    sort_keys(keys, sorted);
    for (int i = threadIdx.x; i < k; i += threads) {
        int index = rank_index(keys[i]);
        indices[static_cast<long long>(blockIdx.x) * k + i] = index;
        values[static_cast<long long>(blockIdx.x) * k + i] = x[index];
    }
}
