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
