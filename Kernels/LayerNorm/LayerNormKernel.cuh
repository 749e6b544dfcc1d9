// y = (x - mean) r gain + bias row by row, r = 1 / sqrt(variance + epsilon), and its gradients. Twin: LayerNormKernel.Cpu.cs.
// x, y, dy, dx [rows, C]; gain, bias, dgain, dbias [C], mean, r [rows], which are float whatever the rows are.
// Rows of up to 1024 live in the registers of a warp, so that each tensor crosses the memory once; the wide kernels give a longer row a block, which reads it
// again from the cache.

// Where rows come from. Of the row that begins at an offset into [rows, C], `first` fetches elements c .. c + Width and is called once for each; `again` is
// where the row can be read from then on.
template <typename E>
struct LayerNormRows {
    const E* x;

    __device__ LayerNormRows row(long long offset) const { return {x + offset}; }

    template <int Width>
    __device__ void first(int c, float (&value)[Width]) const {
        load_elements<Width>(x + c, value);
    }

    __device__ const E* again() const { return x; }
};

template <int Width, typename E, typename Rows>
__device__ inline void layer_norm_forward_rows(
    Rows rows_of, const float* gain, const float* bias, E* y, float* mean, float* r, long long rows, int channels, float epsilon) {
    long long n;
    if (!warp_row(rows, n)) return;
    Rows own = rows_of.row(n * channels);
    WarpRow<E, Width> row;
#pragma unroll
    for (int i = 0; i < row.Steps; i++) {
        int c = row.at(i);
        if (c < channels) own.template first<Width>(c, row.value[i]);
    }
    float sum = 0.0f, squares = 0.0f;
    row.each(channels, [&](int i, int j) { sum += row.value[i][j]; });
    float center = warp_sum(sum) / channels;
    // A second pass over registers keeps the variance exact beside a large mean.
    row.each(channels, [&](int i, int j) {
        row.value[i][j] -= center;
        squares = fmaf(row.value[i][j], row.value[i][j], squares);
    });
    float scale = 1.0f / sqrtf(warp_sum(squares) / channels + epsilon);
    if (mean != nullptr && threadIdx.x % warp_lanes == 0) {
        mean[n] = center;
        r[n] = scale;
    }
#pragma unroll
    for (int i = 0; i < row.Steps; i++) {
        int c = row.at(i);
        if (c < channels) {
            float g[Width], b[Width];
            load_elements<Width>(gain + c, g);
            load_elements<Width>(bias + c, b);
#pragma unroll
            for (int j = 0; j < Width; j++) row.value[i][j] = fmaf(row.value[i][j] * scale, g[j], b[j]);
        }
    }
    row.store(y + n * channels, channels);
}

template <typename E>
__device__ inline void layer_norm_forward(
    const E* x, const float* gain, const float* bias, E* y, float* mean, float* r, long long rows, int channels, float epsilon) {
    if (channels % Pack<E>::Count == 0 && aligned(x, gain, bias, y))
        layer_norm_forward_rows<Pack<E>::Count>(LayerNormRows<E>{x}, gain, bias, y, mean, r, rows, channels, epsilon);
    else
        layer_norm_forward_rows<1>(LayerNormRows<E>{x}, gain, bias, y, mean, r, rows, channels, epsilon);
}

// Block n has row n.
template <int Width, typename E, typename Rows>
__device__ inline void layer_norm_forward_block(Rows rows_of, const float* gain, const float* bias, E* y, float* mean, float* r, int channels, float epsilon) {
    long long n = blockIdx.x, offset = n * channels;
    Rows own = rows_of.row(offset);
    const E* x = own.again();
    y += offset;
    float sum = 0.0f, squares = 0.0f, value[Width], g[Width], b[Width];
    for (int c = threadIdx.x * Width; c < channels; c += blockDim.x * Width) {
        own.template first<Width>(c, value);
#pragma unroll
        for (int j = 0; j < Width; j++) sum += value[j];
    }
    float center = block_sum(sum) / channels;
    for (int c = threadIdx.x * Width; c < channels; c += blockDim.x * Width) {
        load_elements<Width>(x + c, value);
#pragma unroll
        for (int j = 0; j < Width; j++) squares = fmaf(value[j] - center, value[j] - center, squares);
    }
    float scale = 1.0f / sqrtf(block_sum(squares) / channels + epsilon);
    if (mean != nullptr && threadIdx.x == 0) {
        mean[n] = center;
        r[n] = scale;
    }
    for (int c = threadIdx.x * Width; c < channels; c += blockDim.x * Width) {
        load_elements<Width>(x + c, value);
        load_elements<Width>(gain + c, g);
        load_elements<Width>(bias + c, b);
#pragma unroll
        for (int j = 0; j < Width; j++) value[j] = fmaf((value[j] - center) * scale, g[j], b[j]);
        store_elements<Width>(y + c, value);
    }
}

template <typename E>
__device__ inline void layer_norm_forward_wide(const E* x, const float* gain, const float* bias, E* y, float* mean, float* r, int channels, float epsilon) {
    if (channels % Pack<E>::Count == 0 && aligned(x, gain, bias, y))
        layer_norm_forward_block<Pack<E>::Count>(LayerNormRows<E>{x}, gain, bias, y, mean, r, channels, epsilon);
    else
        layer_norm_forward_block<1>(LayerNormRows<E>{x}, gain, bias, y, mean, r, channels, epsilon);
}
