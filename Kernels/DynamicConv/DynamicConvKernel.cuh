// Dynamic convolution: y[b, t, c] = sum over k of tap[b, t, h(c), k] * x[b, t + k - left_padding, c], with tap[b, t, h, :] made of logits[b, t, h, :] by a
// TapRule. Twin: DynamicConvKernel.Cpu.cs. x, y, dy, dx [B, T, C]; logits, dlogits [B, T, H, K]; h(c) = c / R, R = C / H. dx and dlogits may be null.
// Here are the kernels for few taps; which kernel serves which sizes: DynamicConvKernel.Cuda.cs. The others are in DynamicConvGeneric.cuh and
// DynamicConvBanded.cuh.

// Heads of a multiple of four channels, V of which go to a thread. A block takes `tile` steps (a multiple of 16) of one sequence and 32 V channels, each of
// its warps a quarter of the steps; the groups of channels change fastest. x and y start at multiples of V elements.
// Dynamic shared memory: the logits of a row a thread, then [tile, heads, tap_stride(K)] taps.
template <typename E, int K, int V>
__device__ inline void dynamic_conv_forward_window(const E* x, const E* logits, E* y, int T, int C, int H, int left_padding, int tile, const TapRule& rule) {
    constexpr int Width = warp_lanes * V, Stride = tap_stride(K);
    DYNAMIC_SHARED(float, stage);
    float* taps = stage + conv_threads * K;
    int R = C / H, segments = (C + Width - 1) / Width, tiles = (T + tile - 1) / tile;
    int channel = static_cast<int>(blockIdx.x) % segments * Width, unit = static_cast<int>(blockIdx.x) / segments;
    int b = unit / tiles, start = unit % tiles * tile, steps = T - start < tile ? T - start : tile;
    int first_head = channel / R, heads = ((channel + Width < C ? channel + Width : C) - 1) / R - first_head + 1;
    for_each_tap_row<K>(
        logits, (static_cast<long long>(b) * T + start) * H + first_head, H, steps, heads, rule, stage, [&](int step, int head, const ThreadTaps<K>& row) {
            float tap[(K + 3) / 4 * 4];
#pragma unroll
            for (int k = 0; k < (K + 3) / 4 * 4; k++) tap[k] = k < K ? row.tap(rule, k < K ? k : 0) : 0.0f;
            store_taps<K>(taps + (step * heads + head) * Stride, tap);
        });
    int quarter = tile / conv_warps, first = start + static_cast<int>(threadIdx.x) / warp_lanes * quarter;
    int last = first + quarter < start + steps ? first + quarter : start + steps;
    if (first >= last) return;
    int c = channel + static_cast<int>(threadIdx.x) % warp_lanes * V;
    bool active = c < C;
    StepTaps<K> own(taps + ((active ? c : C - 1) / R - first_head) * Stride, start, heads * Stride);
    long long sequence = static_cast<long long>(b) * T * C + c;
    float zero[V];
#pragma unroll
    for (int v = 0; v < V; v++) zero[v] = 0.0f;
    slide<K, V>(x + sequence, y + sequence, T, C, left_padding, first, last, active, own, zero);
}

// Sums each of N numbers over groups of 2 * offset neighbouring lanes, offset a power of two or 0, in one order. Every exchange halves the numbers that a lane
// still holds: take(i, sum) gets each sum once in the group, on one lane.
template <int N, typename Take>
__device__ __forceinline__ void reduce_scatter(const float (&value)[N], int lane, int offset, int base, Take take) {
    if constexpr (N == 1) {
        float sum = value[0];
        bool owner = (lane & (2 * offset - 1)) == 0 || offset == 0;
        for (; offset > 0; offset >>= 1) sum += shuffle_xor(sum, offset);
        if (owner) take(base, sum);
    } else {
        if (offset == 0) {
#pragma unroll
            for (int i = 0; i < N; i++) take(base + i, value[i]);
            return;
        }
        bool upper = (lane & offset) != 0;
        float half[N / 2];
#pragma unroll
        for (int i = 0; i < N / 2; i++) {
            float kept = upper ? value[i + N / 2] : value[i], sent = upper ? value[i] : value[i + N / 2];
            half[i] = kept + shuffle_xor(sent, offset);
        }
        reduce_scatter(half, lane, offset >> 1, base + (upper ? N / 2 : 0), take);
    }
}

// The smallest power of two that is not below K.
__host__ __device__ constexpr int power_of_two(int K) { return K <= 4 ? 4 : K <= 8 ? 8 : K <= 16 ? 16 : 32; }

// Shared memory of a block of the backward kernel, which computes `steps` steps from `start` of one sequence.
template <int K>
struct BackwardTile {
    static constexpr int Stride = tap_stride(K);
    int start, steps, heads, head;

    // [tile, heads, Stride] each. band: row r has the taps that took x[r] elsewhere, tap K - 1 - j to step r + left_padding - (K - 1) + j in column j.
    // code: code_tap of every tap. gradient: that of every tap.
    float *band, *code, *gradient;

    // take(j, sum) of reduce_scatter: what row r of x and row r + left_padding - (K - 1) + j of dy give to the gradient of tap K - 1 - j of that step.
    __device__ __forceinline__ void add(int first, int j, float sum) const {
        int step = first + j - start;
        if (j < K && head < heads && static_cast<unsigned>(step) < static_cast<unsigned>(steps)) gradient[(step * heads + head) * Stride + K - 1 - j] += sum;
    }
};

// dx of rows r .. r + 3 as far as last - 1 where the tile has them, and what they give to the gradients of the taps. x[i] is row r + i of x; the window
// holds rows of dy. What no row of dy gives is zero times the band's zero.
template <int K, int V, typename E>
__device__ __forceinline__ void dynamic_window_gradients(
    const Window<E, K, V>& window, const Channels<E, V> (&x)[window_steps], E* dx, int C, int left_padding, int r, int last, bool active, int lanes,
    bool taps_wanted, StepTaps<K>& band, const BackwardTile<K>& tile) {
    int lane = threadIdx.x % warp_lanes;
#pragma unroll
    for (int i = 0; i < window_steps; i++) {
        if (r + i < last) {
            if (dx != nullptr && static_cast<unsigned>(r + i - tile.start) < static_cast<unsigned>(tile.steps)) {
                band.seek(r + i);
                float sum[V];
#pragma unroll
                for (int v = 0; v < V; v++) sum[v] = 0.0f;
#pragma unroll
                for (int j = 0; j < K; j++) {
#pragma unroll
                    for (int v = 0; v < V; v++) sum[v] = fmaf(band(j, v), window.row[i + j][v], sum[v]);
                }
                if (active) store_channels<V>(dx + static_cast<long long>(r + i) * C, sum);
            }
            if (taps_wanted) {
                float own[V], product[power_of_two(K)];
                widen(x[i], own);
#pragma unroll
                for (int j = 0; j < power_of_two(K); j++) {
                    product[j] = 0.0f;
#pragma unroll
                    for (int v = 0; v < V; v++) {
                        if (j < K) product[j] = fmaf(window.row[i + (j < K ? j : 0)][v], own[v], product[j]);
                    }
                }
                int first = r + i + left_padding - (K - 1);
                reduce_scatter(product, lane, lanes / 2, 0, [&](int j, float sum) { tile.add(first, j, sum); });
            }
        }
    }
}

// dx and dlogits at once. R divides 32 V or is a multiple of it, R / V a power of two in the first case. A block takes `tile` steps (a multiple of 16) of one
// sequence and max(32 V, R) channels, which are whole heads; its warps share the rows of x that these steps meet. The groups of channels change fastest.
// x, dy and dx start at multiples of V elements.
// Dynamic shared memory: a row of K floats a thread, then the three arrays of BackwardTile.
template <typename E, int K, int V>
__device__ inline void dynamic_conv_backward_window(
    const E* x, const E* logits, const E* dy, E* dx, E* dlogits, int T, int C, int H, int left_padding, int tile, const TapRule& rule) {
    constexpr int Width = warp_lanes * V, Stride = BackwardTile<K>::Stride, Padded = (K + 3) / 4 * 4;
    DYNAMIC_SHARED(float, stage);
    int R = C / H, span = R > Width ? R : Width, segments = (C + span - 1) / span, tiles = (T + tile - 1) / tile;
    int thread = threadIdx.x, lane = thread % warp_lanes, warp = thread / warp_lanes;
    int channel = static_cast<int>(blockIdx.x) % segments * span, unit = static_cast<int>(blockIdx.x) / segments, b = unit / tiles;
    int first_head = channel / R, end = channel + span < C ? channel + span : C;
    BackwardTile<K> shared;
    shared.start = unit % tiles * tile;
    shared.steps = T - shared.start < tile ? T - shared.start : tile;
    shared.heads = (end - channel) / R;
    shared.head = R < Width ? lane * V / R : 0;
    int start = shared.start, steps = shared.steps, heads = shared.heads, floats = tile * heads * Stride;
    shared.band = stage + conv_threads * K;
    shared.code = shared.band + floats;
    shared.gradient = shared.code + floats;
    for (int i = thread * 4; i < 3 * floats; i += conv_threads * 4) store_four(shared.band + i, make_float4(0.0f, 0.0f, 0.0f, 0.0f));
    __syncthreads();

    // The steps that met rows of this tile, its own among them.
    int first_step = start + left_padding - (K - 1) > 0 ? start + left_padding - (K - 1) : 0;
    int last_step = start + steps + left_padding < T ? start + steps + left_padding : T;
    for_each_tap_row<K>(
        logits, (static_cast<long long>(b) * T + first_step) * H + first_head, H, last_step - first_step, heads, rule, stage,
        [&](int step, int head, const ThreadTaps<K>& row) {
            step += first_step - start;
            bool own = static_cast<unsigned>(step) < static_cast<unsigned>(steps);
#pragma unroll
            for (int k = 0; k < K; k++) {
                int r = step + k - left_padding;
                if (static_cast<unsigned>(r) < static_cast<unsigned>(steps)) shared.band[(r * heads + head) * Stride + K - 1 - k] = row.tap(rule, k);
                if (own) shared.code[(step * heads + head) * Stride + k] = row.code(rule, k);
            }
        });

    // The rows of x that the tile's steps meet, those that the tile has among them.
    int first_row = start - left_padding > 0 ? start - left_padding : 0;
    int last_row = start + steps + K - 1 - left_padding < T ? start + steps + K - 1 - left_padding : T;
    int quarter = (last_row - first_row + conv_warps * window_steps - 1) / (conv_warps * window_steps) * window_steps;
    int first = first_row + warp * quarter, last = first + quarter < last_row ? first + quarter : last_row;
    for (int of = 0; of < span && first < last; of += Width) {
        int c = channel + of + lane * V;
        bool active = c < end;
        long long sequence = static_cast<long long>(b) * T * C + c;
        int head = shared.head < heads ? shared.head : heads - 1;
        StepTaps<K> band(shared.band + head * Stride, start, heads * Stride);
        E* target = dx == nullptr ? nullptr : dx + sequence;
        Window<E, K, V> window;
        Channels<E, V> next[window_steps], now[window_steps];
        window.open(dy + sequence, first + left_padding - (K - 1), T, C, active);
#pragma unroll
        for (int i = 0; i < window_steps; i++) next[i] = load_channels<V>(x + sequence, first + i, T, C, active);
#pragma unroll 1
        for (int r = first; r < last; r += window_steps) {
            window.take();
#pragma unroll
            for (int i = 0; i < window_steps; i++) now[i] = next[i];
            if (r + window_steps < last) {
                window.prefetch(dy + sequence, r + window_steps + left_padding, T, C, active);
#pragma unroll
                for (int i = 0; i < window_steps; i++) next[i] = load_channels<V>(x + sequence, r + window_steps + i, T, C, active);
            }
            dynamic_window_gradients(window, now, target, C, left_padding, r, last, active, (R < Width ? R : Width) / V, dlogits != nullptr, band, shared);
            window.advance();
        }
    }
    if (dlogits == nullptr) return;
    __syncthreads();

    // A row of gradients a thread, written to memory together.
    SmallDivisor by_heads(heads);
    int rows = steps * heads;
    for (int batch = 0; batch < rows; batch += conv_threads) {
        int count = rows - batch < conv_threads ? rows - batch : conv_threads;
        if (thread < count) {
            float code[Padded], g[Padded], sum = 0.0f;
            load_taps<K>(shared.code + (batch + thread) * Stride, code);
            load_taps<K>(shared.gradient + (batch + thread) * Stride, g);
#pragma unroll
            for (int k = 0; k < K; k++) sum = fmaf(tap_of_code(rule, code[k]), g[k], sum);
#pragma unroll
            for (int k = 0; k < K; k++) stage[thread * K + k] = logit_gradient(rule, code[k], g[k], sum);
        }
        __syncthreads();
        for (int i = thread; i < count * K; i += conv_threads) {
            int row = batch + i / K, step = by_heads.divide(row);
            dlogits[((static_cast<long long>(b) * T + start + step) * H + first_head + (row - step * heads)) * K + i % K] = from_float<E>(stage[i]);
        }
        __syncthreads();
    }
}
