// Depthwise convolution: y[b, t, c] = bias[c] + sum over k of weight[c, k] * x[b, t + k - left_padding, c]. Twin: DepthwiseConvKernel.Cpu.cs.
// x, y, dy, dx [B, T, C]; weight, dweight [C, K] and bias, dbias [C], float. bias, dx and partial may be null. Which kernel serves which sizes:
// DepthwiseConvKernel.Cuda.cs; what the register windows do not serve is in ConvGeneric.cuh.

// The taps of channels first .. first + 32 V - 1, a row of ChannelTaps::Stride floats for each lane, zeros beyond C. The whole block takes part.
template <int K, int V>
__device__ __forceinline__ void pack_channel_taps(const float* weight, int first, int C, float (&taps)[warp_lanes * ChannelTaps<K, V>::Stride]) {
    int there = (C - first) * K;
    for (int i = threadIdx.x; i < warp_lanes * V * K; i += conv_threads) {
        int channel = i / K, k = i % K;
        taps[channel / V * ChannelTaps<K, V>::Stride + channel % V * K + k] = i < there ? weight[static_cast<long long>(first) * K + i] : 0.0f;
    }
    __syncthreads();
}

// Few taps, C a multiple of V. A warp takes `run` steps of one sequence and 32 V channels, a block four neighbouring runs of the same channels; the groups
// of channels change fastest. x and y start at multiples of V elements.
template <typename E, int K, int V>
__device__ inline void depthwise_conv_forward_window(const E* x, const float* weight, const float* bias, E* y, int B, int T, int C, int left_padding, int run) {
    constexpr int Width = warp_lanes * V, Stride = ChannelTaps<K, V>::Stride;
    __shared__ float taps[warp_lanes * Stride];
    int segments = (C + Width - 1) / Width, channel = static_cast<int>(blockIdx.x) % segments * Width, lane = threadIdx.x % warp_lanes;
    pack_channel_taps<K, V>(weight, channel, C, taps);
    int runs = (T + run - 1) / run;
    int unit = static_cast<int>(blockIdx.x) / segments * conv_warps + static_cast<int>(threadIdx.x) / warp_lanes;
    if (unit >= B * runs) return;
    int b = unit / runs, first = unit % runs * run, last = first + run < T ? first + run : T, c = channel + lane * V;
    bool active = c < C;
    ChannelTaps<K, V> own(taps + lane * Stride);
    float start[V];
#pragma unroll
    for (int v = 0; v < V; v++) start[v] = active && bias != nullptr ? bias[c + v] : 0.0f;
    long long sequence = static_cast<long long>(b) * T * C + c;
    slide<K, V>(x + sequence, y + sequence, T, C, left_padding, first, last, active, own, start);
}

// dx, and for every part of all (b, run) the sums over b and t that the gradients of weight and bias are made of: partial[part, c, k], the bias at k = K.
// A block walks through one part, its warps take every fourth run. The borders of parts and runs depend on the sizes alone.
template <typename E, int K, int V>
__device__ inline void depthwise_conv_backward_window(
    const E* x, const float* weight, const E* dy, E* dx, float* partial, int B, int T, int C, int left_padding, int run, int parts) {
    constexpr int Width = warp_lanes * V, Stride = ChannelTaps<K, V>::Stride, SumStride = ChannelGradient<K, V>::Elements | 1;
    __shared__ float taps[warp_lanes * Stride];
    __shared__ float sums[conv_threads * SumStride];
    int segments = (C + Width - 1) / Width, channel = static_cast<int>(blockIdx.x) % segments * Width, part = static_cast<int>(blockIdx.x) / segments;
    int lane = threadIdx.x % warp_lanes, warp = threadIdx.x / warp_lanes, c = channel + lane * V;
    pack_channel_taps<K, V>(weight, channel, C, taps);
    bool active = c < C;
    ChannelTaps<K, V> own(taps + lane * Stride);
    ChannelGradient<K, V> gradient;
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
    gradient.store(sums + threadIdx.x * SumStride);
    __syncthreads();
    for (int i = threadIdx.x; i < Width * (K + 1); i += conv_threads) {
        int of = i / (K + 1), k = i % (K + 1);
        if (channel + of >= C) break;
        int element = of / V * SumStride + (k < K ? of % V * K + k : V * K + of % V);
        float sum = 0.0f;
#pragma unroll
        for (int w = 0; w < conv_warps; w++) sum += sums[w * warp_lanes * SumStride + element];
        partial[(static_cast<long long>(part) * C + channel + of) * (K + 1) + k] = sum;
    }
}

// dweight and dbias, either of them null if nobody wants it, from partial[part, c, k] with the bias at k = K: a thread for each of C (K + 1) sums.
__device__ inline void depthwise_conv_parameter_gradient(const float* partial, float* dweight, float* dbias, int C, int K, int parts) {
    int i = static_cast<int>(grid_thread()), elements = C * (K + 1);
    if (i >= elements) return;
    float sum = 0.0f;
#pragma unroll 8
    for (int part = 0; part < parts; part++) sum += partial[static_cast<long long>(part) * elements + i];
    int c = i / (K + 1), k = i % (K + 1);
    if (k < K) {
        if (dweight != nullptr) dweight[c * K + k] = sum;
    } else if (dbias != nullptr) {
        dbias[c] = sum;
    }
}
