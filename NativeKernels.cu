// The device side as one translation unit: what all kernels stand on, one include for each kernel folder, then the export table, one entry for each
// loadable kernel. A symbol is op and pass in snake_case, a variant, and the element type (b32: any elements of 4 bytes); the C# side launches it by that
// name, with its arguments in this order, from <Op>Kernel.Cuda.cs. Shapes and memory contracts stand at the top of each .cuh.
// Where an output may be the very span of an input, nothing says __restrict__.
#include "Kernels/Runtime/Device.cuh"
#include "Kernels/Runtime/Reduce.cuh"
#include "Kernels/Runtime/Philox.cuh"
#include "Kernels/Runtime/Elementwise.cuh"
#include "Kernels/Runtime/IndexBuckets.cuh"
#include "Kernels/Runtime/TensorList.cuh"
#include "Kernels/Add/AddKernel.cuh"
#include "Kernels/Subtract/SubtractKernel.cuh"
#include "Kernels/Multiply/MultiplyKernel.cuh"
#include "Kernels/Scale/ScaleKernel.cuh"
#include "Kernels/Relu/ReluKernel.cuh"
#include "Kernels/Sigmoid/SigmoidKernel.cuh"
#include "Kernels/Gelu/GeluKernel.cuh"
#include "Kernels/Glu/GluKernel.cuh"
#include "Kernels/Dropout/DropoutKernel.cuh"
#include "Kernels/MaskedFill/MaskedFillKernel.cuh"
#include "Kernels/MaskPadding/MaskPaddingKernel.cuh"
#include "Kernels/Slice/SliceKernel.cuh"
#include "Kernels/Concat/ConcatKernel.cuh"
#include "Kernels/CacheAppend/CacheAppendKernel.cuh"
#include "Kernels/BeamReorder/BeamReorderKernel.cuh"
#include "Kernels/Transpose/TransposeKernel.cuh"
#include "Kernels/IndexSelect/IndexSelectKernel.cuh"
#include "Kernels/Embedding/EmbeddingKernel.cuh"
#include "Kernels/IndexRange/IndexRangeKernel.cuh"
#include "Kernels/IsFinite/IsFiniteKernel.cuh"
#include "Kernels/Sum/SumKernel.cuh"
#include "Kernels/Softmax/SoftmaxRow.cuh"
#include "Kernels/Softmax/SoftmaxKernel.cuh"
#include "Kernels/LogSoftmax/LogSoftmaxKernel.cuh"
#include "Kernels/LayerNorm/LayerNormKernel.cuh"
#include "Kernels/LayerNorm/LayerNormBackward.cuh"
#include "Kernels/TopK/RankKey.cuh"
#include "Kernels/TopK/TopKKernel.cuh"
#include "Kernels/ArgMax/ArgMaxKernel.cuh"
#include "Kernels/Linear/LinearKernel.cuh"
#include "Kernels/CrossEntropy/CrossEntropyKernel.cuh"
#include "Kernels/Attention/AttentionTile.cuh"
#include "Kernels/Attention/AttentionKernel.cuh"
#include "Kernels/Attention/AttentionBackward.cuh"
#include "Kernels/AttentionStep/AttentionStepKernel.cuh"
#include "Kernels/Adam/AdamKernel.cuh"
#include "Kernels/GradientNorm/GradientNormKernel.cuh"
#include "Kernels/Runtime/Taps.cuh"
#include "Kernels/Runtime/SlidingWindow.cuh"
#include "Kernels/Runtime/ConvGeneric.cuh"
#include "Kernels/Runtime/ConvWindow.cuh"
#include "Kernels/LightConv/LightConvKernel.cuh"
#include "Kernels/DepthwiseConv/DepthwiseConvKernel.cuh"
#include "Kernels/DynamicConv/DynamicConvKernel.cuh"
#include "Kernels/DynamicConv/DynamicConvGeneric.cuh"

#define KERNEL(threads) extern "C" __global__ void __launch_bounds__(threads)
// As many registers as let so many blocks share a multiprocessor: left to itself the compiler spills a few for one block more.
#define KERNEL_OF_BLOCKS(threads, blocks) extern "C" __global__ void __launch_bounds__(threads, blocks)

// clang-format off
// Parameters that many kernels share, and what the kernels make of them.
#define MASK_PARAMETERS unsigned long long seed, unsigned long long stream, const unsigned long long* shift, unsigned threshold, float kept
#define MASK make_mask(seed, stream, shift, threshold, kept)
#define TAP_PARAMETERS int softmax, MASK_PARAMETERS
#define TAPS TapRule{softmax, MASK}
#define BROADCAST_PARAMETERS long long inner, int walks_x, int walks_y, int rank, \
    long long n0, long long n1, long long n2, long long n3, long long n4, \
    long long x0, long long x1, long long x2, long long x3, long long x4, \
    long long y0, long long y1, long long y2, long long y3, long long y4
#define BROADCAST_AXES BroadcastAxes{inner, walks_x, walks_y, rank, {n0, n1, n2, n3, n4}, {x0, x1, x2, x3, x4}, {y0, y1, y2, y3, y4}}
#define ATTENTION_PARAMETERS int b, int t, int s, int channels, int heads, int causal, float scale
#define ATTENTION_SIZE AttentionSize{b, t, s, channels, heads, causal, scale}
// clang-format on

// Element-wise: x, y, z [length]; broadcasts: sizes and strides of the axes outside the row (Elementwise.cuh).

KERNEL(256) add_forward_f32(const float* x, const float* y, float* z, long long length) { elementwise_binary(x, y, z, length, AddFunction()); }

KERNEL(256) add_forward_broadcast_f32(const float* x, const float* y, float* z, long long length, int packed, BROADCAST_PARAMETERS) {
    elementwise_broadcast(x, y, z, length, packed, BROADCAST_AXES, AddFunction());
}

KERNEL(256) subtract_forward_f32(const float* x, const float* y, float* z, long long length) { elementwise_binary(x, y, z, length, SubtractFunction()); }

KERNEL(256) subtract_forward_broadcast_f32(const float* x, const float* y, float* z, long long length, int packed, BROADCAST_PARAMETERS) {
    elementwise_broadcast(x, y, z, length, packed, BROADCAST_AXES, SubtractFunction());
}

KERNEL(256) multiply_forward_f32(const float* x, const float* y, float* z, long long length) { elementwise_binary(x, y, z, length, MultiplyFunction()); }

KERNEL(256) multiply_forward_broadcast_f32(const float* x, const float* y, float* z, long long length, int packed, BROADCAST_PARAMETERS) {
    elementwise_broadcast(x, y, z, length, packed, BROADCAST_AXES, MultiplyFunction());
}

KERNEL(256) multiply_backward_f32(const float* a, const float* b, const float* dy, float* da, float* db, long long length) {
    multiply_backward(a, b, dy, da, db, length);
}

KERNEL(256) scale_forward_f32(const float* x, float factor, float* y, long long length) { elementwise_unary(x, y, length, ScaleFunction{factor}); }

KERNEL(256) relu_forward_f32(const float* x, float* y, long long length) { elementwise_unary(x, y, length, ReluFunction()); }
KERNEL(256) relu_backward_f32(const float* y, const float* dy, float* dx, long long length) { elementwise_binary(y, dy, dx, length, ReluSlope()); }

KERNEL(256) sigmoid_forward_f32(const float* x, float* y, long long length) { elementwise_unary(x, y, length, SigmoidFunction()); }
KERNEL(256) sigmoid_backward_f32(const float* y, const float* dy, float* dx, long long length) { elementwise_binary(y, dy, dx, length, SigmoidSlope()); }

KERNEL(256) gelu_forward_f32(const float* x, float* y, long long length) { elementwise_unary(x, y, length, GeluFunction()); }
KERNEL(256) gelu_backward_f32(const float* x, const float* dy, float* dx, long long length) { elementwise_binary(x, dy, dx, length, GeluSlope()); }

// x, dx [N, 2C]; y, dy [N, C], length N C
KERNEL(256) glu_forward_f32(const float* x, float* y, long long length, int channels) { glu_forward(x, y, length, channels); }
KERNEL(256) glu_backward_f32(const float* x, const float* dy, float* dx, long long length, int channels) { glu_backward(x, dy, dx, length, channels); }

// x, y [length]
KERNEL(256) dropout_forward_f32(const float* x, float* y, long long length, MASK_PARAMETERS) { dropout_forward(x, y, length, MASK); }

// x, y [length] of the output's shape; mask int32 under broadcasting
KERNEL(256) masked_fill_forward_f32(
    const float* x, const int* mask, float value, float* y, long long length, int packed, long long inner, int walks, int rank, long long n0, long long n1,
    long long n2, long long n3, long long n4, long long m0, long long m1, long long m2, long long m3, long long m4) {
    BroadcastAxes axes = {inner, 1, walks, rank, {n0, n1, n2, n3, n4}, {}, {m0, m1, m2, m3, m4}};
    masked_fill_forward(x, mask, value, y, length, packed, axes);
}

// x, y [B, T, inner]; lengths int32 [B]
KERNEL(256) mask_padding_forward_f32(const float* x, const int* lengths, float* y, long long length, int t_size, long long inner) {
    mask_padding_forward(x, lengths, y, length, t_size, inner);
}

// Copies: elements of 4 bytes.

// rows of `run` elements, stride_x and stride_y apart; length rows * run
KERNEL(256) copy_rows_b32(const unsigned* __restrict__ x, long long stride_x, unsigned* __restrict__ y, long long stride_y, long long length, long long run) {
    copy_rows(x, stride_x, y, stride_y, length, run);
}

// x [N, C]; positions int32 [N]; cache [N, S, C]; length N * C
KERNEL(256) cache_append_b32(
    const unsigned* __restrict__ x, const int* __restrict__ positions, unsigned* __restrict__ cache, long long length, long long channels, long long places) {
    cache_append(x, positions, cache, length, channels, places);
}

// x [N, row]; parents, counts int32 [N], counts or null; packed: rows and channels are whole packs of four elements
KERNEL(128) beam_reorder_b32(unsigned* x, const int* parents, const int* counts, int beam, int channels, int row, int blocks, int packed) {
    if (packed)
        beam_reorder(reinterpret_cast<uint4*>(x), parents, counts, beam, channels, row, blocks);
    else
        beam_reorder(x, parents, counts, beam, channels, row, blocks);
}

// dy [rows, run]; dx [rows, row], length rows * row
KERNEL(256) slice_backward_b32(const unsigned* __restrict__ dy, unsigned* __restrict__ dx, long long length, long long row, long long before, long long run) {
    slice_backward(dy, dx, length, row, before, run);
}

// y [length], axes of the output with their strides in x
KERNEL(256) transpose_rows_b32(
    const unsigned* __restrict__ x, unsigned* __restrict__ y, long long length, int packed, int rank, long long n0, long long n1, long long n2, long long n3,
    long long n4, long long n5, long long x0, long long x1, long long x2, long long x3, long long x4, long long x5) {
    TransposeAxes axes = {rank, {n0, n1, n2, n3, n4, n5}, {x0, x1, x2, x3, x4, x5}};
    transpose_rows(x, y, length, packed, axes);
}

// planes y [rows, columns] of x [columns, rows]
KERNEL(256) transpose_tiles_b32(
    const unsigned* __restrict__ x, unsigned* __restrict__ y, long long rows, long long columns, long long input_stride, long long output_stride, long long n0,
    long long n1, long long n2, long long n3, long long x0, long long x1, long long x2, long long x3, long long y0, long long y1, long long y2, long long y3) {
    PlaneAxes planes = {{n0, n1, n2, n3}, {x0, x1, x2, x3}, {y0, y1, y2, y3}};
    transpose_tiles(x, y, rows, columns, input_stride, output_stride, planes);
}

// Indices.

// x [outer, size, inner]; indices int32 [count]; y [outer, count, inner], length of y
KERNEL(256) index_select_forward_b32(
    const unsigned* __restrict__ x, const int* __restrict__ indices, unsigned* __restrict__ y, long long length, int size, long long inner, int count) {
    index_select_forward(x, indices, y, length, size, inner, count);
}

// starts [size + 1], positions [count]; dy [outer, count, inner]; dx [outer, size, inner], length of dx
KERNEL(256) index_select_backward_f32(
    const int* __restrict__ starts, const int* __restrict__ positions, const float* __restrict__ dy, float* __restrict__ dx, long long length, int size,
    long long inner, int count) {
    index_select_backward(starts, positions, dy, dx, length, size, inner, count);
}

// indices [count], counts [256, blocks], sorted and positions [count], starts [limit + 1]; all int32
KERNEL(256) index_buckets_count_i32(const int* indices, int* counts, int count, int shift) { index_buckets_count(indices, counts, count, shift); }
KERNEL(1024) index_buckets_scan_i32(int* counts, int length) { index_buckets_scan(counts, length); }
KERNEL(256) index_buckets_scatter_i32(const int* indices, const int* positions, const int* counts, int* sorted, int* sorted_positions, int count, int shift) {
    index_buckets_scatter(indices, positions, counts, sorted, sorted_positions, count, shift);
}
KERNEL(256) index_buckets_starts_i32(const int* sorted, int* starts, int count, int limit) { index_buckets_starts(sorted, starts, count, limit); }

// table, dtable [V, C]; ids int32 [N]; y, dy [N, C]; starts [V + 1], sorted, positions [N]
KERNEL(256) embedding_forward_f32(
    const float* __restrict__ table, const int* __restrict__ ids, float* __restrict__ y, long long count, int channels, float scale) {
    embedding_forward(table, ids, y, count, channels, scale);
}
KERNEL(256) embedding_backward_f32(
    const int* __restrict__ starts, const int* __restrict__ positions, const float* __restrict__ dy, float* __restrict__ dtable, int ids, int channels,
    float scale, int padding) {
    embedding_backward(starts, positions, dy, dtable, ids, channels, scale, padding);
}
KERNEL(512) embedding_backward_frequent_f32(
    const int* __restrict__ starts, const int* __restrict__ sorted, const int* __restrict__ positions, const float* __restrict__ dy, float* __restrict__ dtable,
    int channels, float scale, int padding, int packed) {
    embedding_backward_frequent(starts, sorted, positions, dy, dtable, channels, scale, padding, packed);
}

// indices int32 [length]; first uint64 [1]
KERNEL(256) index_range_first_outside_i32(const int* indices, unsigned long long* first, long long length, int limit, int has_allowed, int allowed) {
    index_range_first_outside(indices, first, length, limit, has_allowed, allowed);
}

// x [length]; found int32 [1]
KERNEL(256) is_finite_all_f32(const float* x, int* found, long long length) { is_finite_all(x, found, length); }

// Sums: x, w [outer, length, inner]; y [outer, inner], or [outer, parts, inner]; partial double [outer, parts].

KERNEL(256) sum_rows_f32(const float* x, const float* w, float* y, long long outer, long long length, float factor) {
    sum_rows<float, SumElement>(x, w, y, outer, length, factor);
}
KERNEL(256) sum_rows_of_products_f32(const float* x, const float* w, float* y, long long outer, long long length, float factor) {
    sum_rows<float, SumProduct>(x, w, y, outer, length, factor);
}
KERNEL(256) sum_long_rows_f32(const float* x, const float* w, float* y, double* partial, long long length, long long part, int parts, float factor) {
    sum_long_rows<float, SumElement>(x, w, y, partial, length, part, parts, factor);
}
KERNEL(256) sum_long_rows_of_products_f32(
    const float* x, const float* w, float* y, double* partial, long long length, long long part, int parts, float factor) {
    sum_long_rows<float, SumProduct>(x, w, y, partial, length, part, parts, factor);
}
KERNEL(256) sum_parts_f32(const double* partial, float* y, int parts, float factor) { sum_parts(partial, y, parts, factor); }
KERNEL(256) sum_columns_f32(
    const float* x, const float* w, float* y, long long length, long long inner, long long stride, long long part, int parts, int tiles, float factor,
    int accumulate, int packed) {
    sum_columns<float, SumElement>(x, w, y, length, inner, stride, part, parts, tiles, factor, accumulate, packed);
}
KERNEL(256) sum_columns_of_products_f32(
    const float* x, const float* w, float* y, long long length, long long inner, long long stride, long long part, int parts, int tiles, float factor,
    int accumulate, int packed) {
    sum_columns<float, SumProduct>(x, w, y, length, inner, stride, part, parts, tiles, factor, accumulate, packed);
}
KERNEL(256) sum_backward_f32(const float* __restrict__ dy, float factor, float* __restrict__ dx, long long count, long long length, long long inner) {
    sum_backward(dy, factor, dx, count, length, inner);
}

// Rows: x, y, dy, dx [rows, count].

KERNEL(128) softmax_forward_f32(const float* x, float* y, long long rows, int count) { softmax_forward(x, y, rows, count); }
KERNEL(1024) softmax_forward_wide_f32(const float* x, float* y, int count) { softmax_forward_wide(x, y, count); }
KERNEL(128) softmax_backward_f32(const float* y, const float* dy, float* dx, long long rows, int count) { softmax_backward(y, dy, dx, rows, count); }
KERNEL(1024) softmax_backward_wide_f32(const float* y, const float* dy, float* dx, int count) { softmax_backward_wide(y, dy, dx, count); }

KERNEL(128) log_softmax_forward_f32(const float* x, float* y, long long rows, int count) { log_softmax_forward(x, y, rows, count); }
KERNEL(1024) log_softmax_forward_wide_f32(const float* x, float* y, int count) { log_softmax_forward_wide(x, y, count); }
KERNEL(128) log_softmax_backward_f32(const float* y, const float* dy, float* dx, long long rows, int count) { log_softmax_backward(y, dy, dx, rows, count); }
KERNEL(1024) log_softmax_backward_wide_f32(const float* y, const float* dy, float* dx, int count) { log_softmax_backward_wide(y, dy, dx, count); }

// gain, bias, dgain, dbias [C]; mean, r [rows] or null; partial [blocks, 2, C] or null
KERNEL_OF_BLOCKS(128, 3) layer_norm_forward_f32(
    const float* __restrict__ x, const float* __restrict__ gain, const float* __restrict__ bias, float* __restrict__ y, float* __restrict__ mean,
    float* __restrict__ r, long long rows, int channels, float epsilon) {
    layer_norm_forward(x, gain, bias, y, mean, r, rows, channels, epsilon);
}
KERNEL(1024) layer_norm_forward_wide_f32(
    const float* __restrict__ x, const float* __restrict__ gain, const float* __restrict__ bias, float* __restrict__ y, float* __restrict__ mean,
    float* __restrict__ r, int channels, float epsilon) {
    layer_norm_forward_wide(x, gain, bias, y, mean, r, channels, epsilon);
}
KERNEL(256) layer_norm_backward_f32(
    const float* __restrict__ x, const float* __restrict__ gain, const float* __restrict__ mean, const float* __restrict__ r, const float* __restrict__ dy,
    float* __restrict__ dx, float* __restrict__ partial, int rows, int block_rows, int channels) {
    layer_norm_backward(x, gain, mean, r, dy, dx, partial, rows, block_rows, channels);
}
KERNEL(256) layer_norm_backward_wide_f32(
    const float* __restrict__ x, const float* __restrict__ gain, const float* __restrict__ mean, const float* __restrict__ r, const float* __restrict__ dy,
    float* __restrict__ dx, float* __restrict__ partial, int rows, int block_rows, int channels) {
    layer_norm_backward_wide(x, gain, mean, r, dy, dx, partial, rows, block_rows, channels);
}
KERNEL(256) layer_norm_parameters_f32(const float* partial, float* dgain, float* dbias, int blocks, int channels) {
    layer_norm_parameters(partial, dgain, dbias, blocks, channels);
}

// x [rows, count]; indices int32 [rows], or values and indices [rows, k]; spill uint64 [rows, spill_count] or null
KERNEL(1024) arg_max_forward_f32(const float* x, int* indices, int count) { arg_max_forward(x, indices, count); }
KERNEL(1024) top_k_forward_f32(const float* x, float* values, int* indices, unsigned long long* spill, int count, int k, int capacity, int spill_count) {
    top_k_forward(x, values, indices, spill, count, k, capacity, spill_count);
}

// sums, z, y [rows, columns], length rows * columns; bias [columns] or null; z or null
KERNEL(256) linear_epilogue_f32(const float* sums, const float* bias, float* z, float* y, long long length, int columns) {
    linear_epilogue(sums, bias, z, y, length, columns, NoActivation());
}
KERNEL(256) linear_epilogue_relu_f32(const float* sums, const float* bias, float* z, float* y, long long length, int columns) {
    linear_epilogue(sums, bias, z, y, length, columns, ReluFunction());
}
KERNEL(256) linear_epilogue_gelu_f32(const float* sums, const float* bias, float* z, float* y, long long length, int columns) {
    linear_epilogue(sums, bias, z, y, length, columns, GeluFunction());
}

// saved, dy, dz [rows, columns], dz or null; partial [parts, columns] or null
KERNEL(256) linear_backward_relu_f32(
    const float* saved, const float* dy, float* dz, float* partial, long long rows, long long columns, int part_rows, int tiles, int packed) {
    linear_backward(saved, dy, dz, partial, rows, columns, part_rows, tiles, packed, ReluSlope());
}
KERNEL(256) linear_backward_gelu_f32(
    const float* saved, const float* dy, float* dz, float* partial, long long rows, long long columns, int part_rows, int tiles, int packed) {
    linear_backward(saved, dy, dz, partial, rows, columns, part_rows, tiles, packed, GeluSlope());
}

// logits [rows, stride], `classes` of them; bias [classes] or null; targets int32, losses, nlls double [rows]; loss, nll [1]
KERNEL(1024) cross_entropy_rows_f32(
    float* logits, const float* bias, const int* targets, double* losses, double* nlls, int classes, long long stride, int padding, double on_every,
    double on_target, int recording) {
    cross_entropy_rows(logits, bias, targets, losses, nlls, classes, stride, padding, on_every, on_target, recording);
}
KERNEL(1024) cross_entropy_sum_f32(const double* losses, const double* nlls, float* loss, float* nll, int rows) {
    cross_entropy_sum(losses, nlls, loss, nll, rows);
}

// x, y [rows, channels], length rows * channels; targets int32 [rows]
KERNEL(256) cross_entropy_clear_padding_f32(const float* x, const int* targets, float* y, long long length, int channels, int padding) {
    cross_entropy_clear_padding(x, targets, y, length, channels, padding);
}

// dloss [1]; gradient, scaled [length]
KERNEL(256) cross_entropy_backward_f32(const float* dloss, const float* gradient, float* scaled, long long length) {
    cross_entropy_backward(dloss, gradient, scaled, length);
}

// q, y, dy, dq [B, T, C]; k, v, dk, dv [B, S, C]; lengths int32 [B] or null; statistics [2, B, H, T] or null; delta [B, H, T]; p [B, H, T, S];
// d32, d64, d128: channels of a tile.
#define ATTENTION(D)                                                                                                                                         \
    KERNEL_OF_BLOCKS(256, 1) attention_forward_d##D##_f32(                                                                                                   \
        const float* __restrict__ q, const float* __restrict__ k, const float* __restrict__ v, const int* __restrict__ lengths, float* __restrict__ y,       \
        float* __restrict__ statistics, ATTENTION_PARAMETERS, MASK_PARAMETERS) {                                                                             \
        attention_forward<float, D>(q, k, v, lengths, y, statistics, ATTENTION_SIZE, MASK);                                                                  \
    }                                                                                                                                                        \
    KERNEL_OF_BLOCKS(256, 1) attention_probabilities_d##D##_f32(                                                                                             \
        const float* __restrict__ q, const float* __restrict__ k, const int* __restrict__ lengths, float* __restrict__ p, ATTENTION_PARAMETERS) {            \
        attention_probabilities<float, D>(q, k, lengths, p, ATTENTION_SIZE);                                                                                 \
    }                                                                                                                                                        \
    KERNEL_OF_BLOCKS(256, 1) attention_backward_queries_d##D##_f32(                                                                                          \
        const float* __restrict__ q, const float* __restrict__ k, const float* __restrict__ v, const int* __restrict__ lengths,                              \
        const float* __restrict__ statistics, const float* __restrict__ delta, const float* __restrict__ dy, float* __restrict__ dq, ATTENTION_PARAMETERS,   \
        MASK_PARAMETERS) {                                                                                                                                   \
        attention_backward_queries<float, D>(q, k, v, lengths, statistics, delta, dy, dq, ATTENTION_SIZE, MASK);                                             \
    }                                                                                                                                                        \
    KERNEL_OF_BLOCKS(256, 1) attention_backward_keys_d##D##_f32(                                                                                             \
        const float* __restrict__ q, const float* __restrict__ k, const float* __restrict__ v, const int* __restrict__ lengths,                              \
        const float* __restrict__ statistics, const float* __restrict__ delta, const float* __restrict__ dy, float* __restrict__ dk, float* __restrict__ dv, \
        ATTENTION_PARAMETERS, MASK_PARAMETERS) {                                                                                                             \
        attention_backward_keys<float, D>(q, k, v, lengths, statistics, delta, dy, dk, dv, ATTENTION_SIZE, MASK);                                            \
    }
ATTENTION(32)
ATTENTION(64)
ATTENTION(128)
#undef ATTENTION
KERNEL(256) attention_delta_f32(const float* __restrict__ y, const float* __restrict__ dy, float* __restrict__ delta, ATTENTION_PARAMETERS) {
    attention_delta(y, dy, delta, ATTENTION_SIZE);
}

// q, y [N, C]; keys, values [M, S, C]; lengths int32 [M] or null; partial [N, H, parts, D + 2] or null
KERNEL_OF_BLOCKS(128, 1) attention_step_f32(
    const float* __restrict__ q, const float* __restrict__ keys, const float* __restrict__ values, const int* __restrict__ lengths, float* __restrict__ y,
    float* __restrict__ partial, int n, int m, int s, int channels, int heads, int count, float scale, int parts, int groups, int slices) {
    attention_step(q, keys, values, lengths, y, partial, AttentionStepSize{n, m, s, channels, heads, count, scale}, parts, groups, slices);
}
KERNEL(128) attention_step_join_f32(
    const float* __restrict__ partial, const int* __restrict__ lengths, float* __restrict__ y, int n, int m, int s, int channels, int heads, int count,
    float scale, int parts) {
    attention_step_join(partial, lengths, y, AttentionStepSize{n, m, s, channels, heads, count, scale}, parts);
}

// words: TensorList.cuh
KERNEL(256) adam_step_f32(
    const long long* words, int tensors, float gradient_scale, float l2, float beta1, float gain1, float beta2, float gain2, float step_size, float root_scale,
    float epsilon, float decay, const float* scale) {
    adam_step(words, tensors, AdamFactors{gradient_scale, l2, beta1, gain1, beta2, gain2, step_size, root_scale, epsilon, decay}, scale);
}
KERNEL(256) gradient_norm_blocks_f32(const long long* words, int tensors, double* partial) { gradient_norm_blocks<float>(words, tensors, partial); }
KERNEL(1024) gradient_norm_clip_f32(const double* partial, int blocks, float scale, float max_norm, const float* loss, float* norm, float* guard) {
    gradient_norm_clip(partial, blocks, scale, max_norm, loss, norm, guard);
}
KERNEL(1024) gradient_norm_sum_f64(const double* partial, double* sum, int blocks) { gradient_norm_sum(partial, sum, blocks); }

// LightConv: x, y, dy, dx [B, T, C]; weight, dweight [H, K]; C = H R; partial [parts, segments of 32 V channels, slots, K].
// Exported for each width K that has a window in registers, V channels a thread.
#define LIGHT_CONV(K, V)                                                                                                                                   \
    KERNEL(128) light_conv_forward_k##K##_f32(                                                                                                             \
        const float* x, const float* weight, float* y, int B, int T, int C, int R, int left_padding, int run, TAP_PARAMETERS) {                            \
        light_conv_forward_window<float, K, V>(x, weight, y, B, T, C, R, left_padding, run, TAPS);                                                         \
    }                                                                                                                                                      \
    KERNEL(128) light_conv_backward_k##K##_f32(                                                                                                            \
        const float* x, const float* weight, const float* dy, float* dx, float* partial, int B, int T, int C, int R, int left_padding, int run, int parts, \
        int slots, TAP_PARAMETERS) {                                                                                                                       \
        light_conv_backward_window<float, K, V>(x, weight, dy, dx, partial, B, T, C, R, left_padding, run, parts, slots, TAPS);                            \
    }
LIGHT_CONV(3, 4)
LIGHT_CONV(5, 4)
LIGHT_CONV(7, 4)
LIGHT_CONV(15, 4)
LIGHT_CONV(31, 2)
#undef LIGHT_CONV

// taps [H, K]
KERNEL(128) light_conv_taps_f32(const float* weight, float* taps, int H, int K, TAP_PARAMETERS) { light_conv_taps(weight, taps, H, K, TAPS); }

KERNEL(128) light_conv_forward_f32(const float* x, const float* taps, float* y, int T, int C, int R, int K, int left_padding) {
    conv_slide(x, taps, static_cast<const float*>(nullptr), y, T, C, R, K, left_padding, false);
}

KERNEL(128) light_conv_backward_f32(const float* dy, const float* taps, float* dx, int T, int C, int R, int K, int left_padding) {
    conv_slide(dy, taps, static_cast<const float*>(nullptr), dx, T, C, R, K, K - 1 - left_padding, true);
}
// partial [parts, C, K]
KERNEL(256) light_conv_partial_gradient_f32(const float* x, const float* dy, float* partial, int B, int T, int C, int K, int left_padding, int parts) {
    conv_partial_gradient(x, dy, partial, B, T, C, K, left_padding, parts, K);
}
// partial [parts, segments of `width` channels, slots, K]
KERNEL(256) light_conv_weight_gradient_f32(
    const float* partial, const float* weight, float* dweight, int C, int R, int K, int parts, int width, int slots, TAP_PARAMETERS) {
    light_conv_weight_gradient(partial, weight, dweight, C, R, K, parts, width, slots, TAPS);
}
// x, y [N, C]; window [N, K, C]; positions int32 [N]
KERNEL(128) light_conv_step_f32(
    const float* x, const float* weight, float* window, float* y, int N, int C, int R, int K, const int* positions, int channels, int rows, TAP_PARAMETERS) {
    conv_step<false>(x, weight, window, y, N, C, R, K, positions, channels, rows, TAPS);
}

// DepthwiseConv: x, y, dy, dx [B, T, C]; weight, dweight [C, K]; bias, dbias [C]; partial [parts, C, K + 1].
#define DEPTHWISE_CONV(K, V)                                                                                                                          \
    KERNEL(128) depthwise_conv_forward_k##K##_f32(                                                                                                    \
        const float* x, const float* weight, const float* bias, float* y, int B, int T, int C, int left_padding, int run) {                           \
        depthwise_conv_forward_window<float, K, V>(x, weight, bias, y, B, T, C, left_padding, run);                                                   \
    }                                                                                                                                                 \
    KERNEL_OF_BLOCKS(128, 2) depthwise_conv_backward_k##K##_f32(                                                                                      \
        const float* x, const float* weight, const float* dy, float* dx, float* partial, int B, int T, int C, int left_padding, int run, int parts) { \
        depthwise_conv_backward_window<float, K, V>(x, weight, dy, dx, partial, B, T, C, left_padding, run, parts);                                   \
    }
DEPTHWISE_CONV(3, 4)
DEPTHWISE_CONV(5, 4)
DEPTHWISE_CONV(7, 4)
DEPTHWISE_CONV(15, 2)
DEPTHWISE_CONV(31, 1)
#undef DEPTHWISE_CONV

KERNEL(128) depthwise_conv_forward_f32(const float* x, const float* weight, const float* bias, float* y, int T, int C, int K, int left_padding) {
    conv_slide(x, weight, bias, y, T, C, 1, K, left_padding, false);
}

KERNEL(128) depthwise_conv_backward_f32(const float* dy, const float* weight, float* dx, int T, int C, int K, int left_padding) {
    conv_slide(dy, weight, static_cast<const float*>(nullptr), dx, T, C, 1, K, K - 1 - left_padding, true);
}

KERNEL(256) depthwise_conv_partial_gradient_f32(const float* x, const float* dy, float* partial, int B, int T, int C, int K, int left_padding, int parts) {
    conv_partial_gradient(x, dy, partial, B, T, C, K, left_padding, parts, K + 1);
}

KERNEL(256) depthwise_conv_parameter_gradient_f32(const float* partial, float* dweight, float* dbias, int C, int K, int parts) {
    depthwise_conv_parameter_gradient(partial, dweight, dbias, C, K, parts);
}

// DynamicConv: x, y, dy, dx [B, T, C]; logits, dlogits [B, T, H, K]; statistics [B, T, H, 2].
#define DYNAMIC_CONV(K, V)                                                                                                                                  \
    KERNEL(128) dynamic_conv_forward_k##K##_f32(                                                                                                            \
        const float* x, const float* logits, float* y, int T, int C, int H, int left_padding, int tile, TAP_PARAMETERS) {                                   \
        dynamic_conv_forward_window<float, K, V>(x, logits, y, T, C, H, left_padding, tile, TAPS);                                                          \
    }                                                                                                                                                       \
    KERNEL_OF_BLOCKS(128, 2) dynamic_conv_backward_k##K##_f32(                                                                                              \
        const float* x, const float* logits, const float* dy, float* dx, float* dlogits, int T, int C, int H, int left_padding, int tile, TAP_PARAMETERS) { \
        dynamic_conv_backward_window<float, K, V>(x, logits, dy, dx, dlogits, T, C, H, left_padding, tile, TAPS);                                           \
    }
DYNAMIC_CONV(3, 4)
DYNAMIC_CONV(5, 4)
DYNAMIC_CONV(7, 4)
DYNAMIC_CONV(15, 4)
DYNAMIC_CONV(31, 2)
#undef DYNAMIC_CONV

KERNEL(128) dynamic_conv_forward_f32(const float* x, const float* logits, float* y, int T, int C, int H, int K, int left_padding, int heads, TAP_PARAMETERS) {
    dynamic_conv_forward_generic(x, logits, y, T, C, H, K, left_padding, heads, TAPS);
}

KERNEL(288) dynamic_conv_tap_gradient_f32(
    const float* x, const float* logits, const float* dy, float* dlogits, float* statistics, int T, int C, int H, int K, int left_padding, int octets,
    TAP_PARAMETERS) {
    dynamic_conv_tap_gradient(x, logits, dy, dlogits, statistics, T, C, H, K, left_padding, octets, TAPS);
}

KERNEL(128) dynamic_conv_backward_f32(
    const float* logits, const float* dy, const float* statistics, float* dx, int T, int C, int H, int K, int left_padding, int heads, TAP_PARAMETERS) {
    dynamic_conv_backward_generic(logits, dy, statistics, dx, T, C, H, K, left_padding, heads, TAPS);
}

KERNEL(128) dynamic_conv_step_f32(
    const float* x, const float* logits, float* window, float* y, int N, int C, int R, int K, const int* positions, int channels, int rows, TAP_PARAMETERS) {
    conv_step<true>(x, logits, window, y, N, C, R, K, positions, channels, rows, TAPS);
}
