// Convolutions over time for every K, padding, T and C: eight steps of one channel a thread, eight taps at a time. What the register windows and the
// tensor cores do not serve comes here. Accesses go element by element, neighbouring lanes to neighbouring channels; rows come out of the nearest caches.

constexpr int block_steps = 8;

// sum[s] += sum over k of tap(s, k) * x[row + s + k] for s < steps, where x is a channel of one sequence and has nothing outside 0 .. T - 1. What is not
// there is left out: a product of zero would turn a tap that is not finite into NaN.
template <typename E, typename Tap>
__device__ inline void slide_block(const E* x, int T, int C, int row, int steps, int K, Tap tap, float (&sum)[block_steps]) {
    constexpr int rows = 2 * block_steps - 1;
    for (int first = 0; first < K; first += block_steps) {
        float value[rows];
#pragma unroll
        for (int i = 0; i < rows; i++) {
            int at = row + first + i;
            value[i] = static_cast<unsigned>(at) < static_cast<unsigned>(T) ? to_float(x[static_cast<long long>(at) * C]) : 0.0f;
        }
        if (row + first >= 0 && row + first + rows <= T && first + block_steps <= K && steps == block_steps) {
#pragma unroll
            for (int k = 0; k < block_steps; k++) {
#pragma unroll
                for (int s = 0; s < block_steps; s++) sum[s] = fmaf(tap(s, first + k), value[s + k], sum[s]);
            }
        } else {
#pragma unroll
            for (int k = 0; k < block_steps; k++) {
#pragma unroll
                for (int s = 0; s < block_steps; s++) {
                    if (first + k < K && s < steps && static_cast<unsigned>(row + first + k + s) < static_cast<unsigned>(T))
                        sum[s] = fmaf(tap(s, first + k), value[s + k], sum[s]);
                }
            }
        }
    }
}

// y[b, t, c] = bias[c] + sum over k of taps[c / R, k] * x[b, t + k - left_padding, c], with the taps of a row in reverse order where `reversed` says so.
// x, y [B, T, C]; taps [C / R, K] and bias [C], which may be null, float. Blocks of any number of threads, one for each channel, for each (b, block of eight
// steps): the groups of channels change fastest.
template <typename E>
__device__ inline void conv_slide(const E* x, const float* taps, const float* bias, E* y, int T, int C, int R, int K, int left_padding, bool reversed) {
    int threads = blockDim.x, groups = (C + threads - 1) / threads, blocks = (T + block_steps - 1) / block_steps;
    int c = static_cast<int>(blockIdx.x) % groups * threads + static_cast<int>(threadIdx.x);
    if (c >= C) return;
    int unit = static_cast<int>(blockIdx.x) / groups, b = unit / blocks, t = unit % blocks * block_steps;
    int steps = T - t < block_steps ? T - t : block_steps;
    long long sequence = static_cast<long long>(b) * T * C + c;
    const float* row = taps + static_cast<long long>(c / R) * K;
    float sum[block_steps];
#pragma unroll
    for (int s = 0; s < block_steps; s++) sum[s] = bias == nullptr ? 0.0f : bias[c];
    slide_block(
        x + sequence, T, C, t - left_padding, steps, K, [&](int, int k) { return row[reversed ? K - 1 - k : k]; }, sum);
#pragma unroll
    for (int s = 0; s < block_steps; s++) {
        if (s < steps) y[sequence + static_cast<long long>(t + s) * C] = from_float<E>(sum[s]);
    }
}

constexpr int partial_warps = 8;

// partial[part, c, k] = what one part of all (b, block of eight steps) gives to the sum over b and t of dy[b, t, c] * x[b, t + k - left_padding, c], and,
// where rows have K + 1 elements, partial[part, c, K] to the sum of dy.
// x, dy [B, T, C]; partial [parts, C, elements]. Blocks of eight warps: a lane for each of 32 channels, a warp for every eighth group of eight taps; the
// groups of channels change fastest. The borders of the parts depend on the sizes alone.
template <typename E>
__device__ inline void conv_partial_gradient(const E* x, const E* dy, float* partial, int B, int T, int C, int K, int left_padding, int parts, int elements) {
    constexpr int rows = 2 * block_steps - 1;
    int groups = (C + warp_lanes - 1) / warp_lanes, part = static_cast<int>(blockIdx.x) / groups;
    int c = static_cast<int>(blockIdx.x) % groups * warp_lanes + static_cast<int>(threadIdx.x) % warp_lanes;
    if (c >= C) return;
    int blocks = (T + block_steps - 1) / block_steps;
    long long units = static_cast<long long>(B) * blocks;
    int begin = static_cast<int>(units * part / parts), end = static_cast<int>(units * (part + 1) / parts);
    float* target = partial + (static_cast<long long>(part) * C + c) * elements;
    for (int first = static_cast<int>(threadIdx.x) / warp_lanes * block_steps; first < elements; first += partial_warps * block_steps) {
        float sum[block_steps];
#pragma unroll
        for (int k = 0; k < block_steps; k++) sum[k] = 0.0f;
        for (int unit = begin; unit < end; unit++) {
            int b = unit / blocks, t = unit % blocks * block_steps, row = t - left_padding + first;
            long long sequence = static_cast<long long>(b) * T * C + c;
            float value[rows], gradient[block_steps];
#pragma unroll
            for (int i = 0; i < rows; i++) {
                bool there = static_cast<unsigned>(row + i) < static_cast<unsigned>(T);
                value[i] = there ? to_float(x[sequence + static_cast<long long>(row + i) * C]) : 0.0f;
            }
#pragma unroll
            for (int s = 0; s < block_steps; s++) gradient[s] = t + s < T ? to_float(dy[sequence + static_cast<long long>(t + s) * C]) : 0.0f;
            bool inside = row >= 0 && row + rows <= T && t + block_steps <= T;
#pragma unroll
            for (int k = 0; k < block_steps; k++) {
                // The sum of dy, as if x were 1.
                bool bias = first + k == K;
#pragma unroll
                for (int s = 0; s < block_steps; s++) {
                    if (bias)
                        sum[k] += gradient[s];
                    else if (inside || (t + s < T && static_cast<unsigned>(row + s + k) < static_cast<unsigned>(T)))
                        sum[k] = fmaf(gradient[s], value[s + k], sum[k]);
                }
            }
        }
#pragma unroll
        for (int k = 0; k < block_steps; k++) {
            if (first + k < elements) target[first + k] = sum[k];
        }
    }
}
