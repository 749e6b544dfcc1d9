// y[i] = 0 where the mask drops element i, scale x[i] elsewhere; its own backward. Twin: DropoutKernel.Cpu.cs.
// x, y [length], y may be x. Four elements share one block of random words.

// A choice, not only a product: what is dropped is 0 even where x is infinite.
__device__ inline float dropped(float factor, float x) { return factor > 0.0f ? factor * x : 0.0f; }

// Elements i .. i + Width under the mask, i a multiple of Width.
template <int Width>
__device__ inline void drop_elements(DropMask mask, long long i, float (&value)[Width]) {
    if constexpr (Width == 1) {
        value[0] = dropped(mask.factor(i), value[0]);
    } else {
#pragma unroll
        for (int j = 0; j < Width; j += 4) {
            float4 factor = mask.block((i + j) / 4);
            value[j] = dropped(factor.x, value[j]);
            value[j + 1] = dropped(factor.y, value[j + 1]);
            value[j + 2] = dropped(factor.z, value[j + 2]);
            value[j + 3] = dropped(factor.w, value[j + 3]);
        }
    }
}

template <typename E>
__device__ inline void dropout_forward(const E* x, E* y, long long length, DropMask mask) {
    constexpr int count = Pack<E>::Count;
    for_each_element<count>(
        length, aligned(x, y),
        [&](long long i) {
            Pack<E> pack = Pack<E>::load(x + i);
            drop_elements<count>(mask, i, pack.value);
            pack.store(y + i);
        },
        [&](long long i) { y[i] = from_float<E>(dropped(mask.factor(i), to_float(x[i]))); });
}
