// What there is for elements of 16 bits alone: conversions, and inference on the tensor cores. Rules of InferenceExports.cuh.

// x, y [length]
KERNEL(256) SYMBOL(convert_from_float)(const float* __restrict__ x, ELEMENT* __restrict__ y, long long length) { convert_from_float(x, y, length); }
KERNEL(256) SYMBOL(convert_to_float)(const ELEMENT* __restrict__ x, float* __restrict__ y, long long length) { convert_to_float(x, y, length); }

// x, y [B, T, C]; weight float [H, K]; logits [B, T, H, K]
KERNEL(128) SYMBOL(light_conv_forward_banded)(const ELEMENT* x, const float* weight, ELEMENT* y, int T, int C, int H, int K, int left_padding, TAP_PARAMETERS) {
    light_conv_forward_banded(x, weight, y, T, C, H, K, left_padding, TAPS);
}
KERNEL_OF_BLOCKS(128, 4) SYMBOL(dynamic_conv_forward_banded)(
    const ELEMENT* x, const ELEMENT* logits, ELEMENT* y, int T, int C, int H, int K, int left_padding, TAP_PARAMETERS) {
    dynamic_conv_forward_banded(x, logits, y, T, C, H, K, left_padding, TAPS);
}
