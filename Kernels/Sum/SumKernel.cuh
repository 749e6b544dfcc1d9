// Sums along the middle axis of x [outer, length, inner], of elements or of products with w. Twin: SumKernel.Cpu.cs.
// Long axes are cut into `parts` of `part` elements each, whose sums are added in order by a second kernel.

struct SumElement {
    template <int Width, typename E>
    __device__ static void load(const E* x, const E*, long long at, float (&value)[Width]) {
        load_elements<Width>(x + at, value);
    }
};

struct SumProduct {
    template <int Width, typename E>
    __device__ static void load(const E* x, const E* w, long long at, float (&value)[Width]) {
        float weight[Width];
        load_elements<Width>(x + at, value);
        load_elements<Width>(w + at, weight);
#pragma unroll
        for (int j = 0; j < Width; j++) value[j] *= weight[j];
    }
};

// The thread's share of the terms first .. last - 1, every threads-th: runs of floats in double precision, as the twin sums.
template <typename Term, int Width, typename E>
__device__ inline double sum_share(const E* x, const E* w, long long first, long long last, int thread, int threads) {
    constexpr int run = 16;
    double sum = 0.0;
    for (long long at = first + thread * Width; at < last; at += static_cast<long long>(run) * threads * Width) {
        float part[Width] = {};
#pragma unroll
        for (int k = 0; k < run; k++) {
            long long here = at + static_cast<long long>(k) * threads * Width;
            if (here < last) {
                float value[Width];
                Term::template load<Width>(x, w, here, value);
#pragma unroll
                for (int j = 0; j < Width; j++) part[j] += value[j];
            }
        }
        float all = part[0];
#pragma unroll
        for (int j = 1; j < Width; j++) all += part[j];
        sum += all;
    }
    return sum;
}

template <typename E>
__device__ inline E scaled_sum(float factor, double sum) {
    return from_float<E>(static_cast<float>(static_cast<double>(factor) * sum));
}

// inner = 1, short rows: y[o] = factor * sum of x[o, :]; a warp for each row.
template <typename E, typename Term>
__device__ inline void sum_rows(const E* x, const E* w, E* y, long long outer, long long length, float factor) {
    long long o;
    if (!warp_row(outer, o)) return;
    int lane = threadIdx.x % warp_lanes;
    bool packed = length % Pack<E>::Count == 0 && aligned(x, w);
    double sum = packed ? sum_share<Term, Pack<E>::Count>(x, w, o * length, (o + 1) * length, lane, warp_lanes)
                        : sum_share<Term, 1>(x, w, o * length, (o + 1) * length, lane, warp_lanes);
    sum = warp_sum(sum);
    if (lane == 0) y[o] = scaled_sum<E>(factor, sum);
}

// inner = 1, long rows: block o * parts + p sums part p of row o, into y where that is all, else into partial [outer, parts].
template <typename E, typename Term>
__device__ inline void sum_long_rows(const E* x, const E* w, E* y, double* partial, long long length, long long part, int parts, float factor) {
    long long p, o = divide(blockIdx.x, parts, p), first = o * length + p * part, last = min((o + 1) * length, first + part);
    bool packed = length % Pack<E>::Count == 0 && part % Pack<E>::Count == 0 && aligned(x, w);
    double sum =
        packed ? sum_share<Term, Pack<E>::Count>(x, w, first, last, threadIdx.x, blockDim.x) : sum_share<Term, 1>(x, w, first, last, threadIdx.x, blockDim.x);
    sum = block_sum(sum);
    if (threadIdx.x > 0) return;
    if (parts == 1)
        y[o] = scaled_sum<E>(factor, sum);
    else
        partial[blockIdx.x] = sum;
}

// y[o] = factor * sum of partial[o, :]; a block for each.
template <typename E>
__device__ inline void sum_parts(const double* partial, E* y, int parts, float factor) {
    double sum = 0.0;
    for (int p = threadIdx.x; p < parts; p += blockDim.x) sum += partial[static_cast<long long>(blockIdx.x) * parts + p];
    sum = block_sum(sum);
    if (threadIdx.x == 0) y[blockIdx.x] = scaled_sum<E>(factor, sum);
}

// inner > 1: y[o, p, i] [+]= factor * sum over part p of x[o, l, i], y float whatever x is. Rows of x lie `stride` apart. A block of 8 warps has 32 columns, or
// 32 times 16 bytes.
template <typename E, typename Term, int Width>
__device__ inline void sum_column_tile(
    const E* x, const E* w, float* y, long long length, long long inner, long long stride, long long part, int parts, int tiles, float factor, int accumulate) {
    long long tile, p, sums = divide(blockIdx.x, tiles, tile), o = divide(sums, parts, p);
    long long column = (tile * warp_lanes + threadIdx.x % warp_lanes) * Width, first = p * part;
    float sum[Width];
    column_sums<Width>(first, min(length, first + part), column, inner, sum, [&](long long row, long long at, float(&value)[Width]) {
        Term::template load<Width>(x, w, (o * length + row) * stride + at, value);
    });
    if (threadIdx.x >= warp_lanes || column >= inner) return;
    float* target = y + sums * inner + column;
    float old[Width] = {};
    if (accumulate) load_elements<Width>(target, old);
#pragma unroll
    for (int j = 0; j < Width; j++) sum[j] = fmaf(factor, sum[j], old[j]);
    store_elements<Width>(target, sum);
}

template <typename E, typename Term>
__device__ inline void sum_columns(
    const E* x, const E* w, float* y, long long length, long long inner, long long stride, long long part, int parts, int tiles, float factor, int accumulate,
    int packed) {
    if (packed)
        sum_column_tile<E, Term, Pack<E>::Count>(x, w, y, length, inner, stride, part, parts, tiles, factor, accumulate);
    else
        sum_column_tile<E, Term, 1>(x, w, y, length, inner, stride, part, parts, tiles, factor, accumulate);
}

// dx[o, l, i] = factor dy[o, i]; count = outer * length * inner.
template <typename E>
__device__ inline void sum_backward(const E* dy, float factor, E* dx, long long count, long long length, long long inner) {
    constexpr int packed = Pack<E>::Count;
    auto place = [&](long long i) {
        long long column, l, o = divide(divide(i, inner, column), length, l);
        return o * inner + column;
    };
    bool rows = inner == 1 && length % packed == 0;
    for_each_element<packed>(
        count, rows ? aligned(dx) : inner % packed == 0 && aligned(dy, dx),
        [&](long long i) {
            Pack<E> pack;
            long long at = place(i);
            if (rows) {
#pragma unroll
                for (int j = 0; j < packed; j++) pack.value[j] = to_float(dy[at]);
            } else {
                pack = Pack<E>::load(dy + at);
            }
#pragma unroll
            for (int j = 0; j < packed; j++) pack.value[j] *= factor;
            pack.store(dx + i);
        },
        [&](long long i) { dx[i] = from_float<E>(factor * to_float(dy[place(i)])); });
}
