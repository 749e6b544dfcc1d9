// Lightweight convolution with elements of 16 bits on the tensor cores, for K >= 15. Shapes as in LightConvKernel.cuh; R, C multiples of 8, x, y, dy, dx
// start at multiples of 16 bytes. Twin: LightConvKernel.Cpu.cs. Shared memory and grid: LightConvKernel.Cuda.cs.

// The taps of one head in shared memory, most_taps + 1 floats. The whole block takes part.
__device__ inline void share_head_taps(float* taps, const float* weight, int h, int K, const TapRule& rule) {
    if (threadIdx.x < warp_lanes) {
        long long row = h;
        WarpTaps prepared;
        prepared.load(rule, weight + row * K, K, row);
        WarpTaps::each(K, [&](int i, int k) { taps[k] = prepared.tap(i); });
    }
    __syncthreads();
}

// A block computes 16 steps a warp of one sequence and up to 64 channels of one head; these pieces of heads change fastest.
// Dynamic shared memory: a slab, the band, 16 rows of slab_stride elements a warp, the taps.
template <typename E>
__device__ inline void light_conv_forward_banded(const E* x, const float* weight, E* y, int T, int C, int H, int K, int left_padding, const TapRule& rule) {
    DYNAMIC_SHARED(E, slab);
    int warp = threadIdx.x / warp_lanes, warps = blockDim.x / warp_lanes, rows = slab_rows(warps, K), tile = band_steps * warps;
    E *band = slab + rows * slab_stride, *stage = band + band_steps * band_stride(K);
    float* taps = reinterpret_cast<float*>(stage + warps * band_steps * slab_stride);
    int R = C / H, pieces = (R + band_channels - 1) / band_channels, tiles = (T + tile - 1) / tile;
    int piece = static_cast<int>(blockIdx.x) % (H * pieces), h = piece / pieces, from = piece % pieces * band_channels;
    int unit = static_cast<int>(blockIdx.x) / (H * pieces), b = unit / tiles, t = unit % tiles * tile;
    int count = R - from < band_channels ? R - from : band_channels;
    long long sequence = static_cast<long long>(b) * T * C + h * R + from;
    copy_slab(slab, x + sequence, t - left_padding, rows, T, C, count);
    cp_async_commit();
    float scale = band_scale<E>(rule);
    share_head_taps(taps, weight, h, K, rule);
    fill_band(band, taps, K, scale, false);
    cp_async_wait<0>();
    __syncthreads();
    t += warp * band_steps;
    if (t < T)
        band_outputs(
            band, scale, slab + warp * band_steps * slab_stride, t - left_padding, stage + warp * band_steps * slab_stride,
            y + sequence + static_cast<long long>(t) * C, T - t, T, C, K, count);
}

// What units begin .. end - 1, tiles of a sequence, give to the gradient of tap k, without the rows that a sequence does not have: as zeros they turn what is
// not finite beside them into NaN. x and dy stand at the channels of the first sequence.
template <typename E>
__device__ inline float plain_tap_gradient(const E* x, const E* dy, int begin, int end, int tiles, int tile, int T, int C, int count, int k, int left_padding) {
    float sum = 0.0f;
    for (int unit = begin; unit < end; unit++) {
        long long sequence = static_cast<long long>(unit / tiles) * T * C;
        for (int t = unit % tiles * tile, last = t + tile < T ? t + tile : T; t < last; t++) {
            int row = t + k - left_padding;
            if (static_cast<unsigned>(row) >= static_cast<unsigned>(T)) continue;
            for (int c = 0; c < count; c++)
                sum = fmaf(to_float(dy[sequence + static_cast<long long>(t) * C + c]), to_float(x[sequence + static_cast<long long>(row) * C + c]), sum);
        }
    }
    return sum;
}

// dx, and for every part of all (b, tile of 16 steps a warp) what it gives to the gradient of the taps: partial[part, piece, k] with ceil(R / 64) pieces a
// head. dx or partial may be null. A block walks through one part for one piece; the sums of the band stay in registers until its end. With two stages the
// next rows are on their way while the present ones are multiplied. The borders of the parts depend on the sizes alone.
// Dynamic shared memory: for each of 1 or 2 stages a slab of x and one of dy; the band; 16 rows of slab_stride elements a warp; the taps. At the end the
// same memory holds 16 rows of 8 Tiles + 4 floats a warp.
template <typename E, int Tiles>
__device__ inline void light_conv_backward_banded(
    const E* x, const float* weight, const E* dy, E* dx, float* partial, int B, int T, int C, int H, int K, int left_padding, int parts, int stages,
    const TapRule& rule) {
    DYNAMIC_SHARED(E, slabs);
    int lane = threadIdx.x % warp_lanes, warp = threadIdx.x / warp_lanes, warps = blockDim.x / warp_lanes, tile = band_steps * warps;
    int rows = slab_rows(warps, K), slab = rows * slab_stride;
    E *band = slabs + 2 * stages * slab, *stage = band + band_steps * band_stride(K) + warp * band_steps * slab_stride;
    float* taps = reinterpret_cast<float*>(band + band_steps * band_stride(K) + warps * band_steps * slab_stride);
    int R = C / H, pieces = (R + band_channels - 1) / band_channels, tiles = (T + tile - 1) / tile;
    int piece = static_cast<int>(blockIdx.x) % (H * pieces), part = static_cast<int>(blockIdx.x) / (H * pieces), h = piece / pieces;
    int from = piece % pieces * band_channels, count = R - from < band_channels ? R - from : band_channels, channel = h * R + from;
    float scale = band_scale<E>(rule);
    share_head_taps(taps, weight, h, K, rule);
    fill_band(band, taps, K, scale, true);
    long long units = static_cast<long long>(B) * tiles;
    int begin = static_cast<int>(units * part / parts), end = static_cast<int>(units * (part + 1) / parts);
    auto fetch = [&](int unit, E* to) {
        int t = unit % tiles * tile;
        long long sequence = static_cast<long long>(unit / tiles) * T * C + channel;
        copy_slab(to, x + sequence, t - left_padding, rows, T, C, count);
        copy_slab(to + slab, dy + sequence, t + left_padding - (K - 1), rows, T, C, count);
        cp_async_commit();
    };
    BandGradient<Tiles> gradient;
    int at = 0;
    if (begin < end) fetch(begin, slabs);
    for (int unit = begin; unit < end; unit++) {
        bool more = unit + 1 < end;
        if (more && stages == 2) {
            fetch(unit + 1, slabs + (at ^ 1) * 2 * slab);
            cp_async_wait<1>();
        } else {
            cp_async_wait<0>();
        }
        __syncthreads();
        const E *xs = slabs + at * 2 * slab + warp * band_steps * slab_stride, *dys = xs + slab;
        int t = unit % tiles * tile + warp * band_steps;
        if (t < T) {
            if (dx != nullptr)
                band_outputs(
                    band, scale, dys, t + left_padding - (K - 1), stage, dx + (static_cast<long long>(unit / tiles) * T + t) * C + channel, T - t, T, C, K,
                    count);
            if (partial != nullptr) gradient.add(dys + (K - 1 - left_padding) * slab_stride, xs, K, count);
        }
        __syncthreads();
        if (more && stages == 1) fetch(unit + 1, slabs);
        at ^= stages - 1;
    }
    if (partial == nullptr) return;
    constexpr int Stride = 8 * Tiles + 4;
    float* sums = reinterpret_cast<float*>(slabs);
#pragma unroll
    for (int n = 0; n < Tiles; n++) {
        float* row = sums + (warp * band_steps + lane / 4) * Stride + 8 * n + lane % 4 * 2;
        row[0] = gradient.value[n][0];
        row[1] = gradient.value[n][1];
        row[8 * Stride] = gradient.value[n][2];
        row[8 * Stride + 1] = gradient.value[n][3];
    }
    __syncthreads();
    for (int k = threadIdx.x; k < K; k += blockDim.x) {
        float sum = 0.0f;
        for (int i = 0; i < tile; i++) sum += sums[i * Stride + i % band_steps + k];
        if (!is_finite(sum)) sum = plain_tap_gradient(x + channel, dy + channel, begin, end, tiles, tile, T, C, count, k, left_padding);
        partial[(static_cast<long long>(part) * H * pieces + piece) * K + k] = sum;
    }
}
