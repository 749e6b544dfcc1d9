// y = (x - mean) r gain + bias row by row, r = 1 / sqrt(variance + epsilon), and its gradients. Twin: LayerNormKernel.Cpu.cs.
// x, y, dy, dx [rows, C]; gain, bias, dgain, dbias [C], mean, r [rows], which are float whatever the rows are.
// Rows of up to 1024 live in the registers of a warp, so that each tensor crosses the memory once; the wide kernels give a longer row a block, which reads it
// again from the cache.

template <typename E, int Width>
__device__ inline void layer_norm_forward_rows(
    const E* x, const float* gain, const float* bias, E* y, float* mean, float* r, long long rows, int channels, float epsilon) {
    long long n;
    if (!warp_row(rows, n)) return;
    WarpRow<E, Width> row;
    row.load(x + n * channels, channels);
    float sum = 0.0f, squares = 0.0f;
    row.each(channels, [&](int i, int j) { sum += row.value[i][j]; });
    float center = warp_sum(sum) / channels;
    // A second pass over registers keeps the variance exact beside a large mean.
    row.each(channels, [&](int i, int j) {
        row.value[i][j] -= center;
        squares = fmaf(row.value[i][j], row.value[i][j], squares);
    });
    float scale = 1.0f / sqrtf(warp_sum(squares) / channels + epsilon);
    if (mean != nullptr && threadIdx.x % warp_lanes == 0) {
        mean[n] = center;
        r[n] = scale;
    }
#pragma unroll
    for (int i = 0; i < row.Steps; i++) {
        int c = row.at(i);
        if (c < channels) {
            float g[Width], b[Width];
            load_elements<Width>(gain + c, g);
            load_elements<Width>(bias + c, b);
#pragma unroll
            for (int j = 0; j < Width; j++) row.value[i][j] = fmaf(row.value[i][j] * scale, g[j], b[j]);
        }
    }
    row.store(y + n * channels, channels);
}

template <typename E>
__device__ inline void layer_norm_forward(
    const E* x, const float* gain, const float* bias, E* y, float* mean, float* r, long long rows, int channels, float epsilon) {
    if (channels % Pack<E>::Count == 0 && aligned(x, gain, bias, y))
        layer_norm_forward_rows<E, Pack<E>::Count>(x, gain, bias, y, mean, r, rows, channels, epsilon);
    else
        layer_norm_forward_rows<E, 1>(x, gain, bias, y, mean, r, rows, channels, epsilon);
}

template <typename E, int Width>
__device__ inline void layer_norm_forward_block(const E* x, const float* gain, const float* bias, E* y, float* mean, float* r, int channels, float epsilon) {
    float sum = 0.0f, squares = 0.0f, value[Width], g[Width], b[Width];
    for (int c = threadIdx.x * Width; c < channels; c += blockDim.x * Width) {
        load_elements<Width>(x + c, value);
#pragma unroll
        for (int j = 0; j < Width; j++) sum += value[j];
    }
    float center = block_sum(sum) / channels;
    for (int c = threadIdx.x * Width; c < channels; c += blockDim.x * Width) {
        load_elements<Width>(x + c, value);
#pragma unroll
        for (int j = 0; j < Width; j++) squares = fmaf(value[j] - center, value[j] - center, squares);
    }
    float scale = 1.0f / sqrtf(block_sum(squares) / channels + epsilon);
    if (mean != nullptr && threadIdx.x == 0) {
        *mean = center;
        *r = scale;
    }
    for (int c = threadIdx.x * Width; c < channels; c += blockDim.x * Width) {
        load_elements<Width>(x + c, value);
        load_elements<Width>(gain + c, g);
        load_elements<Width>(bias + c, b);
#pragma unroll
        for (int j = 0; j < Width; j++) value[j] = fmaf((value[j] - center) * scale, g[j], b[j]);
        store_elements<Width>(y + c, value);
    }
}

template <typename E>
__device__ inline void layer_norm_forward_wide(const E* x, const float* gain, const float* bias, E* y, float* mean, float* r, int channels, float epsilon) {
    long long n = blockIdx.x, first = n * channels;
    float *own_mean = mean == nullptr ? nullptr : mean + n, *own_r = r == nullptr ? nullptr : r + n;
    if (channels % Pack<E>::Count == 0 && aligned(x, gain, bias, y))
        layer_norm_forward_block<E, Pack<E>::Count>(x + first, gain, bias, y + first, own_mean, own_r, channels, epsilon);
    else
        layer_norm_forward_block<E, 1>(x + first, gain, bias, y + first, own_mean, own_r, channels, epsilon);
}
