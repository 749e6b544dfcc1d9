// found[0] becomes 1 if an element is NaN or infinite. Twin: IsFiniteKernel.Cpu.cs. x [length]; found int32 [1], 0 before.
template <typename E>
__device__ inline void is_finite_all(const E* x, int* found, long long length) {
    constexpr int count = Pack<E>::Count;
    bool bad = false;
    for_each_element<count>(
        length, aligned(x),
        [&](long long i) {
            Pack<E> pack = Pack<E>::load(x + i);
#pragma unroll
            for (int j = 0; j < count; j++) bad |= !is_finite(pack.value[j]);
        },
        [&](long long i) { bad |= !is_finite(to_float(x[i])); });
    if (bad) atomicOr(found, 1);
}
