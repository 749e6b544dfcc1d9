// y = x - log sum e^x row by row, and dx = dy - e^y sum dy. Twin: LogSoftmaxKernel.Cpu.cs. All [rows, count]; rows as in Softmax/SoftmaxKernel.cuh.

template <typename E, int Width>
__device__ inline void log_softmax_forward_rows(const E* x, E* y, long long rows, int count) {
    long long n;
    if (!warp_row(rows, n)) return;
    WarpRow<E, Width> row;
    row.load(x + n * count, count);
    float max = negative_infinity(), sum = 0.0f;
    row.each(count, [&](int i, int j) { max = fmaxf(max, row.value[i][j]); });
    max = warp_max(max);
    row.each(count, [&](int i, int j) { sum += expf(row.value[i][j] - max); });
    // Two subtractions: their sum would lose the logarithm's low bits beside a large maximum.
    float log = logf(warp_sum(sum));
    row.each(count, [&](int i, int j) { row.value[i][j] = row.value[i][j] - max - log; });
    row.store(y + n * count, count);
}

template <typename E>
__device__ inline void log_softmax_forward(const E* x, E* y, long long rows, int count) {
    if (count % Pack<E>::Count == 0 && aligned(x, y))
        log_softmax_forward_rows<E, Pack<E>::Count>(x, y, rows, count);
    else
        log_softmax_forward_rows<E, 1>(x, y, rows, count);
}

template <typename E, int Width>
__device__ inline void log_softmax_forward_block(const E* x, E* y, int count) {
    Exponentials all = block_exponentials<E, Width>(x, count);
    float log = logf(all.sum);
    for (int c = threadIdx.x * Width; c < count; c += blockDim.x * Width) {
        float value[Width];
        load_elements<Width>(x + c, value);
#pragma unroll
        for (int j = 0; j < Width; j++) value[j] = value[j] - all.max - log;
        store_elements<Width>(y + c, value);
    }
}

template <typename E>
__device__ inline void log_softmax_forward_wide(const E* x, E* y, int count) {
    x += static_cast<long long>(blockIdx.x) * count;
    y += static_cast<long long>(blockIdx.x) * count;
    if (count % Pack<E>::Count == 0 && aligned(x, y))
        log_softmax_forward_block<E, Pack<E>::Count>(x, y, count);
    else
        log_softmax_forward_block<E, 1>(x, y, count);
}

template <typename E, int Width>
__device__ inline void log_softmax_backward_rows(const E* y, const E* dy, E* dx, long long rows, int count) {
    long long n;
    if (!warp_row(rows, n)) return;
    WarpRow<E, Width> log, d;
    log.load(y + n * count, count);
    d.load(dy + n * count, count);
    float sum = 0.0f;
    d.each(count, [&](int i, int j) { sum += d.value[i][j]; });
    sum = warp_sum(sum);
    d.each(count, [&](int i, int j) { d.value[i][j] -= expf(log.value[i][j]) * sum; });
    d.store(dx + n * count, count);
}

template <typename E>
__device__ inline void log_softmax_backward(const E* y, const E* dy, E* dx, long long rows, int count) {
    if (count % Pack<E>::Count == 0 && aligned(y, dy, dx))
        log_softmax_backward_rows<E, Pack<E>::Count>(y, dy, dx, rows, count);
    else
        log_softmax_backward_rows<E, 1>(y, dy, dx, rows, count);
}

template <typename E, int Width>
__device__ inline void log_softmax_backward_block(const E* y, const E* dy, E* dx, int count) {
    float sum = 0.0f, log[Width], d[Width];
    for (int c = threadIdx.x * Width; c < count; c += blockDim.x * Width) {
        load_elements<Width>(dy + c, d);
#pragma unroll
        for (int j = 0; j < Width; j++) sum += d[j];
    }
    sum = block_sum(sum);
    for (int c = threadIdx.x * Width; c < count; c += blockDim.x * Width) {
        load_elements<Width>(y + c, log);
        load_elements<Width>(dy + c, d);
#pragma unroll
        for (int j = 0; j < Width; j++) d[j] -= expf(log[j]) * sum;
        store_elements<Width>(dx + c, d);
    }
}

template <typename E>
__device__ inline void log_softmax_backward_wide(const E* y, const E* dy, E* dx, int count) {
    long long first = static_cast<long long>(blockIdx.x) * count;
    if (count % Pack<E>::Count == 0 && aligned(y, dy, dx))
        log_softmax_backward_block<E, Pack<E>::Count>(y + first, dy + first, dx + first, count);
    else
        log_softmax_backward_block<E, 1>(y + first, dy + first, dx + first, count);
}
