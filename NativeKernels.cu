// The device side as one translation unit: what all kernels stand on, one include for each kernel folder, then the export table, one entry for each
// loadable kernel. A symbol is op and pass in snake_case, a variant, and the type of the activations (f32, bf16, f16; b32 and b16: any elements of so many
// bits); the C# side launches it by that name, with its arguments in this order, from <Op>Kernel.Cuda.cs. Kernels that know no activations stand here, the
// others in the tables at the end, which are included once for each type. Shapes and memory contracts stand at the top of each .cuh.
// Where an output may be the very span of an input, nothing says __restrict__.
#include "Kernels/Runtime/Device.cuh"
#include "Kernels/Runtime/Reduce.cuh"
#include "Kernels/Runtime/Philox.cuh"
#include "Kernels/Runtime/Elementwise.cuh"
#include "Kernels/Runtime/IndexBuckets.cuh"
#include "Kernels/Runtime/TensorList.cuh"
#include "Kernels/Copy/CopyKernel.cuh"
#include "Kernels/Add/AddKernel.cuh"
#include "Kernels/Subtract/SubtractKernel.cuh"
#include "Kernels/Multiply/MultiplyKernel.cuh"
#include "Kernels/Scale/ScaleKernel.cuh"
#include "Kernels/Elementwise/ElementwiseKernel.cuh"
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
#include "Kernels/NormalizeTaps/NormalizeTapsKernel.cuh"
#include "Kernels/LayerNorm/LayerNormKernel.cuh"
#include "Kernels/LayerNorm/LayerNormBackward.cuh"
#include "Kernels/DropoutAddLayerNorm/DropoutAddLayerNormKernel.cuh"
#include "Kernels/TopK/RankKey.cuh"
#include "Kernels/TopK/TopKKernel.cuh"
#include "Kernels/ArgMax/ArgMaxKernel.cuh"
#include "Kernels/Linear/LinearKernel.cuh"
#include "Kernels/QuantizedLinear/QuantizedLinearKernel.cuh"
#include "Kernels/CrossEntropy/CrossEntropyKernel.cuh"
#include "Kernels/NegativeLogLikelihood/NegativeLogLikelihoodKernel.cuh"
#include "Kernels/Attention/AttentionTile.cuh"
#include "Kernels/Attention/AttentionKernel.cuh"
#include "Kernels/Attention/AttentionBackward.cuh"
#include "Kernels/Attention/AttentionTensorCores.cuh"
#include "Kernels/Attention/AttentionTensorCoresBackward.cuh"
#include "Kernels/AttentionStep/AttentionStepKernel.cuh"
#include "Kernels/ParameterUpdate/ParameterUpdateKernel.cuh"
#include "Kernels/ParameterUpdate/AdamRule.cuh"
#include "Kernels/ParameterUpdate/AdadeltaRule.cuh"
#include "Kernels/ParameterUpdate/SgdRule.cuh"
#include "Kernels/GradientNorm/GradientNormKernel.cuh"
#include "Kernels/Runtime/Taps.cuh"
#include "Kernels/Runtime/SlidingWindow.cuh"
#include "Kernels/Runtime/ConvGeneric.cuh"
#include "Kernels/Runtime/ConvWindow.cuh"
#include "Kernels/LightConv/LightConvKernel.cuh"
#include "Kernels/DepthwiseConv/DepthwiseConvKernel.cuh"
#include "Kernels/DynamicConv/DynamicConvKernel.cuh"
#include "Kernels/DynamicConv/DynamicConvGeneric.cuh"
#include "Kernels/Runtime/BandedProduct.cuh"
#include "Kernels/LightConv/LightConvBanded.cuh"
#include "Kernels/DynamicConv/DynamicConvBanded.cuh"

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
#define ATTENTION_PARAMETERS int b, int t, int s, int channels, int heads, int causal, float scale, int window
#define ATTENTION_SIZE AttentionSize{b, t, s, channels, heads, causal, scale, window}
// clang-format on

// indices [count], counts [256, blocks], sorted and positions [count], starts [limit + 1]; all int32
KERNEL(256) index_buckets_count_i32(const int* indices, int* counts, int count, int shift) { index_buckets_count(indices, counts, count, shift); }
KERNEL(1024) index_buckets_scan_i32(int* counts, int length) { index_buckets_scan(counts, length); }
KERNEL(256) index_buckets_scatter_i32(const int* indices, const int* positions, const int* counts, int* sorted, int* sorted_positions, int count, int shift) {
    index_buckets_scatter(indices, positions, counts, sorted, sorted_positions, count, shift);
}
KERNEL(256) index_buckets_starts_i32(const int* sorted, int* starts, int count, int limit) { index_buckets_starts(sorted, starts, count, limit); }

// indices int32 [length]; first uint64 [1]
KERNEL(256) index_range_first_outside_i32(const int* indices, unsigned long long* first, long long length, int limit, int has_allowed, int allowed) {
    index_range_first_outside(indices, first, length, limit, has_allowed, allowed);
}

// partial [blocks, 2, C]; dgain, dbias [C] or null
KERNEL(256) layer_norm_parameters_f32(const float* partial, float* dgain, float* dbias, int blocks, int channels) {
    layer_norm_parameters(partial, dgain, dbias, blocks, channels);
}

// losses, nlls double [rows]; loss, nll [1]
KERNEL(1024) cross_entropy_sum_f32(const double* losses, const double* nlls, float* loss, float* nll, int rows) {
    cross_entropy_sum(losses, nlls, loss, nll, rows);
}

// x, dx [rows, classes]; targets int32 [rows]; losses, nlls double [rows]; dloss [1]; a block a row
KERNEL(1024) negative_log_likelihood_rows_f32(
    const float* x, const int* targets, double* losses, double* nlls, int classes, int padding, double on_every, double on_target) {
    negative_log_likelihood_rows(x, targets, losses, nlls, classes, padding, on_every, on_target);
}
KERNEL(1024) negative_log_likelihood_backward_f32(
    const float* dloss, const int* targets, float* dx, int classes, int padding, double on_every, double on_target) {
    negative_log_likelihood_backward(dloss, targets, dx, classes, padding, on_every, on_target);
}

// words: TensorList.cuh
KERNEL(256) adam_step_f32(
    const long long* words, int tensors, float gradient_scale, float l2, float beta1, float gain1, float beta2, float gain2, float step_size, float root_scale,
    float epsilon, float decay, const float* scale) {
    update_parameters(words, tensors, AdamRule{gradient_scale, l2, beta1, gain1, beta2, gain2, step_size, root_scale, epsilon, decay}, scale);
}
KERNEL(256) adadelta_step_f32(
    const long long* words, int tensors, float gradient_scale, float l2, float rho, float gain, float epsilon, float step_size, const float* scale) {
    update_parameters(words, tensors, AdadeltaRule{gradient_scale, l2, rho, gain, epsilon, step_size}, scale);
}
KERNEL(256) sgd_step_f32(const long long* words, int tensors, float gradient_scale, float l2, float step_size, const float* scale) {
    update_parameters(words, tensors, SgdRule{gradient_scale, l2, step_size}, scale);
}
KERNEL(256) sgd_step_momentum_f32(
    const long long* words, int tensors, float gradient_scale, float l2, float momentum, float step_size, int nesterov, const float* scale) {
    update_parameters(words, tensors, MomentumRule{gradient_scale, l2, momentum, step_size, nesterov != 0}, scale);
}
KERNEL(256) gradient_norm_blocks_f32(const long long* words, int tensors, double* partial) { gradient_norm_blocks<float>(words, tensors, partial); }
KERNEL(1024) gradient_norm_clip_f32(const double* partial, int blocks, float scale, float max_norm, const float* loss, float* norm, float* guard) {
    gradient_norm_clip(partial, blocks, scale, max_norm, loss, norm, guard);
}
KERNEL(1024) gradient_norm_sum_f64(const double* partial, double* sum, int blocks) { gradient_norm_sum(partial, sum, blocks); }

// weight, taps [H, K]
KERNEL(128) light_conv_taps_f32(const float* weight, float* taps, int H, int K, TAP_PARAMETERS) { light_conv_taps(weight, taps, H, K, TAPS); }
// partial [parts, segments of `width` channels, slots, K]
KERNEL(256) light_conv_weight_gradient_f32(
    const float* partial, const float* weight, float* dweight, int C, int R, int K, int parts, int width, int slots, TAP_PARAMETERS) {
    light_conv_weight_gradient(partial, weight, dweight, C, R, K, parts, width, slots, TAPS);
}
// partial [parts, C, K + 1]
KERNEL(256) depthwise_conv_parameter_gradient_f32(const float* partial, float* dweight, float* dbias, int C, int K, int parts) {
    depthwise_conv_parameter_gradient(partial, dweight, dbias, C, K, parts);
}

#define ELEMENT unsigned
#define SYMBOL(name) name##_b32
#include "Kernels/Runtime/BitsExports.cuh"
#undef ELEMENT
#undef SYMBOL

#define ELEMENT unsigned short
#define SYMBOL(name) name##_b16
#include "Kernels/Runtime/BitsExports.cuh"
#undef ELEMENT
#undef SYMBOL

#define ELEMENT float
#define SYMBOL(name) name##_f32
#include "Kernels/Runtime/InferenceExports.cuh"
#include "Kernels/Runtime/TrainingExports.cuh"
#undef ELEMENT
#undef SYMBOL

#define ELEMENT bf16
#define SYMBOL(name) name##_bf16
#include "Kernels/Runtime/InferenceExports.cuh"
#include "Kernels/Runtime/TrainingExports.cuh"
#include "Kernels/Runtime/NarrowInferenceExports.cuh"
#include "Kernels/Runtime/NarrowTrainingExports.cuh"
#undef ELEMENT
#undef SYMBOL

// Half precision is for inference.
#define ELEMENT f16
#define SYMBOL(name) name##_f16
#include "Kernels/Runtime/InferenceExports.cuh"
#include "Kernels/Runtime/NarrowInferenceExports.cuh"
#undef ELEMENT
#undef SYMBOL
