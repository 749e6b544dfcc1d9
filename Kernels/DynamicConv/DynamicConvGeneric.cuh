// Dynamic convolution for every K, padding, T, C and H: forward, and backward as two kernels of which the first leaves the softmax's maximum and scale of
// each row to the second. Shapes as in DynamicConvKernel.cuh.

// A block computes eight steps of one sequence and up to `heads_a_block` heads; the groups of heads change fastest.
// Dynamic shared memory: [heads_a_block, 8, K] taps.
template <typename E>
__device__ inline void dynamic_conv_forward_generic(
    const E* x, const E* logits, E* y, int T, int C, int H, int K, int left_padding, int heads_a_block, const TapRule& rule) {
    DYNAMIC_SHARED(float, taps);
    int groups = (H + heads_a_block - 1) / heads_a_block, blocks = (T + block_steps - 1) / block_steps, unit = static_cast<int>(blockIdx.x) / groups;
    int first_head = static_cast<int>(blockIdx.x) % groups * heads_a_block, heads = H - first_head < heads_a_block ? H - first_head : heads_a_block;
    int b = unit / blocks, t = unit % blocks * block_steps, steps = T - t < block_steps ? T - t : block_steps, R = C / H;
    int warp = threadIdx.x / warp_lanes, warps = blockDim.x / warp_lanes;
    for (int i = warp; i < heads * steps; i += warps) {
        int head = i / steps, step = i % steps;
        long long row = (static_cast<long long>(b) * T + t + step) * H + first_head + head;
        WarpTaps prepared;
        prepared.load(rule, logits + row * K, K, row);
        WarpTaps::each(K, [&](int j, int k) { taps[(head * block_steps + step) * K + k] = prepared.tap(j); });
    }
    __syncthreads();
    for (int c = threadIdx.x; c < heads * R; c += blockDim.x) {
        const float* own = taps + c / R * block_steps * K;
        long long sequence = static_cast<long long>(b) * T * C + first_head * R + c;
        float sum[block_steps];
#pragma unroll
        for (int s = 0; s < block_steps; s++) sum[s] = 0.0f;
        slide_block(
            x + sequence, T, C, t - left_padding, steps, K, [&](int s, int k) { return own[s * K + k]; }, sum);
#pragma unroll
        for (int s = 0; s < block_steps; s++) {
            if (s < steps) y[sequence + static_cast<long long>(t + s) * C] = from_float<E>(sum[s]);
        }
    }
}

// dx from the same blocks; statistics [B, T, H, 2] as the kernel below leaves them, not read without softmax. The block's taps are the band that row r of
// dx needs: tap K - 1 - j of step r + left_padding - (K - 1) + j in column j.
// Dynamic shared memory: [heads_a_block, 8, K] taps.
template <typename E>
__device__ inline void dynamic_conv_backward_generic(
    const E* logits, const E* dy, const float* statistics, E* dx, int T, int C, int H, int K, int left_padding, int heads_a_block, const TapRule& rule) {
    DYNAMIC_SHARED(float, band);
    int groups = (H + heads_a_block - 1) / heads_a_block, blocks = (T + block_steps - 1) / block_steps, unit = static_cast<int>(blockIdx.x) / groups;
    int first_head = static_cast<int>(blockIdx.x) % groups * heads_a_block, heads = H - first_head < heads_a_block ? H - first_head : heads_a_block;
    int b = unit / blocks, r = unit % blocks * block_steps, steps = T - r < block_steps ? T - r : block_steps, R = C / H;
    int first = r + left_padding - (K - 1);
    for (int i = threadIdx.x; i < heads * block_steps * K; i += blockDim.x) {
        int head = i / (block_steps * K), s = i / K % block_steps, j = i % K, t = first + s + j, k = K - 1 - j;
        float tap = 0.0f;
        if (static_cast<unsigned>(t) < static_cast<unsigned>(T)) {
            long long row = (static_cast<long long>(b) * T + t) * H + first_head + head;
            tap = to_float(logits[row * K + k]);
            if (rule.softmax) tap = expf(tap - statistics[row * 2]) * statistics[row * 2 + 1];
            if (rule.drop.active()) tap *= rule.drop.factor(static_cast<unsigned long long>(row) * K + k);
        }
        band[i] = tap;
    }
    __syncthreads();
    for (int c = threadIdx.x; c < heads * R; c += blockDim.x) {
        const float* own = band + c / R * block_steps * K;
        long long sequence = static_cast<long long>(b) * T * C + first_head * R + c;
        float sum[block_steps];
#pragma unroll
        for (int s = 0; s < block_steps; s++) sum[s] = 0.0f;
        slide_block(
            dy + sequence, T, C, first, steps, K, [&](int s, int j) { return own[s * K + j]; }, sum);
#pragma unroll
        for (int s = 0; s < block_steps; s++) {
            if (s < steps) dx[sequence + static_cast<long long>(r + s) * C] = from_float<E>(sum[s]);
        }
    }
}

// Channels that meet at a time.
constexpr int tap_gradient_channels = 32;

// dlogits, and the softmax's maximum and scale of every row: statistics [B, T, H, 2]. Either may be null.
// A block takes 8 `octets` steps of one head, whose rows of x and dy pass through shared memory 32 channels at a time; the heads change fastest. A thread
// multiplies one row of x with eight neighbouring rows of dy: threads of the block >= octets * (K + 7).
// Dynamic shared memory: 32 rows of 8 octets + 4 floats, the channels of dy; [8 octets, K] floats, the gradients of the taps; [8 octets + K - 1, 33], rows of x.
template <typename E>
__device__ inline void dynamic_conv_tap_gradient(
    const E* x, const E* logits, const E* dy, E* dlogits, float* statistics, int T, int C, int H, int K, int left_padding, int octets, const TapRule& rule) {
    DYNAMIC_SHARED(float, dys);
    constexpr int Channels = tap_gradient_channels, XStride = Channels + 1;
    int tile = octets * block_steps, tiles = (T + tile - 1) / tile, YStride = tile + 4, R = C / H, thread = threadIdx.x;
    float *gradient = dys + Channels * YStride, *xs = gradient + tile * K;
    int h = static_cast<int>(blockIdx.x) % H, unit = static_cast<int>(blockIdx.x) / H, b = unit / tiles, t = unit % tiles * tile;
    int steps = T - t < tile ? T - t : tile, rows = steps + K - 1, first_row = t - left_padding;
    int octet = thread / (K + block_steps - 1) * block_steps, j = thread % (K + block_steps - 1);

    // What row octet + j of the slab gives to the taps of steps octet .. octet + 7.
    bool multiplies = dlogits != nullptr && octet < steps && octet + j < rows;
    float sum[block_steps];
#pragma unroll
    for (int s = 0; s < block_steps; s++) sum[s] = 0.0f;
    for (int first = 0; first < R && dlogits != nullptr; first += Channels) {
        int count = R - first < Channels ? R - first : Channels;
        long long sequence = static_cast<long long>(b) * T * C + h * R + first;
        for (int i = thread; i < rows * Channels; i += blockDim.x) {
            int row = i / Channels, c = i % Channels, at = first_row + row;
            bool there = c < count && static_cast<unsigned>(at) < static_cast<unsigned>(T);
            xs[row * XStride + c] = there ? to_float(x[sequence + static_cast<long long>(at) * C + c]) : 0.0f;
        }
        for (int i = thread; i < tile * Channels; i += blockDim.x) {
            int step = i / Channels, c = i % Channels;
            dys[c * YStride + step] = c < count && step < steps ? to_float(dy[sequence + static_cast<long long>(t + step) * C + c]) : 0.0f;
        }
        __syncthreads();
        if (multiplies) {
            for (int c = 0; c < count; c++) {
                float value = xs[(octet + j) * XStride + c];
                float4 low = load_four(dys + c * YStride + octet), high = load_four(dys + c * YStride + octet + 4);
                sum[0] = fmaf(low.x, value, sum[0]);
                sum[1] = fmaf(low.y, value, sum[1]);
                sum[2] = fmaf(low.z, value, sum[2]);
                sum[3] = fmaf(low.w, value, sum[3]);
                sum[4] = fmaf(high.x, value, sum[4]);
                sum[5] = fmaf(high.y, value, sum[5]);
                sum[6] = fmaf(high.z, value, sum[6]);
                sum[7] = fmaf(high.w, value, sum[7]);
            }
        }
        __syncthreads();
    }
    if (multiplies) {
        bool there = static_cast<unsigned>(first_row + octet + j) < static_cast<unsigned>(T);
#pragma unroll
        for (int s = 0; s < block_steps; s++) {
            if (octet + s < steps && static_cast<unsigned>(j - s) < static_cast<unsigned>(K)) gradient[(octet + s) * K + j - s] = there ? sum[s] : 0.0f;
        }
    }
    __syncthreads();
    for (int step = thread / warp_lanes; step < steps; step += static_cast<int>(blockDim.x) / warp_lanes) {
        long long row = (static_cast<long long>(b) * T + t + step) * H + h;
        WarpTaps taps;
        taps.load(rule, logits + row * K, K, row);
        if (dlogits != nullptr) {
            float g[WarpTaps::Steps];
            WarpTaps::each(K, [&](int i, int k) { g[i] = gradient[step * K + k]; });
            taps.gradient(rule, K, g);
            WarpTaps::each(K, [&](int i, int k) { dlogits[row * K + k] = from_float<E>(g[i]); });
        }
        if (statistics != nullptr && thread % warp_lanes == 0) {
            statistics[row * 2] = taps.largest;
            statistics[row * 2 + 1] = taps.scale;
        }
    }
}
