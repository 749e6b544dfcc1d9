// The kernels that go forward, whether or not anything is trained: one entry each for the activations' type ELEMENT, under SYMBOL(name). Included once for
// each type by NativeKernels.cu. Parameters, statistics and losses are float whatever the activations are.

// Element-wise: x, y, z [length]; broadcasts: sizes and strides of the axes outside the row (Elementwise.cuh).

KERNEL(256) SYMBOL(add_forward)(const ELEMENT* x, const ELEMENT* y, ELEMENT* z, long long length) { elementwise_binary(x, y, z, length, AddFunction()); }

KERNEL(256) SYMBOL(add_forward_broadcast)(const ELEMENT* x, const ELEMENT* y, ELEMENT* z, long long length, int packed, BROADCAST_PARAMETERS) {
    elementwise_broadcast(x, y, z, length, packed, BROADCAST_AXES, AddFunction());
}

KERNEL(256) SYMBOL(subtract_forward)(const ELEMENT* x, const ELEMENT* y, ELEMENT* z, long long length) {
    elementwise_binary(x, y, z, length, SubtractFunction());
}

KERNEL(256) SYMBOL(subtract_forward_broadcast)(const ELEMENT* x, const ELEMENT* y, ELEMENT* z, long long length, int packed, BROADCAST_PARAMETERS) {
    elementwise_broadcast(x, y, z, length, packed, BROADCAST_AXES, SubtractFunction());
}

KERNEL(256) SYMBOL(multiply_forward)(const ELEMENT* x, const ELEMENT* y, ELEMENT* z, long long length) {
    elementwise_binary(x, y, z, length, MultiplyFunction());
}

KERNEL(256) SYMBOL(multiply_forward_broadcast)(const ELEMENT* x, const ELEMENT* y, ELEMENT* z, long long length, int packed, BROADCAST_PARAMETERS) {
    elementwise_broadcast(x, y, z, length, packed, BROADCAST_AXES, MultiplyFunction());
}

KERNEL(256) SYMBOL(scale_forward)(const ELEMENT* x, float factor, ELEMENT* y, long long length) { elementwise_unary(x, y, length, ScaleFunction{factor}); }

KERNEL(256) SYMBOL(relu_forward)(const ELEMENT* x, ELEMENT* y, long long length) { elementwise_unary(x, y, length, ReluFunction()); }

KERNEL(256) SYMBOL(sigmoid_forward)(const ELEMENT* x, ELEMENT* y, long long length) { elementwise_unary(x, y, length, SigmoidFunction()); }

KERNEL(256) SYMBOL(tanh_forward)(const ELEMENT* x, ELEMENT* y, long long length) { elementwise_unary(x, y, length, TanhFunction()); }

KERNEL(256) SYMBOL(exp_forward)(const ELEMENT* x, ELEMENT* y, long long length) { elementwise_unary(x, y, length, ExpFunction()); }

KERNEL(256) SYMBOL(gelu_forward)(const ELEMENT* x, ELEMENT* y, long long length) { elementwise_unary(x, y, length, GeluFunction()); }

// x [N, 2C]; y [N, C], length N C
KERNEL(256) SYMBOL(glu_forward)(const ELEMENT* x, ELEMENT* y, long long length, int channels) { glu_forward(x, y, length, channels); }

// x, y [length]
KERNEL(256) SYMBOL(dropout_forward)(const ELEMENT* x, ELEMENT* y, long long length, MASK_PARAMETERS) { dropout_forward(x, y, length, MASK); }

// x, y [length] of the output's shape; mask int32 under broadcasting
KERNEL(256) SYMBOL(masked_fill_forward)(
    const ELEMENT* x, const int* mask, float value, ELEMENT* y, long long length, int packed, long long inner, int walks, int rank, long long n0, long long n1,
    long long n2, long long n3, long long n4, long long m0, long long m1, long long m2, long long m3, long long m4) {
    BroadcastAxes axes = {inner, 1, walks, rank, {n0, n1, n2, n3, n4}, {}, {m0, m1, m2, m3, m4}};
    masked_fill_forward(x, mask, value, y, length, packed, axes);
}

// x, y [B, T, inner]; lengths int32 [B]
KERNEL(256) SYMBOL(mask_padding_forward)(const ELEMENT* x, const int* lengths, ELEMENT* y, long long length, int t_size, long long inner) {
    mask_padding_forward(x, lengths, y, length, t_size, inner);
}

// table float [V, C]; ids int32 [N]; y [N, C]
KERNEL(256) SYMBOL(embedding_forward)(
    const float* __restrict__ table, const int* __restrict__ ids, ELEMENT* __restrict__ y, long long count, int channels, float scale) {
    embedding_forward(table, ids, y, count, channels, scale);
}

// x [length]; found int32 [1]
KERNEL(256) SYMBOL(is_finite_all)(const ELEMENT* x, int* found, long long length) { is_finite_all(x, found, length); }

// Sums: x, w [outer, length, inner]; y [outer, inner], or float [outer, parts, inner] where inner > 1; partial double [outer, parts].

KERNEL(256) SYMBOL(sum_rows)(const ELEMENT* x, const ELEMENT* w, ELEMENT* y, long long outer, long long length, float factor) {
    sum_rows<ELEMENT, SumElement>(x, w, y, outer, length, factor);
}
KERNEL(256) SYMBOL(sum_long_rows)(const ELEMENT* x, const ELEMENT* w, ELEMENT* y, double* partial, long long length, long long part, int parts, float factor) {
    sum_long_rows<ELEMENT, SumElement>(x, w, y, partial, length, part, parts, factor);
}
KERNEL(256) SYMBOL(sum_parts)(const double* partial, ELEMENT* y, int parts, float factor) { sum_parts(partial, y, parts, factor); }
KERNEL(256) SYMBOL(sum_columns)(
    const ELEMENT* x, const ELEMENT* w, float* y, long long length, long long inner, long long stride, long long part, int parts, int tiles, float factor,
    int accumulate, int packed) {
    sum_columns<ELEMENT, SumElement>(x, w, y, length, inner, stride, part, parts, tiles, factor, accumulate, packed);
}

// Rows: x, y [rows, count].

KERNEL(128) SYMBOL(softmax_forward)(const ELEMENT* x, ELEMENT* y, long long rows, int count) { softmax_forward(x, y, rows, count); }
KERNEL(1024) SYMBOL(softmax_forward_wide)(const ELEMENT* x, ELEMENT* y, int count) { softmax_forward_wide(x, y, count); }

KERNEL(128) SYMBOL(log_softmax_forward)(const ELEMENT* x, ELEMENT* y, long long rows, int count) { log_softmax_forward(x, y, rows, count); }
KERNEL(1024) SYMBOL(log_softmax_forward_wide)(const ELEMENT* x, ELEMENT* y, int count) { log_softmax_forward_wide(x, y, count); }

// kind: a TapNormalization
KERNEL(128) SYMBOL(normalize_taps_forward)(const ELEMENT* x, ELEMENT* y, long long rows, int count, int kind, float epsilon) {
    normalize_taps_forward(x, y, rows, count, kind, epsilon);
}

// gain, bias float [C]; mean, r [rows] or null
KERNEL_OF_BLOCKS(128, 3) SYMBOL(layer_norm_forward)(
    const ELEMENT* __restrict__ x, const float* __restrict__ gain, const float* __restrict__ bias, ELEMENT* __restrict__ y, float* __restrict__ mean,
    float* __restrict__ r, long long rows, int channels, float epsilon) {
    layer_norm_forward(x, gain, bias, y, mean, r, rows, channels, epsilon);
}
KERNEL(1024) SYMBOL(layer_norm_forward_wide)(
    const ELEMENT* __restrict__ x, const float* __restrict__ gain, const float* __restrict__ bias, ELEMENT* __restrict__ y, float* __restrict__ mean,
    float* __restrict__ r, int channels, float epsilon) {
    layer_norm_forward_wide(x, gain, bias, y, mean, r, channels, epsilon);
}

// The same of residual + dropout(x), which goes to sum [rows, C]: null where it is not wanted, y in the wide kernel
KERNEL_OF_BLOCKS(128, 3) SYMBOL(dropout_add_layer_norm_forward)(
    const ELEMENT* __restrict__ x, const ELEMENT* __restrict__ residual, const float* __restrict__ gain, const float* __restrict__ bias,
    ELEMENT* __restrict__ sum, ELEMENT* __restrict__ y, float* __restrict__ mean, float* __restrict__ r, long long rows, int channels, float epsilon,
    MASK_PARAMETERS) {
    dropout_add_layer_norm_forward(DropoutAddRows<ELEMENT>{x, residual, sum, MASK, 0}, gain, bias, y, mean, r, rows, channels, epsilon);
}
KERNEL(1024) SYMBOL(dropout_add_layer_norm_forward_wide)(
    const ELEMENT* x, const ELEMENT* residual, const float* gain, const float* bias, ELEMENT* sum, ELEMENT* y, float* mean, float* r, int channels,
    float epsilon, MASK_PARAMETERS) {
    dropout_add_layer_norm_forward_wide(DropoutAddRows<ELEMENT>{x, residual, sum, MASK, 0}, gain, bias, y, mean, r, channels, epsilon);
}

// x [rows, count]; indices int32 [rows], or values and indices [rows, k]; spill uint64 [rows, spill_count] or null
KERNEL(1024) SYMBOL(arg_max_forward)(const ELEMENT* x, int* indices, int count) { arg_max_forward(x, indices, count); }
KERNEL(1024) SYMBOL(top_k_forward)(
    const ELEMENT* x, ELEMENT* values, int* indices, unsigned long long* spill, int count, int k, int capacity, int spill_count) {
    top_k_forward(x, values, indices, spill, count, k, capacity, spill_count);
}

// sums, z, y [rows, columns], length rows * columns; bias [columns] or null, with an activation float; z or null
KERNEL(256) SYMBOL(linear_epilogue)(const ELEMENT* sums, const ELEMENT* bias, ELEMENT* z, ELEMENT* y, long long length, int columns) {
    linear_epilogue(sums, bias, z, y, length, columns, NoActivation());
}
KERNEL(256) SYMBOL(linear_epilogue_relu)(const ELEMENT* sums, const float* bias, ELEMENT* z, ELEMENT* y, long long length, int columns) {
    linear_epilogue(sums, bias, z, y, length, columns, ReluFunction());
}
KERNEL(256) SYMBOL(linear_epilogue_gelu)(const ELEMENT* sums, const float* bias, ELEMENT* z, ELEMENT* y, long long length, int columns) {
    linear_epilogue(sums, bias, z, y, length, columns, GeluFunction());
}

// x [rows, count], words int32 [rows, groups] or in panels, scales [rows]: a block a row, those that fill up included
KERNEL(256) SYMBOL(quantize_rows)(const ELEMENT* x, int* words, float* scales, int rows, int count, int groups, int panels) {
    quantize_rows(x, words, scales, rows, count, groups, panels);
}
// x int32 [rows, groups], x_scales [rows]; words in panels, scales [outputs]; bias float [outputs] or null; y [rows, outputs]
KERNEL(256) SYMBOL(quantized_linear_forward)(
    const int* x, const float* x_scales, const int* words, const float* scales, const float* bias, ELEMENT* y, int rows, int outputs, int groups,
    int activation) {
    quantized_linear_forward(x, x_scales, words, scales, bias, y, rows, outputs, groups, activation);
}

// logits float [rows, stride], `classes` of them; bias float [classes] or null; targets int32, losses, nlls double [rows]; gradient [rows, stride] or null
KERNEL(1024) SYMBOL(cross_entropy_rows)(
    const float* logits, const float* bias, const int* targets, double* losses, double* nlls, ELEMENT* gradient, int classes, long long stride, int padding,
    double on_every, double on_target) {
    cross_entropy_rows(logits, bias, targets, losses, nlls, gradient, classes, stride, padding, on_every, on_target);
}

// q, y [B, T, C]; k, v [B, S, C]; lengths int32 [B] or null; statistics float [2, B, H, T] or null; p [B, H, T, S]; d32, d64, d128: channels of a tile.
#define ATTENTION(D)                                                                                                                                           \
    KERNEL_OF_BLOCKS(256, 1) SYMBOL(attention_forward_d##D)(                                                                                                   \
        const ELEMENT* __restrict__ q, const ELEMENT* __restrict__ k, const ELEMENT* __restrict__ v, const int* __restrict__ lengths, ELEMENT* __restrict__ y, \
        float* __restrict__ statistics, ATTENTION_PARAMETERS, MASK_PARAMETERS) {                                                                               \
        attention_forward<ELEMENT, D>(q, k, v, lengths, y, statistics, ATTENTION_SIZE, MASK);                                                                  \
    }                                                                                                                                                          \
    KERNEL_OF_BLOCKS(256, 1) SYMBOL(attention_probabilities_d##D)(                                                                                             \
        const ELEMENT* __restrict__ q, const ELEMENT* __restrict__ k, const int* __restrict__ lengths, ELEMENT* __restrict__ p, ATTENTION_PARAMETERS) {        \
        attention_probabilities<ELEMENT, D>(q, k, lengths, p, ATTENTION_SIZE);                                                                                 \
    }
ATTENTION(32)
ATTENTION(64)
ATTENTION(128)
#undef ATTENTION

// q, y [N, C]; keys, values [M, S, C]; lengths int32 [M] or null; origins int32 [N, S] or null; partial float [N, H, parts, D + 2] or null
KERNEL_OF_BLOCKS(128, 1) SYMBOL(attention_step)(
    const ELEMENT* __restrict__ q, const ELEMENT* __restrict__ keys, const ELEMENT* __restrict__ values, const int* __restrict__ lengths,
    const int* __restrict__ origins, ELEMENT* __restrict__ y, float* __restrict__ partial, int n, int m, int s, int channels, int heads, int count,
    float scale, int window, int beam, int parts, int groups, int slices) {
    attention_step(q, keys, values, lengths, origins, y, partial, AttentionStepSize{n, m, s, channels, heads, count, scale, window, beam}, parts, groups, slices);
}
KERNEL(128) SYMBOL(attention_step_join)(
    const float* __restrict__ partial, const int* __restrict__ lengths, ELEMENT* __restrict__ y, int n, int m, int s, int channels, int heads, int count,
    float scale, int window, int beam, int parts) {
    attention_step_join(partial, lengths, y, AttentionStepSize{n, m, s, channels, heads, count, scale, window, beam}, parts);
}

// LightConv: x, y [B, T, C]; weight float [H, K]; C = H R. Exported for each width K that has a window in registers, V channels a thread.
#define LIGHT_CONV(K, V)                                                                                                            \
    KERNEL(128) SYMBOL(light_conv_forward_k##K)(                                                                                    \
        const ELEMENT* x, const float* weight, ELEMENT* y, int B, int T, int C, int R, int left_padding, int run, TAP_PARAMETERS) { \
        light_conv_forward_window<ELEMENT, K, V>(x, weight, y, B, T, C, R, left_padding, run, TAPS);                                \
    }
LIGHT_CONV(3, 4)
LIGHT_CONV(5, 4)
LIGHT_CONV(7, 4)
LIGHT_CONV(15, 4)
LIGHT_CONV(31, 2)
#undef LIGHT_CONV

// taps float [H, K]
KERNEL(128) SYMBOL(light_conv_forward)(const ELEMENT* x, const float* taps, ELEMENT* y, int T, int C, int R, int K, int left_padding) {
    conv_slide(x, taps, nullptr, y, T, C, R, K, left_padding, false);
}
// x, y [N, C]; window [N, K, C]; positions int32 [N]
KERNEL(128) SYMBOL(light_conv_step)(
    const ELEMENT* x, const float* weight, ELEMENT* window, ELEMENT* y, int N, int C, int R, int K, const int* positions, int channels, int rows,
    TAP_PARAMETERS) {
    conv_step<false>(x, weight, window, y, N, C, R, K, positions, channels, rows, TAPS);
}

// DepthwiseConv: x, y [B, T, C]; weight float [C, K]; bias float [C] or null
#define DEPTHWISE_CONV(K, V)                                                                                                    \
    KERNEL(128) SYMBOL(depthwise_conv_forward_k##K)(                                                                            \
        const ELEMENT* x, const float* weight, const float* bias, ELEMENT* y, int B, int T, int C, int left_padding, int run) { \
        depthwise_conv_forward_window<ELEMENT, K, V>(x, weight, bias, y, B, T, C, left_padding, run);                           \
    }
DEPTHWISE_CONV(3, 4)
DEPTHWISE_CONV(5, 4)
DEPTHWISE_CONV(7, 4)
DEPTHWISE_CONV(15, 2)
DEPTHWISE_CONV(31, 1)
#undef DEPTHWISE_CONV

KERNEL(128) SYMBOL(depthwise_conv_forward)(const ELEMENT* x, const float* weight, const float* bias, ELEMENT* y, int T, int C, int K, int left_padding) {
    conv_slide(x, weight, bias, y, T, C, 1, K, left_padding, false);
}

// DynamicConv: x, y [B, T, C]; logits [B, T, H, K]
#define DYNAMIC_CONV(K, V)                                                                                                      \
    KERNEL_OF_BLOCKS(128, 3) SYMBOL(dynamic_conv_forward_k##K)(                                                                 \
        const ELEMENT* x, const ELEMENT* logits, ELEMENT* y, int T, int C, int H, int left_padding, int tile, TAP_PARAMETERS) { \
        dynamic_conv_forward_window<ELEMENT, K, V>(x, logits, y, T, C, H, left_padding, tile, TAPS);                            \
    }
DYNAMIC_CONV(3, 4)
DYNAMIC_CONV(5, 4)
DYNAMIC_CONV(7, 4)
DYNAMIC_CONV(15, 4)
DYNAMIC_CONV(31, 2)
#undef DYNAMIC_CONV

KERNEL_OF_BLOCKS(128, 4) SYMBOL(dynamic_conv_forward)(
    const ELEMENT* x, const ELEMENT* logits, ELEMENT* y, int T, int C, int H, int K, int left_padding, int heads, TAP_PARAMETERS) {
    dynamic_conv_forward_generic(x, logits, y, T, C, H, K, left_padding, heads, TAPS);
}
KERNEL(128) SYMBOL(dynamic_conv_step)(
    const ELEMENT* x, const ELEMENT* logits, ELEMENT* window, ELEMENT* y, int N, int C, int R, int K, const int* positions, int channels, int rows,
    TAP_PARAMETERS) {
    conv_step<true>(x, logits, window, y, N, C, R, K, positions, channels, rows, TAPS);
}
