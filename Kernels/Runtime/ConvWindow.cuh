// One step of a causal convolution during decoding, over a ring of the last K inputs. Twin: ConvWindow.cs.

// Stores x as the input of step t = positions[n] and computes y[n, c] = sum over k of tap[h(c), k] * input(t - (K - 1) + k)[n, c], where nothing was before
// step 0. x, y [N, C]; window [N, K, C], the input of step s in row s mod K; rows of steps before 0 are not read. positions [N], in memory because a graph is
// launched for many steps. logits [N, H, K] where every sequence has its own taps (PerSequence), else [H, K], of a type L of their own.
// A block computes `rows` sequences (1 where PerSequence) times `channels` channels, which divide its threads. Dynamic shared memory: the taps, K floats for
// each head that these channels touch.
template <bool PerSequence, typename E, typename L>
__device__ inline void conv_step(
    const E* x, const L* logits, E* window, E* y, int N, int C, int R, int K, const int* positions, int channels, int rows, const TapRule& rule) {
    DYNAMIC_SHARED(float, taps);
    int warp = threadIdx.x / warp_lanes, warps = blockDim.x / warp_lanes;
    int groups = (C + channels - 1) / channels, first = static_cast<int>(blockIdx.x) % groups * channels;
    int n = static_cast<int>(blockIdx.x) / groups * rows, end = n + rows < N ? n + rows : N;
    int first_head = first / R, last_head = ((first + channels < C ? first + channels : C) - 1) / R;
    for (int h = first_head + warp; h <= last_head; h += warps) {
        long long row = PerSequence ? static_cast<long long>(n) * (C / R) + h : h;
        WarpTaps prepared;
        prepared.load(rule, logits + row * K, K, row);
        WarpTaps::each(K, [&](int i, int k) { taps[(h - first_head) * K + k] = prepared.tap(i); });
    }
    __syncthreads();
    int c = first + static_cast<int>(threadIdx.x) % channels;
    if (c >= C) return;
    const float* tap = taps + (c / R - first_head) * K;
    for (n += static_cast<int>(threadIdx.x) / channels; n < end; n += static_cast<int>(blockDim.x) / channels) {
        int step = positions[n], newest = step % K, older = step < K - 1 ? step : K - 1;
        long long at = static_cast<long long>(n) * C + c;
        E* ring = window + static_cast<long long>(n) * K * C + c;
        E input = x[at];
        ring[static_cast<long long>(newest) * C] = input;
        float sum = tap[K - 1] * to_float(input);
        int row = newest < older ? newest - older + K : newest - older;
#pragma unroll 8
        for (int k = K - 1 - older; k < K - 1; k++) {
            sum = fmaf(tap[k], to_float(ring[static_cast<long long>(row) * C]), sum);
            row = row + 1 == K ? 0 : row + 1;
        }
        y[at] = from_float<E>(sum);
    }
}
