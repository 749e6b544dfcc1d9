// y = x in another type: from float to an element of 16 bits, rounded to the nearest number, and back. Twin: CopyKernel.Cpu.cs. x, y [length].
template <typename E>
__device__ inline void convert_from_float(const float* x, E* y, long long length) {
    constexpr int count = Pack<E>::Count;
    for_each_element<count>(
        length, aligned(x, y),
        [&](long long i) {
            Pack<E> pack;
            load_elements<count>(x + i, pack.value);
            pack.store(y + i);
        },
        [&](long long i) { y[i] = from_float<E>(x[i]); });
}

template <typename E>
__device__ inline void convert_to_float(const E* x, float* y, long long length) {
    constexpr int count = Pack<E>::Count;
    for_each_element<count>(
        length, aligned(x, y), [&](long long i) { store_elements<count>(y + i, Pack<E>::load(x + i).value); }, [&](long long i) { y[i] = to_float(x[i]); });
}
