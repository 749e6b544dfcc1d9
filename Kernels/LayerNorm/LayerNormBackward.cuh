// With z = (x - mean) r and g = dy gain: dx = r (g - mean(g) - z mean(g z)), dgain = sum of dy z over the rows, dbias = sum of dy. Shapes and rows as in
// LayerNormKernel.cuh. Block b takes rows b * block_rows and on, and leaves its sums in partial [blocks, 2, C]: of dy z, then of dy. Another kernel adds
// them in order. dx or partial may be null. Rows in registers start at multiples of 16 bytes and are a multiple of that long; the wide kernel takes all others.

constexpr int layer_norm_warps = 8;

// Where the gradient of the rows goes: elements c .. c + Width of the row that begins at an offset into [rows, C].
template <typename E>
struct LayerNormGradient {
    E* dx;

    __device__ bool wanted() const { return dx != nullptr; }

    __device__ LayerNormGradient row(long long offset) const { return {dx + offset}; }

    template <int Width>
    __device__ void store(int c, const float (&value)[Width]) const {
        store_elements<Width>(dx + c, value);
    }
};

// The sums of the block's warps, in order, by way of shared [8, C]: each warp's row lies there as a whole, so that no addition waits for another warp's.
template <int Width>
__device__ inline void layer_norm_join(const WarpRow<float, Width>& own, float* sums, float* to, int channels) {
    own.store(sums + threadIdx.x / warp_lanes * channels, channels);
    __syncthreads();
    for (int c = threadIdx.x; c < channels; c += layer_norm_warps * warp_lanes) {
        float sum = sums[c];
#pragma unroll
        for (int w = 1; w < layer_norm_warps; w++) sum += sums[w * channels + c];
        to[c] = sum;
    }
    __syncthreads();
}

template <int Width, typename E, typename Gradient>
__device__ inline void layer_norm_backward_rows(
    const E* x, const float* gain, const float* mean, const float* r, const E* dy, Gradient gradient, float* partial, int rows, int block_rows, int channels) {
    using Row = WarpRow<E, Width>;
    DYNAMIC_SHARED(float, sums);  // [8, C]
    int warp = threadIdx.x / warp_lanes, first = blockIdx.x * block_rows, last = min(rows, first + block_rows);
    Row z, g;
    WarpRow<float, Width> dgain, dbias;
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
        if (!gradient.wanted()) continue;
        warp_sums(sum, product);
        sum /= channels;
        product /= channels;
        g.each(channels, [&](int i, int j) { g.value[i][j] = (g.value[i][j] - sum - z.value[i][j] * product) * scale; });
        Gradient own = gradient.row(offset);
#pragma unroll
        for (int i = 0; i < Row::Steps; i++) {
            int c = Row::at(i);
            if (c < channels) own.template store<Width>(c, g.value[i]);
        }
    }
    if (partial == nullptr) return;
    partial += blockIdx.x * 2LL * channels;
    layer_norm_join(dgain, sums, partial, channels);
    layer_norm_join(dbias, sums, partial + channels, channels);
}

template <typename E>
__device__ inline void layer_norm_backward(
    const E* x, const float* gain, const float* mean, const float* r, const E* dy, E* dx, float* partial, int rows, int block_rows, int channels) {
    layer_norm_backward_rows<Pack<E>::Count>(x, gain, mean, r, dy, LayerNormGradient<E>{dx}, partial, rows, block_rows, channels);
}

// Rows of any length: a thread owns the columns it sums, in partial itself.
template <typename E, typename Gradient>
__device__ inline void layer_norm_backward_blocks(
    const E* x, const float* gain, const float* mean, const float* r, const E* dy, Gradient gradients, float* partial, int rows, int block_rows, int channels) {
    int first = blockIdx.x * block_rows, last = min(rows, first + block_rows);
    if (partial != nullptr) {
        partial += blockIdx.x * 2LL * channels;
        for (int c = threadIdx.x; c < channels; c += blockDim.x) partial[c] = partial[channels + c] = 0.0f;
    }
    for (int n = first; n < last; n++) {
        long long offset = static_cast<long long>(n) * channels;
        const E *row = x + offset, *gradient = dy + offset;
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
        if (!gradients.wanted()) continue;
        sum = block_sum(sum) / channels;
        product = block_sum(product) / channels;
        Gradient own = gradients.row(offset);
        for (int c = threadIdx.x; c < channels; c += blockDim.x) {
            float z = (to_float(row[c]) - center) * scale, g = to_float(gradient[c]) * gain[c];
            float value[1] = {(g - sum - z * product) * scale};
            own.template store<1>(c, value);
        }
    }
}

template <typename E>
__device__ inline void layer_norm_backward_wide(
    const E* x, const float* gain, const float* mean, const float* r, const E* dy, E* dx, float* partial, int rows, int block_rows, int channels) {
    layer_norm_backward_blocks(x, gain, mean, r, dy, LayerNormGradient<E>{dx}, partial, rows, block_rows, channels);
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
