// y = softmax of every row of x, and dx = y (dy - sum y dy). Twin: SoftmaxKernel.Cpu.cs. All [rows, count].
// Rows of up to 1024 live in the registers of a warp: each tensor is touched once. Longer rows get a block each, which reads them twice, the second
// time from the cache.

template <typename E, int Width>
__device__ inline void softmax_forward_rows(const E* x, E* y, long long rows, int count) {
    long long n;
    if (!warp_row(rows, n)) return;
    WarpRow<E, Width> row;
    row.load(x + n * count, count);
    float max = negative_infinity(), sum = 0.0f;
    row.each(count, [&](int i, int j) { max = fmaxf(max, row.value[i][j]); });
    max = warp_max(max);
    row.each(count, [&](int i, int j) {
        row.value[i][j] = expf(row.value[i][j] - max);
        sum += row.value[i][j];
    });
    float factor = 1.0f / warp_sum(sum);
    row.each(count, [&](int i, int j) { row.value[i][j] *= factor; });
    row.store(y + n * count, count);
}

template <typename E>
__device__ inline void softmax_forward(const E* x, E* y, long long rows, int count) {
    if (count % Pack<E>::Count == 0 && aligned(x, y))
        softmax_forward_rows<E, Pack<E>::Count>(x, y, rows, count);
    else
        softmax_forward_rows<E, 1>(x, y, rows, count);
}

template <typename E, int Width>
__device__ inline void softmax_forward_block(const E* x, E* y, int count) {
    Exponentials all = block_exponentials<E, Width>(x, count);
    float factor = 1.0f / all.sum;
    for (int c = threadIdx.x * Width; c < count; c += blockDim.x * Width) {
        float value[Width];
        load_elements<Width>(x + c, value);
#pragma unroll
        for (int j = 0; j < Width; j++) value[j] = expf(value[j] - all.max) * factor;
        store_elements<Width>(y + c, value);
    }
}

template <typename E>
__device__ inline void softmax_forward_wide(const E* x, E* y, int count) {
    x += static_cast<long long>(blockIdx.x) * count;
    y += static_cast<long long>(blockIdx.x) * count;
    if (count % Pack<E>::Count == 0 && aligned(x, y))
        softmax_forward_block<E, Pack<E>::Count>(x, y, count);
    else
        softmax_forward_block<E, 1>(x, y, count);
}

template <typename E, int Width>
__device__ inline void softmax_backward_rows(const E* y, const E* dy, E* dx, long long rows, int count) {
    long long n;
    if (!warp_row(rows, n)) return;
    WarpRow<E, Width> p, d;
    p.load(y + n * count, count);
    d.load(dy + n * count, count);
    float sum = 0.0f;
    p.each(count, [&](int i, int j) { sum = fmaf(p.value[i][j], d.value[i][j], sum); });
    sum = warp_sum(sum);
    p.each(count, [&](int i, int j) { d.value[i][j] = p.value[i][j] * (d.value[i][j] - sum); });
    d.store(dx + n * count, count);
}

template <typename E>
__device__ inline void softmax_backward(const E* y, const E* dy, E* dx, long long rows, int count) {
    if (count % Pack<E>::Count == 0 && aligned(y, dy, dx))
        softmax_backward_rows<E, Pack<E>::Count>(y, dy, dx, rows, count);
    else
        softmax_backward_rows<E, 1>(y, dy, dx, rows, count);
}

template <typename E, int Width>
__device__ inline void softmax_backward_block(const E* y, const E* dy, E* dx, int count) {
    float sum = 0.0f, p[Width], d[Width];
    for (int c = threadIdx.x * Width; c < count; c += blockDim.x * Width) {
        load_elements<Width>(y + c, p);
        load_elements<Width>(dy + c, d);
#pragma unroll
        for (int j = 0; j < Width; j++) sum = fmaf(p[j], d[j], sum);
    }
    sum = block_sum(sum);
    for (int c = threadIdx.x * Width; c < count; c += blockDim.x * Width) {
        load_elements<Width>(y + c, p);
        load_elements<Width>(dy + c, d);
#pragma unroll
        for (int j = 0; j < Width; j++) d[j] = p[j] * (d[j] - sum);
        store_elements<Width>(dx + c, d);
    }
}

template <typename E>
__device__ inline void softmax_backward_wide(const E* y, const E* dy, E* dx, int count) {
    long long first = static_cast<long long>(blockIdx.x) * count;
    if (count % Pack<E>::Count == 0 && aligned(y, dy, dx))
        softmax_backward_block<E, Pack<E>::Count>(y + first, dy + first, dx + first, count);
    else
        softmax_backward_block<E, 1>(y + first, dy + first, dx + first, count);
}
