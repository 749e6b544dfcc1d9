// Convolutions over time with few taps: a thread walks along the steps of V neighbouring channels and keeps the rows that a step sees in registers, so that
// a run reads each of its rows once. The next rows are on their way while the present ones are multiplied.
// Shared by the kernels of LightConv, DynamicConv and DepthwiseConv. A block is four warps; a warp covers 32 V neighbouring channels.

constexpr int conv_warps = 4;
constexpr int conv_threads = conv_warps * warp_lanes;

// Steps between two rounds of loads; runs are a multiple of it, but for the last one of a sequence.
constexpr int window_steps = 4;

// Neighbouring channels of one row, read and written at once: the address is a multiple of their size.
template <typename E, int V>
struct alignas(V * sizeof(E)) Channels {
    E value[V];
};

// Zeros where nothing is.
template <int V, typename E>
__device__ __forceinline__ Channels<E, V> load_channels(const E* x, int row, int T, int C, bool active) {
    Channels<E, V> channels;
    if (active && static_cast<unsigned>(row) < static_cast<unsigned>(T)) {
        channels = *reinterpret_cast<const Channels<E, V>*>(x + static_cast<long long>(row) * C);
    } else {
#pragma unroll
        for (int v = 0; v < V; v++) channels.value[v] = from_float<E>(0.0f);
    }
    return channels;
}

template <int V, typename E>
__device__ __forceinline__ void store_channels(E* y, const float (&value)[V]) {
    Channels<E, V> channels;
#pragma unroll
    for (int v = 0; v < V; v++) channels.value[v] = from_float<E>(value[v]);
    *reinterpret_cast<Channels<E, V>*>(y) = channels;
}

template <typename E, int V>
__device__ __forceinline__ void widen(const Channels<E, V>& channels, float (&value)[V]) {
#pragma unroll
    for (int v = 0; v < V; v++) value[v] = to_float(channels.value[v]);
}

// The rows that window_steps neighbouring steps of K taps see, and the rows that come after them.
template <typename E, int K, int V>
struct Window {
    static constexpr int Steps = window_steps, Rows = K - 1 + Steps;
    float row[Rows][V];
    Channels<E, V> next[Steps];

    // first is the row that the first tap of the first step meets.
    __device__ __forceinline__ void open(const E* x, int first, int T, int C, bool active) {
#pragma unroll
        for (int i = 0; i < K - 1; i++) widen(load_channels<V>(x, first + i, T, C, active), row[i]);
        prefetch(x, first + K - 1, T, C, active);
    }

    __device__ __forceinline__ void prefetch(const E* x, int first, int T, int C, bool active) {
#pragma unroll
        for (int i = 0; i < Steps; i++) next[i] = load_channels<V>(x, first + i, T, C, active);
    }

    __device__ __forceinline__ void take() {
#pragma unroll
        for (int i = 0; i < Steps; i++) widen(next[i], row[K - 1 + i]);
    }

    __device__ __forceinline__ void advance() {
#pragma unroll
        for (int i = 0; i < K - 1; i++) {
#pragma unroll
            for (int v = 0; v < V; v++) row[i][v] = row[i + Steps][v];
        }
    }
};

// Taps that are the same at every step and for all channels of the thread.
template <int K>
struct HeadTaps {
    float value[K];

    // K floats in shared memory.
    __device__ explicit HeadTaps(const float* taps) {
#pragma unroll
        for (int k = 0; k < K; k++) value[k] = taps[k];
    }

    __device__ __forceinline__ void seek(int) {}
    __device__ __forceinline__ float operator()(int k, int) const { return value[k]; }
};

// Taps that are the same at every step, each channel its own.
template <int K, int V>
struct ChannelTaps {
    // Floats from one thread's channels to the next one's, odd.
    static constexpr int Stride = V * K | 1;
    float value[V][K];

    // V * K floats in shared memory.
    __device__ explicit ChannelTaps(const float* taps) {
#pragma unroll
        for (int v = 0; v < V; v++) {
#pragma unroll
            for (int k = 0; k < K; k++) value[v][k] = taps[v * K + k];
        }
    }

    __device__ __forceinline__ void seek(int) {}
    __device__ __forceinline__ float operator()(int k, int v) const { return value[v][k]; }
};

// Taps of every step, for all channels of the thread.
template <int K>
struct StepTaps {
    float value[(K + 3) / 4 * 4];

    // Shared memory; the row of step t starts at rows + (t - first) * stride.
    const float* rows;
    int first, stride;

    __device__ StepTaps(const float* rows, int first, int stride) : rows(rows), first(first), stride(stride) {}
    __device__ __forceinline__ void seek(int t) { load_taps<K>(rows + (t - first) * stride, value); }
    __device__ __forceinline__ float operator()(int k, int) const { return value[k]; }
};

// y of steps t .. t + 3 as far as last - 1. At the edges of a sequence a tap meets no row: then it is left out, as a product of zero and a tap that is
// not finite would show.
template <bool Edge, int K, int V, typename E, typename Taps>
__device__ __forceinline__ void window_outputs(
    const Window<E, K, V>& window, E* y, int T, int C, int left_padding, int t, int last, bool active, Taps& taps, const float (&start)[V]) {
#pragma unroll
    for (int i = 0; i < window_steps; i++) {
        if (!Edge || t + i < last) {
            taps.seek(t + i);
            float sum[V];
#pragma unroll
            for (int v = 0; v < V; v++) sum[v] = start[v];
#pragma unroll
            for (int k = 0; k < K; k++) {
                if (!Edge || static_cast<unsigned>(t + i + k - left_padding) < static_cast<unsigned>(T)) {
#pragma unroll
                    for (int v = 0; v < V; v++) sum[v] = fmaf(taps(k, v), window.row[i + k][v], sum[v]);
                }
            }
            if (active) store_channels<V>(y + static_cast<long long>(t + i) * C, sum);
        }
    }
}

// y[t] = start + sum over k of tap(t, k) * x[t + k - left_padding] for first <= t < last; x and y stand at step 0 of a sequence and at the thread's channels.
template <int K, int V, typename E, typename Taps>
__device__ __forceinline__ void slide(const E* x, E* y, int T, int C, int left_padding, int first, int last, bool active, Taps& taps, const float (&start)[V]) {
    Window<E, K, V> window;
    window.open(x, first - left_padding, T, C, active);
#pragma unroll 1
    for (int t = first; t < last; t += window_steps) {
        window.take();
        int row = t - left_padding;
        if (t + window_steps < last) window.prefetch(x, row + window_steps + K - 1, T, C, active);
        if (row >= 0 && row + window.Rows <= T && t + window_steps <= last)
            window_outputs<false>(window, y, T, C, left_padding, t, last, active, taps, start);
        else
            window_outputs<true>(window, y, T, C, left_padding, t, last, active, taps, start);
        window.advance();
    }
}

// What the rows first .. last - 1 of x give to the gradient of the taps that all channels of the thread share.
template <int K, int V>
struct HeadGradient {
    static constexpr int Elements = K;
    float sum[K];

    __device__ HeadGradient() {
#pragma unroll
        for (int k = 0; k < K; k++) sum[k] = 0.0f;
    }

    __device__ __forceinline__ void add(int k, int, float dy, float x) { sum[k] = fmaf(dy, x, sum[k]); }
    __device__ __forceinline__ void pass(const float (&)[V]) {}
    __device__ __forceinline__ void store(float* to) const {
#pragma unroll
        for (int k = 0; k < K; k++) to[k] = sum[k];
    }
};

// The gradient of taps that each channel has for itself, and of a bias.
template <int K, int V>
struct ChannelGradient {
    static constexpr int Elements = V * K + V;
    float sum[V][K], bias[V];

    __device__ ChannelGradient() {
#pragma unroll
        for (int v = 0; v < V; v++) {
            bias[v] = 0.0f;
#pragma unroll
            for (int k = 0; k < K; k++) sum[v][k] = 0.0f;
        }
    }

    __device__ __forceinline__ void add(int k, int v, float dy, float x) { sum[v][k] = fmaf(dy, x, sum[v][k]); }

    // Every row of dy comes by once.
    __device__ __forceinline__ void pass(const float (&dy)[V]) {
#pragma unroll
        for (int v = 0; v < V; v++) bias[v] += dy[v];
    }

    __device__ __forceinline__ void store(float* to) const {
#pragma unroll
        for (int v = 0; v < V; v++) {
#pragma unroll
            for (int k = 0; k < K; k++) to[v * K + k] = sum[v][k];
            to[V * K + v] = bias[v];
        }
    }
};

// dx of rows r .. r + 3 as far as last - 1, and what they give to the gradient of the taps.
template <bool Edge, int K, int V, typename E, typename Taps, typename Gradient>
__device__ __forceinline__ void window_gradients(
    const Window<E, K, V>& window, const Channels<E, V> (&x)[window_steps], E* dx, int T, int C, int left_padding, int r, int last, bool active,
    bool taps_wanted, const Taps& taps, Gradient& gradient) {
#pragma unroll
    for (int i = 0; i < window_steps; i++) {
        if (!Edge || r + i < last) {
            // Tap K - 1 - j took row r + i to step `first + j`.
            int first = r + i + left_padding - (K - 1);
            if (dx != nullptr) {
                float sum[V];
#pragma unroll
                for (int v = 0; v < V; v++) sum[v] = 0.0f;
#pragma unroll
                for (int j = 0; j < K; j++) {
                    if (!Edge || static_cast<unsigned>(first + j) < static_cast<unsigned>(T)) {
#pragma unroll
                        for (int v = 0; v < V; v++) sum[v] = fmaf(taps(K - 1 - j, v), window.row[i + j][v], sum[v]);
                    }
                }
                if (active) store_channels<V>(dx + static_cast<long long>(r + i) * C, sum);
            }
            if (taps_wanted) {
                float value[V];
                widen(x[i], value);
#pragma unroll
                for (int j = 0; j < K; j++) {
                    if (!Edge || static_cast<unsigned>(first + j) < static_cast<unsigned>(T)) {
#pragma unroll
                        for (int v = 0; v < V; v++) gradient.add(K - 1 - j, v, window.row[i + j][v], value[v]);
                    }
                }
            }
        }
    }
}

// For rows first <= r < last of x: dx[r] = sum over k of tap(k) * dy[r - k + left_padding], and the gradient of tap k gets dy[r - k + left_padding] * x[r].
// Both see the same rows of dy. A run that is not the last of its sequence is a multiple of window_steps long.
template <int K, int V, typename E, typename Taps, typename Gradient>
__device__ __forceinline__ void slide_back(
    const E* x, const E* dy, E* dx, int T, int C, int left_padding, int first, int last, bool active, bool taps_wanted, const Taps& taps, Gradient& gradient) {
    Window<E, K, V> window;
    Channels<E, V> next[window_steps], now[window_steps];
    window.open(dy, first + left_padding - (K - 1), T, C, active);

    // The rows of dy before those that the first row of x brings in.
    if (first == 0) {
#pragma unroll
        for (int i = 0; i < K - 1; i++) gradient.pass(window.row[i]);
    }
#pragma unroll
    for (int i = 0; i < window_steps; i++) next[i] = load_channels<V>(x, first + i, T, C, active && taps_wanted);
#pragma unroll 1
    for (int r = first; r < last; r += window_steps) {
        window.take();
        int row = r + left_padding - (K - 1);
#pragma unroll
        for (int i = 0; i < window_steps; i++) {
            now[i] = next[i];
            gradient.pass(window.row[K - 1 + i]);
        }
        if (r + window_steps < last) {
            window.prefetch(dy, row + window_steps + K - 1, T, C, active);
#pragma unroll
            for (int i = 0; i < window_steps; i++) next[i] = load_channels<V>(x, r + window_steps + i, T, C, active && taps_wanted);
        }
        if (row >= 0 && row + window.Rows <= T && r + window_steps <= last)
            window_gradients<false>(window, now, dx, T, C, left_padding, r, last, active, taps_wanted, taps, gradient);
        else
            window_gradients<true>(window, now, dx, T, C, left_padding, r, last, active, taps_wanted, taps, gradient);
        window.advance();
    }
}
