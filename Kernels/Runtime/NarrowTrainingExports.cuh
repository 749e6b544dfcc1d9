// What training on the tensor cores adds to NarrowInferenceExports.cuh.

// x, dy, dx [B, T, C]; weight float [H, K]; partial [parts, H ceil(R / 64), K]; logits, dlogits [B, T, H, K]. Exported for the column tiles of eight rows that
// a band spans.
#define BANDED(TILES, BLOCKS)                                                                                                                                  \
    KERNEL_OF_BLOCKS(128, BLOCKS) SYMBOL(light_conv_backward_banded##TILES)(                                                                                   \
        const ELEMENT* x, const float* weight, const ELEMENT* dy, ELEMENT* dx, float* partial, int B, int T, int C, int H, int K, int left_padding, int parts, \
        int stages, TAP_PARAMETERS) {                                                                                                                          \
        light_conv_backward_banded<ELEMENT, TILES>(x, weight, dy, dx, partial, B, T, C, H, K, left_padding, parts, stages, TAPS);                              \
    }                                                                                                                                                          \
    KERNEL_OF_BLOCKS(128, BLOCKS) SYMBOL(dynamic_conv_backward_banded##TILES)(                                                                                 \
        const ELEMENT* x, const ELEMENT* logits, const ELEMENT* dy, ELEMENT* dx, ELEMENT* dlogits, int T, int C, int H, int K, int left_padding,               \
        TAP_PARAMETERS) {                                                                                                                                      \
        dynamic_conv_backward_banded<ELEMENT, TILES>(x, logits, dy, dx, dlogits, T, C, H, K, left_padding, TAPS);                                              \
    }
BANDED(4, 4)
BANDED(6, 3)
BANDED(10, 3)
BANDED(18, 2)
BANDED(34, 2)
#undef BANDED

// q, dy, dq [B, T, C]; k, v, dk, dv [B, S, C]; lengths int32 [B] or null; statistics float [2, B, H, T]; delta float [B, H, T]; d32, d64, d128: channels of a
// tile.
#define ATTENTION(D, BLOCKS)                                                                                                                                   \
    KERNEL_OF_BLOCKS(128, BLOCKS) SYMBOL(attention_backward_queries_tensor_d##D)(                                                                              \
        const ELEMENT* __restrict__ q, const ELEMENT* __restrict__ k, const ELEMENT* __restrict__ v, const int* __restrict__ lengths,                          \
        const float* __restrict__ statistics, const float* __restrict__ delta, const ELEMENT* __restrict__ dy, ELEMENT* __restrict__ dq, ATTENTION_PARAMETERS, \
        MASK_PARAMETERS, int stages) {                                                                                                                         \
        attention_backward_queries_tensor<ELEMENT, D>(q, k, v, lengths, statistics, delta, dy, dq, ATTENTION_SIZE, MASK, stages);                              \
    }                                                                                                                                                          \
    KERNEL_OF_BLOCKS(128, BLOCKS) SYMBOL(attention_backward_keys_tensor_d##D)(                                                                                 \
        const ELEMENT* __restrict__ q, const ELEMENT* __restrict__ k, const ELEMENT* __restrict__ v, const int* __restrict__ lengths,                          \
        const float* __restrict__ statistics, const float* __restrict__ delta, const ELEMENT* __restrict__ dy, ELEMENT* __restrict__ dk,                       \
        ELEMENT* __restrict__ dv, ATTENTION_PARAMETERS, MASK_PARAMETERS, int stages) {                                                                         \
        attention_backward_keys_tensor<ELEMENT, D>(q, k, v, lengths, statistics, delta, dy, dk, dv, ATTENTION_SIZE, MASK, stages);                             \
    }
ATTENTION(32, 3)
ATTENTION(64, 3)
ATTENTION(128, 2)
#undef ATTENTION
