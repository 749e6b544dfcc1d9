// Lightweight convolution: y[b, t, c] = sum over k of tap[h(c), k] * x[b, t + k - left_padding, c], with tap[h, :] made of weight[h, :] by a TapRule.
// Twin: LightConvKernel.Cpu.cs. x, y, dy, dx [B, T, C]; weight, dweight [H, K], float; h(c) = c / R. dx and partial may be null.
// Which kernel serves which sizes: LightConvKernel.Cuda.cs. The tensor cores' kernels are in LightConvBanded.cuh.

// The taps of all heads that channels first .. first + 32 V - 1 touch, [heads, K] in shared memory. The whole block takes part.
template <int K, int V>
struct SharedHeadTaps {
    static constexpr int Width = warp_lanes * V;

    // Heads have four channels or more.
    static constexpr int MostHeads = Width / 4 + 2;
    int first_head, heads;

    __device__ __forceinline__ SharedHeadTaps(float (&taps)[MostHeads * K], const float* weight, int channel, int C, int R, const TapRule& rule) {
        first_head = channel / R;
        heads = ((channel + Width < C ? channel + Width : C) - 1) / R - first_head + 1;
        for (int head = static_cast<int>(threadIdx.x) / warp_lanes; head < heads; head += conv_warps) {
            long long row = first_head + head;
            WarpTaps prepared;
            prepared.load(rule, weight + row * K, K, row);
            WarpTaps::each(K, [&](int i, int k) { taps[head * K + k] = prepared.tap(i); });
        }
        __syncthreads();
    }
};

// Few taps, heads of a multiple of four channels, V of which go to a thread. A warp takes `run` steps of one sequence and 32 V channels, a block four
// neighbouring runs of the same channels; the groups of channels change fastest. x and y start at multiples of V elements.
template <typename E, int K, int V>
__device__ inline void light_conv_forward_window(
    const E* x, const float* weight, E* y, int B, int T, int C, int R, int left_padding, int run, const TapRule& rule) {
    using Shared = SharedHeadTaps<K, V>;
    __shared__ float taps[Shared::MostHeads * K];
    int segments = (C + Shared::Width - 1) / Shared::Width, channel = static_cast<int>(blockIdx.x) % segments * Shared::Width;
    Shared shared(taps, weight, channel, C, R, rule);
    int runs = (T + run - 1) / run;
    int unit = static_cast<int>(blockIdx.x) / segments * conv_warps + static_cast<int>(threadIdx.x) / warp_lanes;
    if (unit >= B * runs) return;
    int b = unit / runs, first = unit % runs * run, last = first + run < T ? first + run : T;
    int c = channel + static_cast<int>(threadIdx.x) % warp_lanes * V;
    bool active = c < C;
    HeadTaps<K> own(taps + ((active ? c : C - 1) / R - shared.first_head) * K);
    long long sequence = static_cast<long long>(b) * T * C + c;
    float start[V];
#pragma unroll
    for (int v = 0; v < V; v++) start[v] = 0.0f;
    slide<K, V>(x + sequence, y + sequence, T, C, left_padding, first, last, active, own, start);
}

// dx, and for every part of all (b, run) the sums over b and t that the gradient of the taps is made of: partial[part, segment, slot, k], where a segment
// is 32 V channels and slot i its i-th head; only the slots of heads that the segment touches are written. A block walks through one part, its warps take
// every fourth run. The borders of parts and runs depend on the sizes alone, and all sums are taken in one order.
template <typename E, int K, int V>
__device__ inline void light_conv_backward_window(
    const E* x, const float* weight, const E* dy, E* dx, float* partial, int B, int T, int C, int R, int left_padding, int run, int parts, int slots,
    const TapRule& rule) {
    using Shared = SharedHeadTaps<K, V>;
    constexpr int Stride = K | 1;
    __shared__ float taps[Shared::MostHeads * K];
    __shared__ float sums[conv_threads * Stride];
    int segments = (C + Shared::Width - 1) / Shared::Width, segment = static_cast<int>(blockIdx.x) % segments, channel = segment * Shared::Width;
    int part = static_cast<int>(blockIdx.x) / segments, lane = threadIdx.x % warp_lanes, warp = threadIdx.x / warp_lanes;
    Shared shared(taps, weight, channel, C, R, rule);
    int c = channel + lane * V;
    bool active = c < C;
    HeadTaps<K> own(taps + ((active ? c : C - 1) / R - shared.first_head) * K);
    HeadGradient<K, V> gradient;
    int runs = (T + run - 1) / run;
    long long units = static_cast<long long>(B) * runs;
    int begin = static_cast<int>(units * part / parts), end = static_cast<int>(units * (part + 1) / parts);
    for (int unit = begin + warp; unit < end; unit += conv_warps) {
        int b = unit / runs, first = unit % runs * run, last = first + run < T ? first + run : T;
        long long sequence = static_cast<long long>(b) * T * C + c;
        E* target = dx == nullptr ? nullptr : dx + sequence;
        slide_back<K, V>(x + sequence, dy + sequence, target, T, C, left_padding, first, last, active, partial != nullptr, own, gradient);
    }
    if (partial == nullptr) return;
    gradient.store(sums + threadIdx.x * Stride);
    __syncthreads();
    for (int i = threadIdx.x; i < shared.heads * K; i += conv_threads) {
        int head = i / K, k = i % K, from = (shared.first_head + head) * R - channel, to = from + R;
        from = from < 0 ? 0 : from / V;
        to = to < Shared::Width ? to / V : warp_lanes;
        float sum = 0.0f;
        for (int w = 0; w < conv_warps; w++) {
            for (int l = from; l < to; l++) sum += sums[(w * warp_lanes + l) * Stride + k];
        }
        partial[((static_cast<long long>(part) * segments + segment) * slots + head) * K + k] = sum;
    }
}

// taps[h, k] of weight[h, k], for the kernels that read them from memory: a warp for each of H rows.
__device__ inline void light_conv_taps(const float* weight, float* taps, int H, int K, const TapRule& rule) {
    int h = static_cast<int>(grid_thread() / warp_lanes);
    if (h >= H) return;
    WarpTaps row;
    row.load(rule, weight + static_cast<long long>(h) * K, K, h);
    WarpTaps::each(K, [&](int i, int k) { taps[static_cast<long long>(h) * K + k] = row.tap(i); });
}

constexpr int weight_gradient_warps = 8;

// dweight[h, :] from partial[part, segment, slot, k], where a segment is `width` channels and slot i its i-th head: the sums over all parts and over the
// segments that the head touches, and the way back through mask and softmax. A block of eight warps for each head. No parts are a gradient of zeros.
__device__ inline void light_conv_weight_gradient(
    const float* partial, const float* weight, float* dweight, int C, int R, int K, int parts, int width, int slots, const TapRule& rule) {
    __shared__ float sums[weight_gradient_warps][most_taps + 1];
    int h = blockIdx.x, warp = threadIdx.x / warp_lanes, segments = (C + width - 1) / width;
    int first = static_cast<int>(static_cast<long long>(h) * R / width), last = static_cast<int>((static_cast<long long>(h + 1) * R - 1) / width);
    int count = last - first + 1, terms = parts * count;
    float g[WarpTaps::Steps];
#pragma unroll
    for (int i = 0; i < WarpTaps::Steps; i++) g[i] = 0.0f;
    for (int n = warp; n < terms; n += weight_gradient_warps) {
        int part = n / count, segment = first + n % count, slot = h - static_cast<int>(static_cast<long long>(segment) * width / R);
        const float* row = partial + ((static_cast<long long>(part) * segments + segment) * slots + slot) * K;
        WarpTaps::each(K, [&](int i, int k) { g[i] += row[k]; });
    }
    WarpTaps::each(K, [&](int i, int k) { sums[warp][k] = g[i]; });
    __syncthreads();
    if (warp > 0) return;
    WarpTaps::each(K, [&](int i, int k) {
        for (int w = 1; w < weight_gradient_warps; w++) g[i] += sums[w][k];
    });
    WarpTaps taps;
    long long row = h;
    taps.load(rule, weight + row * K, K, row);
    taps.gradient(rule, K, g);
    WarpTaps::each(K, [&](int i, int k) { dweight[row * K + k] = g[i]; });
}
