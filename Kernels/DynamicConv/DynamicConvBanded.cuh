// Dynamic convolution with elements of 16 bits on the tensor cores, for K >= 15. Shapes as in DynamicConvKernel.cuh; R, C multiples of 8, x, y, dy, dx start
// at multiples of 16 bytes. Twin: DynamicConvKernel.Cpu.cs. Shared memory and grid: DynamicConvKernel.Cuda.cs.
// A block computes 16 steps a warp of one sequence and one head, 64 channels at a time; the heads change fastest.

// Floats of a warp's scratch rows: 16 rows of logits, or as much as 16 rows of slab_stride elements of 16 bits take.
__device__ inline int scratch_floats(int K) {
    int logits = band_steps * (K | 1), stage = band_steps * slab_stride / 2;
    return logits > stage ? logits : stage;
}

// Dynamic shared memory: a slab; a band a warp; scratch a warp.
template <typename E>
__device__ inline void dynamic_conv_forward_banded(const E* x, const E* logits, E* y, int T, int C, int H, int K, int left_padding, const TapRule& rule) {
    DYNAMIC_SHARED(E, slab);
    int lane = threadIdx.x % warp_lanes, warp = threadIdx.x / warp_lanes, warps = blockDim.x / warp_lanes, tile = band_steps * warps;
    int rows = slab_rows(warps, K), stride = band_stride(K), RowStride = K | 1;
    E* band = slab + rows * slab_stride + warp * band_steps * stride;
    float* scratch = reinterpret_cast<float*>(slab + rows * slab_stride + warps * band_steps * stride) + warp * scratch_floats(K);
    int R = C / H, tiles = (T + tile - 1) / tile, h = static_cast<int>(blockIdx.x) % H, unit = static_cast<int>(blockIdx.x) / H;
    int b = unit / tiles, start = unit % tiles * tile, t = start + warp * band_steps;
    float scale = band_scale<E>(rule);
    for (int from = 0; from < R; from += band_channels) {
        int count = R - from < band_channels ? R - from : band_channels;
        long long sequence = static_cast<long long>(b) * T * C + h * R + from;
        copy_slab(slab, x + sequence, start - left_padding, rows, T, C, count);
        cp_async_commit();
        if (from == 0) {
            for (int i = lane; i < band_steps * stride; i += warp_lanes) band[i] = from_float<E>(0.0f);
            auto row = [&](int i) { return t + i < T ? (static_cast<long long>(b) * T + t + i) * H + h : -1ll; };
            stage_logits(logits, scratch, RowStride, K, row);
            __syncwarp();
            int i = lane / 2;
            pair_taps(scratch + i * RowStride, K, t + i < T, row(i), rule, [&](int k, float before, bool dropped) {
                band[i * stride + i + k] = from_float<E>(before * (dropped ? 0.0f : rule.kept()) * scale);
            });
        }
        cp_async_wait<0>();
        __syncthreads();
        if (t < T)
            band_outputs(
                band, scale, slab + warp * band_steps * slab_stride, t - left_padding, reinterpret_cast<E*>(scratch),
                y + sequence + static_cast<long long>(t) * C, T - t, T, C, K, count);
        __syncthreads();
    }
}

// dx and dlogits at once; either may be null.
// Dynamic shared memory: a slab of x and one of dy; a band a warp; scratch a warp; [16 steps a warp, K | 1] floats, the taps' codes and then the gradients.
template <typename E, int Tiles>
__device__ inline void dynamic_conv_backward_banded(
    const E* x, const E* logits, const E* dy, E* dx, E* dlogits, int T, int C, int H, int K, int left_padding, const TapRule& rule) {
    DYNAMIC_SHARED(E, xs);
    int lane = threadIdx.x % warp_lanes, warp = threadIdx.x / warp_lanes, warps = blockDim.x / warp_lanes, tile = band_steps * warps;
    int rows = slab_rows(warps, K), stride = band_stride(K), RowStride = K | 1;
    E *dys = xs + rows * slab_stride, *bands = dys + rows * slab_stride;
    float *scratches = reinterpret_cast<float*>(bands + warps * band_steps * stride), *codes = scratches + warps * scratch_floats(K);
    float* scratch = scratches + warp * scratch_floats(K);
    int R = C / H, tiles = (T + tile - 1) / tile, h = static_cast<int>(blockIdx.x) % H, unit = static_cast<int>(blockIdx.x) / H;
    int b = unit / tiles, start = unit % tiles * tile, t = start + warp * band_steps, first = start + left_padding - (K - 1);
    float scale = band_scale<E>(rule);
    BandGradient<Tiles> gradient;
    for (int from = 0; from < R; from += band_channels) {
        int count = R - from < band_channels ? R - from : band_channels;
        long long sequence = static_cast<long long>(b) * T * C + h * R + from;
        copy_slab(xs, x + sequence, start - left_padding, rows, T, C, count);
        copy_slab(dys, dy + sequence, first, rows, T, C, count);
        cp_async_commit();
        if (from == 0) {
            for (int i = threadIdx.x; i < warps * band_steps * stride; i += blockDim.x) bands[i] = from_float<E>(0.0f);
            __syncthreads();

            // All steps that met rows of this tile: step first + n, whose tap k took row r of the tile elsewhere, stands in column r + K - 1 - k of r's band.
            for (int n = warp * band_steps; n < tile + K - 1; n += tile) {
                auto row = [&](int i) {
                    bool there = n + i < tile + K - 1 && static_cast<unsigned>(first + n + i) < static_cast<unsigned>(T);
                    return there ? (static_cast<long long>(b) * T + first + n + i) * H + h : -1ll;
                };
                stage_logits(logits, scratch, RowStride, K, row);
                __syncwarp();
                int i = lane / 2, step = first + n + i - start;
                bool own = static_cast<unsigned>(step) < static_cast<unsigned>(tile);
                pair_taps(scratch + i * RowStride, K, row(i) >= 0, row(i), rule, [&](int k, float before, bool dropped) {
                    int r = step + k - left_padding;
                    if (static_cast<unsigned>(r) < static_cast<unsigned>(tile))
                        bands[r * stride + r % band_steps + K - 1 - k] = from_float<E>(before * (dropped ? 0.0f : rule.kept()) * scale);
                    if (own) codes[step * RowStride + k] = code_tap(rule, before, dropped);
                });
                __syncwarp();
            }
        }
        cp_async_wait<0>();
        __syncthreads();
        const E *own_xs = xs + warp * band_steps * slab_stride, *own_dys = dys + warp * band_steps * slab_stride;
        if (t < T) {
            if (dx != nullptr)
                band_outputs(
                    bands + warp * band_steps * stride, scale, own_dys, t + left_padding - (K - 1), reinterpret_cast<E*>(scratch),
                    dx + sequence + static_cast<long long>(t) * C, T - t, T, C, K, count);
            if (dlogits != nullptr) gradient.add(own_dys + (K - 1 - left_padding) * slab_stride, own_xs, K, count);
        }
        __syncthreads();
    }
    if (dlogits == nullptr || t >= T) return;
    float* own = codes + warp * band_steps * RowStride;
#pragma unroll
    for (int half = 0; half < 2; half++) {
        float sum = 0.0f;
        gradient.each(half, K, [&](int i, int k, float& g) {
            // Rows that the sequence does not have give nothing, whatever dy is.
            if (static_cast<unsigned>(t - left_padding + i + k) >= static_cast<unsigned>(T)) g = 0.0f;
            if (t + i < T) sum = fmaf(tap_of_code(rule, own[i * RowStride + k]), g, sum);
        });
        sum += shuffle_xor(sum, 1);
        sum += shuffle_xor(sum, 2);
        gradient.each(half, K, [&](int i, int k, float& g) {
            float* code = own + i * RowStride + k;
            if (t + i < T) *code = logit_gradient(rule, *code, g, sum);
        });
    }
    __syncwarp();
    for (int i = 0; i < band_steps && t + i < T; i++) {
        for (int k = lane; k < K; k += warp_lanes) dlogits[((static_cast<long long>(b) * T + t + i) * H + h) * K + k] = from_float<E>(own[i * RowStride + k]);
    }
}
