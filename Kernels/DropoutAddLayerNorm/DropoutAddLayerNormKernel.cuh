// sum = residual + mask x, y = (sum - mean) r gain + bias row by row, and its gradients: the layer norm of LayerNorm/, whose rows are added up as they are
// fetched, and whose gradient is masked as it is stored. Twin: DropoutAddLayerNormKernel.Cpu.cs.
// x, residual, sum, y, dy, dx, dresidual [rows, C]; all else as in LayerNormKernel.cuh. `sum` has the type of the rows, and what is normalised is what it holds.

// sum may be null where nobody reads a row again.
template <typename E>
struct DropoutAddRows {
    const E* x;
    const E* residual;
    E* sum;
    DropMask mask;
    long long start;

    __device__ DropoutAddRows row(long long offset) const {
        return {x + offset, residual + offset, sum == nullptr ? nullptr : sum + offset, mask, start + offset};
    }

    template <int Width>
    __device__ void first(int c, float (&value)[Width]) const {
        float other[Width];
        load_elements<Width>(x + c, value);
        load_elements<Width>(residual + c, other);
        if (mask.active()) drop_elements<Width>(mask, start + c, value);
#pragma unroll
        for (int j = 0; j < Width; j++) value[j] = to_float(from_float<E>(value[j] + other[j]));
        if (sum != nullptr) store_elements<Width>(sum + c, value);
    }

    __device__ const E* again() const { return sum; }
};

template <typename E>
struct DropoutAddGradient {
    E* dx;
    E* dresidual;
    DropMask mask;
    long long start;

    __device__ bool wanted() const { return dx != nullptr || dresidual != nullptr; }

    __device__ DropoutAddGradient row(long long offset) const {
        return {dx == nullptr ? nullptr : dx + offset, dresidual == nullptr ? nullptr : dresidual + offset, mask, start + offset};
    }

    template <int Width>
    __device__ void store(int c, const float (&value)[Width]) const {
        if (dresidual != nullptr) store_elements<Width>(dresidual + c, value);
        if (dx == nullptr) return;
        float own[Width];
#pragma unroll
        for (int j = 0; j < Width; j++) own[j] = value[j];
        if (mask.active()) drop_elements<Width>(mask, start + c, own);
        store_elements<Width>(dx + c, own);
    }
};

template <typename E>
__device__ inline void dropout_add_layer_norm_forward(
    DropoutAddRows<E> rows_of, const float* gain, const float* bias, E* y, float* mean, float* r, long long rows, int channels, float epsilon) {
    if (channels % Pack<E>::Count == 0 && aligned(rows_of.x, rows_of.residual, rows_of.sum, gain, bias, y))
        layer_norm_forward_rows<Pack<E>::Count>(rows_of, gain, bias, y, mean, r, rows, channels, epsilon);
    else
        layer_norm_forward_rows<1>(rows_of, gain, bias, y, mean, r, rows, channels, epsilon);
}

// sum is not null, and may be y.
template <typename E>
__device__ inline void dropout_add_layer_norm_forward_wide(
    DropoutAddRows<E> rows_of, const float* gain, const float* bias, E* y, float* mean, float* r, int channels, float epsilon) {
    if (channels % Pack<E>::Count == 0 && aligned(rows_of.x, rows_of.residual, rows_of.sum, gain, bias, y))
        layer_norm_forward_block<Pack<E>::Count>(rows_of, gain, bias, y, mean, r, channels, epsilon);
    else
        layer_norm_forward_block<1>(rows_of, gain, bias, y, mean, r, channels, epsilon);
}

// Every pointer at a multiple of 16 bytes, every row a multiple of that long.
template <typename E>
__device__ inline void dropout_add_layer_norm_backward(
    const E* sum, const float* gain, const float* mean, const float* r, const E* dy, DropoutAddGradient<E> gradient, float* partial, int rows, int block_rows,
    int channels) {
    layer_norm_backward_rows<Pack<E>::Count>(sum, gain, mean, r, dy, gradient, partial, rows, block_rows, channels);
}

template <typename E>
__device__ inline void dropout_add_layer_norm_backward_wide(
    const E* sum, const float* gain, const float* mean, const float* r, const E* dy, DropoutAddGradient<E> gradient, float* partial, int rows, int block_rows,
    int channels) {
    layer_norm_backward_blocks(sum, gain, mean, r, dy, gradient, partial, rows, block_rows, channels);
}
