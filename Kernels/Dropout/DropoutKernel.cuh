// y[i] = 0 where the mask drops element i, scale x[i] elsewhere; its own backward. Twin: DropoutKernel.Cpu.cs.
// x, y [length], y may be x. Four elements share one block of random words.
template <typename E>
__device__ inline void dropout_forward(const E* x, E* y, long long length, DropMask mask) {
    constexpr int count = Pack<E>::Count;
    // A choice, not only a product: what is dropped is 0 even where x is infinite.
    auto masked = [](float factor, float x) { return factor > 0.0f ? factor * x : 0.0f; };
    for_each_element<count>(
        length, aligned(x, y),
        [&](long long i) {
            Pack<E> pack = Pack<E>::load(x + i);
#pragma unroll
            for (int j = 0; j < count; j += 4) {
                float4 factor = mask.block((i + j) / 4);
                pack.value[j] = masked(factor.x, pack.value[j]);
                pack.value[j + 1] = masked(factor.y, pack.value[j + 1]);
                pack.value[j + 2] = masked(factor.z, pack.value[j + 2]);
                pack.value[j + 3] = masked(factor.w, pack.value[j + 3]);
            }
            pack.store(y + i);
        },
        [&](long long i) { y[i] = from_float<E>(masked(mask.factor(i), to_float(x[i]))); });
}
