// Rows of a table looked up, and their gradients summed. Twin: EmbeddingKernel.Cpu.cs. table, dtable [V, C], float; ids int32 [N]; y, dy [N, C].

// Occurrences of one id that a warp sums alone; beyond, a block shares them (most rows of a table have none or few, and some words are everywhere).
constexpr int embedding_short = 64;
constexpr int embedding_long_warps = 16;

// y[n, :] = scale table[ids[n], :]; a warp for each n.
template <typename E, int Width>
__device__ inline void embedding_rows(const float* table, const int* ids, E* y, long long count, int channels, float scale) {
    long long n;
    if (!warp_row(count, n)) return;
    const float* row = table + static_cast<long long>(ids[n]) * channels;
    E* target = y + n * channels;
#pragma unroll 4
    for (int c = threadIdx.x % warp_lanes * Width; c < channels; c += warp_lanes * Width) {
        float value[Width];
        load_elements<Width>(row + c, value);
#pragma unroll
        for (int j = 0; j < Width; j++) value[j] *= scale;
        store_elements<Width>(target + c, value);
    }
}

template <typename E>
__device__ inline void embedding_forward(const float* table, const int* ids, E* y, long long count, int channels, float scale) {
    if (channels % Pack<E>::Count == 0 && aligned(table, y))
        embedding_rows<E, Pack<E>::Count>(table, ids, y, count, channels, scale);
    else
        embedding_rows<E, 1>(table, ids, y, count, channels, scale);
}

// dtable[v, :] = scale * the sum of dy[n, :] over the n with ids[n] = v, in order, for ids with at most embedding_short of them; a warp for each v.
template <typename E, int Width>
__device__ inline void embedding_gradient_rows(
    const int* starts, const int* positions, const E* dy, float* dtable, int ids, int channels, float scale, int padding) {
    long long v;
    if (!warp_row(ids, v)) return;
    int first = starts[v], last = v == padding ? first : starts[v + 1];
    if (last - first > embedding_short) return;
    for (int c = threadIdx.x % warp_lanes * Width; c < channels; c += warp_lanes * Width) {
        float sum[Width] = {};
#pragma unroll 4
        for (int i = first; i < last; i++) {
            float value[Width];
            load_elements<Width>(dy + static_cast<long long>(positions[i]) * channels + c, value);
#pragma unroll
            for (int j = 0; j < Width; j++) sum[j] += value[j];
        }
#pragma unroll
        for (int j = 0; j < Width; j++) sum[j] *= scale;
        store_elements<Width>(dtable + v * channels + c, sum);
    }
}

template <typename E>
__device__ inline void embedding_backward(
    const int* starts, const int* positions, const E* dy, float* dtable, int ids, int channels, float scale, int padding) {
    if (channels % Pack<E>::Count == 0 && aligned(dy, dtable))
        embedding_gradient_rows<E, Pack<E>::Count>(starts, positions, dy, dtable, ids, channels, scale, padding);
    else
        embedding_gradient_rows<E, 1>(starts, positions, dy, dtable, ids, channels, scale, padding);
}

// The same for ids with more. Block (x, y): column tile y of the id that stands at sorted place 64 x, if that is the first such place of the id. A warp
// takes every sixteenth occurrence; the warps' sums are added in order.
template <typename E, int Width>
__device__ inline void embedding_gradient_frequent(
    const int* starts, const int* sorted, const int* positions, const E* dy, float* dtable, int channels, float scale, int padding) {
    __shared__ float of_warp[embedding_long_warps][warp_lanes * Width];
    int probe = blockIdx.x * embedding_short, v = sorted[probe], first = starts[v], last = starts[v + 1];
    if (v == padding || last - first <= embedding_short || first <= probe - embedding_short) return;
    int lane = threadIdx.x % warp_lanes, warp = threadIdx.x / warp_lanes, c = (blockIdx.y * warp_lanes + lane) * Width;
    float sum[Width] = {};
    if (c < channels) {
#pragma unroll 4
        for (int i = first + warp; i < last; i += embedding_long_warps) {
            float value[Width];
            load_elements<Width>(dy + static_cast<long long>(positions[i]) * channels + c, value);
#pragma unroll
            for (int j = 0; j < Width; j++) sum[j] += value[j];
        }
    }
#pragma unroll
    for (int j = 0; j < Width; j++) of_warp[warp][lane * Width + j] = sum[j];
    __syncthreads();
    if (warp > 0 || c >= channels) return;
    for (int w = 1; w < embedding_long_warps; w++) {
#pragma unroll
        for (int j = 0; j < Width; j++) sum[j] += of_warp[w][lane * Width + j];
    }
#pragma unroll
    for (int j = 0; j < Width; j++) sum[j] *= scale;
    store_elements<Width>(dtable + static_cast<long long>(v) * channels + c, sum);
}

// packed: 16 bytes at a time, as the launch's column tiles assume.
template <typename E>
__device__ inline void embedding_backward_frequent(
    const int* starts, const int* sorted, const int* positions, const E* dy, float* dtable, int channels, float scale, int padding, int packed) {
    if (packed)
        embedding_gradient_frequent<E, Pack<E>::Count>(starts, sorted, positions, dy, dtable, channels, scale, padding);
    else
        embedding_gradient_frequent<E, 1>(starts, sorted, positions, dy, dtable, channels, scale, padding);
}
