// Rows of K taps from rows of K logits, and the way back. Twin: TapRows.cs. Softmax over the K taps of a row, then DropConnect, whose element (row, k)
// has the number row * K + k.

constexpr int most_taps = 255;

// How logits become taps. Its five numbers are the last five arguments of every kernel that takes one, in this order.
struct TapRule {
    int softmax;
    DropMask drop;

    // The factor of what is kept.
    __device__ float kept() const { return drop.active() ? drop.scale : 1.0f; }
};

// What the gradient needs of a tap, in one number: with softmax its value before DropConnect (never negative), with the sign bit set if it was dropped;
// without softmax the mask's factor.
__device__ inline float code_tap(const TapRule& rule, float before, bool dropped) {
    if (!rule.softmax) return dropped ? 0.0f : rule.kept();
    return dropped ? __int_as_float(__float_as_int(before) | static_cast<int>(0x80000000u)) : before;
}

__device__ inline float tap_before(float code) { return __int_as_float(__float_as_int(code) & 0x7fffffff); }

// The tap of a code, where there is a softmax. A product also where it was dropped: NaN stays NaN.
__device__ inline float tap_of_code(const TapRule& rule, float code) { return tap_before(code) * (__float_as_int(code) < 0 ? 0.0f : rule.kept()); }

// The gradient of a logit from the gradient g of its tap and, with softmax, the row's sum of tap times g.
__device__ inline float logit_gradient(const TapRule& rule, float code, float g, float sum) {
    return rule.softmax ? tap_of_code(rule, code) * g - tap_before(code) * sum : code * g;
}

// A row in the registers of a warp: lane i holds taps i, i + 32, ...
struct WarpTaps {
    static constexpr int Steps = (most_taps + warp_lanes) / warp_lanes;
    float before[Steps], factor[Steps];

    // Softmax of tap k: exp(logit - largest) * scale.
    float largest, scale;

    // use(i, k) for every tap of the lane, which is before[i] and factor[i].
    template <typename Use>
    __device__ static void each(int K, Use use) {
        int lane = threadIdx.x % warp_lanes;
#pragma unroll
        for (int i = 0; i < Steps; i++) {
            if (i * warp_lanes + lane < K) use(i, i * warp_lanes + lane);
        }
    }

    // The whole warp takes part; row is the mask's row.
    template <typename E>
    __device__ void load(const TapRule& rule, const E* logits, int K, long long row) {
        largest = negative_infinity();
        scale = 1.0f;
        each(K, [&](int i, int k) {
            before[i] = to_float(logits[k]);
            factor[i] = 1.0f;
            largest = fmaxf(largest, before[i]);
        });
        if (rule.softmax) {
            largest = warp_max(largest);
            float sum = 0.0f;
            each(K, [&](int i, int k) {
                before[i] = expf(before[i] - largest);
                sum += before[i];
            });
            scale = 1.0f / warp_sum(sum);
            each(K, [&](int i, int k) { before[i] *= scale; });
        }
        if (rule.drop.active()) each(K, [&](int i, int k) { factor[i] = rule.drop.factor(static_cast<unsigned long long>(row) * K + k); });
    }

    __device__ float tap(int i) const { return before[i] * factor[i]; }

    // Turns the gradient of the taps, spread over the lanes in the same way, into that of the logits. The whole warp takes part.
    __device__ void gradient(const TapRule& rule, int K, float (&g)[Steps]) const {
        float sum = 0.0f;
        each(K, [&](int i, int k) { sum += tap(i) * g[i]; });
        sum = warp_sum(sum);
        each(K, [&](int i, int k) { g[i] = rule.softmax ? tap(i) * g[i] - before[i] * sum : factor[i] * g[i]; });
    }
};

// Bit i: whether element first + i is dropped, for i < Count.
template <int Count>
__device__ inline unsigned dropped_bits(const DropMask& drop, unsigned long long first) {
    static_assert(Count <= 32, "the bits are one word");
    if (!drop.active()) return 0;
    unsigned long long bits = 0;
#pragma unroll 1
    for (int i = 0; i < (Count + 6) / 4; i++) {
        uint4 words = philox_block(drop.seed, drop.stream, first / 4 + i);
        unsigned four = (words.x < drop.threshold ? 1u : 0u) | (words.y < drop.threshold ? 2u : 0u) | (words.z < drop.threshold ? 4u : 0u) |
                        (words.w < drop.threshold ? 8u : 0u);
        bits |= static_cast<unsigned long long>(four) << (4 * i);
    }
    return static_cast<unsigned>(bits >> (first % 4));
}

// From one row of taps in shared memory to the next, in floats: a multiple of 4, so that four are read at once, and odd in fours, so that the lanes of a
// warp that read one row each meet no bank twice.
__host__ __device__ constexpr int tap_stride(int K) { return (K + 3) / 8 * 8 + 4; }

// A row in the registers of a thread.
template <int K>
struct ThreadTaps {
    float before[K];
    unsigned dropped;

    // logits are K floats in shared memory; row is the mask's row.
    __device__ __forceinline__ void load(const TapRule& rule, const float* logits, long long row) {
#pragma unroll
        for (int k = 0; k < K; k++) before[k] = logits[k];
        if (rule.softmax) {
            float largest = before[0], sum = 0.0f;
#pragma unroll
            for (int k = 1; k < K; k++) largest = fmaxf(largest, before[k]);
#pragma unroll
            for (int k = 0; k < K; k++) {
                before[k] = expf(before[k] - largest);
                sum += before[k];
            }
            float scale = 1.0f / sum;
#pragma unroll
            for (int k = 0; k < K; k++) before[k] *= scale;
        }
        dropped = dropped_bits<K>(rule.drop, static_cast<unsigned long long>(row) * K);
    }

    __device__ bool is_dropped(int k) const { return (dropped >> k & 1) != 0; }
    __device__ float tap(const TapRule& rule, int k) const { return before[k] * (is_dropped(k) ? 0.0f : rule.kept()); }
    __device__ float code(const TapRule& rule, int k) const { return code_tap(rule, before[k], is_dropped(k)); }
};

// K floats of a row of tap_stride(K), four at a time; the last four may end in zeros.
template <int K>
__device__ __forceinline__ void load_taps(const float* row, float (&taps)[(K + 3) / 4 * 4]) {
#pragma unroll
    for (int k = 0; k < K; k += 4) {
        float4 four = load_four(row + k);
        taps[k] = four.x;
        taps[k + 1] = four.y;
        taps[k + 2] = four.z;
        taps[k + 3] = four.w;
    }
}

template <int K>
__device__ __forceinline__ void store_taps(float* row, const float (&taps)[(K + 3) / 4 * 4]) {
#pragma unroll
    for (int k = 0; k < K; k += 4) store_four(row + k, make_float4(taps[k], taps[k + 1], taps[k + 2], taps[k + 3]));
}

// Division by a product and a shift, exact where value times divisor is below 2^21 and the quotient below 2^10.
struct SmallDivisor {
    unsigned divisor, reciprocal;

    __device__ explicit SmallDivisor(int divisor) : divisor(divisor), reciprocal((1u << 21) / divisor + 1) {}
    __device__ int divide(int value) const { return static_cast<int>(value * reciprocal >> 21); }
};

// use(step, head, taps) for the taps of some heads of consecutive steps, a row for each thread of the block; logits [.., H, K], first_row is the row of
// the first step and head. stage holds blockDim.x * K floats. The whole block takes part, and ends at a barrier.
template <int K, typename E, typename Use>
__device__ __forceinline__ void for_each_tap_row(
    const E* logits, long long first_row, int H, int steps, int heads, const TapRule& rule, float* stage, Use use) {
    SmallDivisor by_heads(heads);
    int rows = steps * heads, threads = static_cast<int>(blockDim.x), thread = static_cast<int>(threadIdx.x);
    for (int batch = 0; batch < rows; batch += threads) {
        int count = rows - batch < threads ? rows - batch : threads;
        for (int i = thread; i < count * K; i += threads) {
            int row = batch + i / K, step = by_heads.divide(row);
            stage[i] = to_float(logits[(first_row + static_cast<long long>(step) * H + (row - step * heads)) * K + i % K]);
        }
        __syncthreads();
        if (thread < count) {
            int step = by_heads.divide(batch + thread), head = batch + thread - step * heads;
            ThreadTaps<K> taps;
            taps.load(rule, stage + thread * K, first_row + static_cast<long long>(step) * H + head);
            use(step, head, taps);
        }
        __syncthreads();
    }
}
