// With z = (x - mean) r and g = dy gain: dx = r (g - mean(g) - z mean(g z)), dgain = sum of dy z over the rows, dbias = sum of dy. Shapes and rows as in
// LayerNormKernel.cuh. Block b takes rows b * block_rows and on, and leaves its sums in partial [blocks, 2, C]: of dy z, then of dy. Another kernel adds
// them in order. dx or partial may be null. Rows in registers start at multiples of 16 bytes and are a multiple of that long; the wide kernel takes all others.

constexpr int layer_norm_warps = 8;

template <typename E, int Width>
__device__ inline void layer_norm_backward_rows(
    const E* x, const float* gain, const float* mean, const float* r, const E* dy, E* dx, float* partial, int rows, int block_rows, int channels) {
    using Row = WarpRow<E, Width>;
    DYNAMIC_SHARED(float, sums);  // [2, C]
    int warp = threadIdx.x / warp_lanes, first = blockIdx.x * block_rows, last = min(rows, first + block_rows);
    Row z, g, dgain, dbias;
    dgain.each(channels, [&](int i, int j) { dgain.value[i][j] = dbias.value[i][j] = 0.0f; });
    for (int n = first + warp; n < last; n += layer_norm_warps) {
        long long offset = static_cast<long long>(n) * channels;
        z.load(x + offset, channels);
        g.load(dy + offset, channels);
        float center = mean[n], scale = r[n], sum = 0.0f, product = 0.0f;
#pragma unroll
        for (int i = 0; i < Row::Steps; i++) {
            int c = Row::at(i);
            if (c < channels) {
                float weight[Width];
                load_elements<Width>(gain + c, weight);
#pragma unroll
                for (int j = 0; j < Width; j++) {
                    z.value[i][j] = (z.value[i][j] - center) * scale;
                    dgain.value[i][j] = fmaf(z.value[i][j], g.value[i][j], dgain.value[i][j]);
                    dbias.value[i][j] += g.value[i][j];
                    g.value[i][j] *= weight[j];
                    sum += g.value[i][j];
                    product = fmaf(g.value[i][j], z.value[i][j], product);
                }
            }
        }
        if (dx == nullptr) continue;
        sum = warp_sum(sum) / channels;
        product = warp_sum(product) / channels;
        g.each(channels, [&](int i, int j) { g.value[i][j] = (g.value[i][j] - sum - z.value[i][j] * product) * scale; });
        g.store(dx + offset, channels);
    }
    if (partial == nullptr) return;
    for (int w = 0; w < layer_norm_warps; w++) {
        if (warp == w) {
            dgain.each(channels, [&](int i, int j) {
                int c = Row::at(i) + j;
                sums[c] = w == 0 ? dgain.value[i][j] : sums[c] + dgain.value[i][j];
                sums[channels + c] = w == 0 ? dbias.value[i][j] : sums[channels + c] + dbias.value[i][j];
            });
        }
        __syncthreads();
    }
    partial += blockIdx.x * 2LL * channels;
    for (int c = threadIdx.x; c < 2 * channels; c += layer_norm_warps * warp_lanes) partial[c] = sums[c];
}

template <typename E>
__device__ inline void layer_norm_backward(
    const E* x, const float* gain, const float* mean, const float* r, const E* dy, E* dx, float* partial, int rows, int block_rows, int channels) {
    layer_norm_backward_rows<E, Pack<E>::Count>(x, gain, mean, r, dy, dx, partial, rows, block_rows, channels);
}

// Rows of any length: a thread owns the columns it sums, in partial itself.
template <typename E>
__device__ inline void layer_norm_backward_wide(
    const E* x, const float* gain, const float* mean, const float* r, const E* dy, E* dx, float* partial, int rows, int block_rows, int channels) {
    int first = blockIdx.x * block_rows, last = min(rows, first + block_rows);
    if (partial != nullptr) {
        partial += blockIdx.x * 2LL * channels;
        for (int c = threadIdx.x; c < channels; c += blockDim.x) partial[c] = partial[channels + c] = 0.0f;
    }
    for (int n = first; n < last; n++) {
        const E *row = x + static_cast<long long>(n) * channels, *gradient = dy + static_cast<long long>(n) * channels;
        float center = mean[n], scale = r[n], sum = 0.0f, product = 0.0f;
        for (int c = threadIdx.x; c < channels; c += blockDim.x) {
            float d = to_float(gradient[c]), z = (to_float(row[c]) - center) * scale, g = d * gain[c];
            sum += g;
            product = fmaf(g, z, product);
            if (partial != nullptr) {
                partial[c] = fmaf(z, d, partial[c]);
                partial[channels + c] += d;
            }
        }
        if (dx == nullptr) continue;
        sum = block_sum(sum) / channels;
        product = block_sum(product) / channels;
        E* target = dx + static_cast<long long>(n) * channels;
        for (int c = threadIdx.x; c < channels; c += blockDim.x) {
            float z = (to_float(row[c]) - center) * scale, g = to_float(gradient[c]) * gain[c];
            target[c] = from_float<E>((g - sum - z * product) * scale);
        }
    }
}

// dgain and dbias [C] from partial [blocks, 2, C], blocks in order; a block of 8 warps has 32 columns of either. What is null is left out.
__device__ inline void layer_norm_parameters(const float* partial, float* dgain, float* dbias, int blocks, int channels) {
    float* target = blockIdx.y == 0 ? dgain : dbias;
    if (target == nullptr) return;
    long long c = static_cast<long long>(blockIdx.x) * warp_lanes + threadIdx.x % warp_lanes;
    float sum[1];
    column_sums<1>(0, blocks, c, channels, sum, [&](long long block, long long column, float(&value)[1]) {
        value[0] = partial[(block * 2 + blockIdx.y) * channels + column];
    });
    if (threadIdx.x < warp_lanes && c < channels) target[c] = sum[0];
}
