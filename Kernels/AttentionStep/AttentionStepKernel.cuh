// Attention of single queries over the caches of their sequences, or of the rows of their beams that origins name. Twin: AttentionStepKernel.Cpu.cs; shapes:
// AttentionStepKernel.cs.
// A block of 4 warps takes one head of up to 4 queries of one sequence, which share its keys and values, and one part of the places. Long caches have
// several parts, whose softmaxes another kernel joins.

constexpr int step_threads = 128;
constexpr int step_queries = 4;
constexpr int step_places = 256;   // of a part
constexpr int step_key_lanes = 8;  // that share the product of a query and a key

struct AttentionStepSize {
    int n_size, m_size, s_size, channels, heads, count;
    float scale;
    int window, beam;

    __device__ int depth() const { return channels / heads; }

    // The places that the queries of sequence m see end here.
    __device__ int end(const int* lengths, int m) const { return min(lengths == nullptr ? count : min(count, lengths[m]), s_size); }
};

// y [N, C] where there is one part; else partial [N, H, parts, D + 2]: the sums of e^(score - max) v, then max, then the sum of e^(score - max).
// Shared memory, in floats, with P the packs of 4 channels of a head: queries 4 x 4 P, weights 4 x 256, sums slices x 4 x 4 P.
template <typename E>
__device__ inline void attention_step(
    const E* q, const E* keys, const E* values, const int* lengths, const int* origins, E* y, float* partial, const AttentionStepSize& size, int parts, int groups,
    int slices) {
    DYNAMIC_SHARED(float, queries);
    __shared__ float factor[step_queries];
    __shared__ int rows[step_places];
    int depth = size.depth(), packs = (depth + 3) / 4, row = 4 * packs;
    float *weights = queries + step_queries * row, *sums = weights + step_queries * step_places;
    int rest = blockIdx.x / parts, part = blockIdx.x - rest * parts, group = rest % groups, mh = rest / groups;
    int m = mh / size.heads, h = mh - m * size.heads, of_sequence = size.n_size / size.m_size;
    int first_query = m * of_sequence + group * step_queries, live = min(step_queries, of_sequence - group * step_queries);
    int end = size.end(lengths, m), s0 = (size.window > 0 ? max(0, end - size.window) : 0) + part * step_places;
    int places = max(0, min(end - s0, step_places));
    int lane = threadIdx.x % warp_lanes, warp = threadIdx.x / warp_lanes;
    long long stride = size.channels, head = static_cast<long long>(h) * depth;
    int owner = origins == nullptr ? m : m - m % size.beam;
    long long cache_row = size.s_size * stride;
    keys += owner * cache_row + s0 * stride + head;
    values += owner * cache_row + s0 * stride + head;
    auto place = [&](int s) { return s * stride + (origins == nullptr ? 0 : rows[s] * cache_row); };
    bool packed = depth % 4 == 0 && aligned<4 * sizeof(E)>(keys, values);
    auto four = [&](const E* at, int d) {
        if (packed) return load_four(at + d);
        return make_float4(
            to_float(at[d]), d + 1 < depth ? to_float(at[d + 1]) : 0.0f, d + 2 < depth ? to_float(at[d + 2]) : 0.0f,
            d + 3 < depth ? to_float(at[d + 3]) : 0.0f);
    };

    if (origins != nullptr) {
        for (int s = threadIdx.x; s < places; s += step_threads) rows[s] = origins[static_cast<long long>(m) * size.s_size + s0 + s];
    }
    for (int i = threadIdx.x; i < step_queries * row; i += step_threads) {
        int n = i / row, d = i - n * row;
        queries[i] = n < live && d < depth ? to_float(q[(first_query + n) * stride + head + d]) : 0.0f;
    }
    __syncthreads();

    // Four keys a warp at a time, eight lanes each.
    constexpr int keys_a_warp = warp_lanes / step_key_lanes, keys_a_round = step_threads / step_key_lanes;
    for (int first = warp * keys_a_warp; first < places; first += keys_a_round) {
        int s = first + lane / step_key_lanes;
        float products[step_queries] = {};
        if (s < places) {
            const E* own = keys + place(s);
            for (int d = lane % step_key_lanes * 4; d < depth; d += step_key_lanes * 4) {
                float4 key = four(own, d);
#pragma unroll
                for (int n = 0; n < step_queries; n++) {
                    if (n >= live) break;
                    float4 query = load_four(queries + n * row + d);
                    products[n] = fmaf(query.x, key.x, fmaf(query.y, key.y, fmaf(query.z, key.z, fmaf(query.w, key.w, products[n]))));
                }
            }
        }
#pragma unroll
        for (int n = 0; n < step_queries; n++) {
            float product = warp_sum<step_key_lanes>(products[n]);
            if (s < places && n < live && lane % step_key_lanes == 0) weights[n * step_places + s] = product * size.scale;
        }
    }
    __syncthreads();

    // Warp = query.
    if (warp < live) {
        float* own = weights + warp * step_places;
        float max = negative_infinity(), sum = 0.0f;
        for (int s = lane; s < places; s += warp_lanes) max = fmaxf(max, own[s]);
        max = warp_max(max);
        float shift = softmax_shift(max);
        for (int s = lane; s < places; s += warp_lanes) {
            float e = expf(own[s] - shift);
            own[s] = e;
            sum += e;
        }
        sum = warp_sum(sum);
        if (lane == 0) {
            factor[warp] = parts > 1 ? 1.0f : (places == 0 ? 0.0f : 1.0f / sum);
            if (parts > 1) {
                float* result = partial + ((static_cast<long long>(first_query + warp) * size.heads + h) * parts + part) * (depth + 2);
                result[depth] = max;
                result[depth + 1] = sum;
            }
        }
    }
    __syncthreads();

    // Threads: as many as there are packs of channels, or 128, side by side; `slices` such groups share the places.
    int width = step_threads / slices, slice = threadIdx.x / width;
    for (int pack = threadIdx.x % width; pack < packs; pack += width) {
        float4 all[step_queries] = {};
        for (int s = slice; s < places; s += slices) {
            float4 value = four(values + place(s), 4 * pack);
#pragma unroll
            for (int n = 0; n < step_queries; n++) {
                if (n >= live) break;
                float weight = weights[n * step_places + s];
                all[n].x = fmaf(weight, value.x, all[n].x);
                all[n].y = fmaf(weight, value.y, all[n].y);
                all[n].z = fmaf(weight, value.z, all[n].z);
                all[n].w = fmaf(weight, value.w, all[n].w);
            }
        }
#pragma unroll
        for (int n = 0; n < step_queries; n++) store_four(sums + (slice * step_queries + n) * row + 4 * pack, all[n]);
    }
    __syncthreads();
    for (int i = threadIdx.x; i < live * row; i += step_threads) {
        int n = i / row, d = i - n * row;
        if (d >= depth) continue;
        float sum = 0.0f;
        for (int w = 0; w < slices; w++) sum += sums[(w * step_queries + n) * row + d];
        sum *= factor[n];
        if (parts > 1)
            partial[((static_cast<long long>(first_query + n) * size.heads + h) * parts + part) * (depth + 2) + d] = sum;
        else
            y[(first_query + n) * stride + head + d] = from_float<E>(sum);
    }
}

// y [N, H, D] from the parts of attention_step; a warp for each query and head.
template <typename E>
__device__ inline void attention_step_join(const float* partial, const int* lengths, E* y, const AttentionStepSize& size, int parts) {
    long long nh;
    if (!warp_row(static_cast<long long>(size.n_size) * size.heads, nh)) return;
    int depth = size.depth(), n = static_cast<int>(nh / size.heads), m = n / (size.n_size / size.m_size);
    bool sees = size.end(lengths, m) > 0;
    const float* own = partial + nh * parts * (depth + 2);
    Exponentials all = no_exponentials();
    for (int p = 0; p < parts; p++) all = JoinExponentials::combine(all, {own[p * (depth + 2) + depth], own[p * (depth + 2) + depth + 1]});
    float factor = sees ? 1.0f / all.sum : 0.0f, shift = softmax_shift(all.max);
    for (int d = threadIdx.x % warp_lanes; d < depth; d += warp_lanes) {
        float sum = 0.0f;
        for (int p = 0; p < parts; p++) sum = fmaf(expf(own[p * (depth + 2) + depth] - shift), own[p * (depth + 2) + d], sum);
        y[nh * depth + d] = from_float<E>(sum * factor);
    }
}
