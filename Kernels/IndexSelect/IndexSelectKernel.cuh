// Entries of the middle axis of x [outer, size, inner] chosen by indices [n], and their sums back. Twin: IndexSelectKernel.Cpu.cs.

// y[o, n, i] = x[o, indices[n], i]; length = outer * count * inner. Elements that nothing looks into.
template <typename Bits>
__device__ inline void index_select_forward(const Bits* x, const int* indices, Bits* y, long long length, int size, long long inner, int count) {
    constexpr int packed = 16 / sizeof(Bits);
    auto place = [&](long long i) {
        long long column, n, o = divide(divide(i, inner, column), count, n);
        return (o * size + indices[n]) * inner + column;
    };
    for_each_element<packed>(
        length, inner % packed == 0 && aligned(x, y), [&](long long i) { *reinterpret_cast<uint4*>(y + i) = *reinterpret_cast<const uint4*>(x + place(i)); },
        [&](long long i) { y[i] = x[place(i)]; });
}

// dx[o, l, i] = the sum of dy[o, n, i] over the n with indices[n] = l, in order; length = outer * size * inner. starts, positions: IndexBuckets.cuh.
template <typename E>
__device__ inline void index_select_backward(
    const int* starts, const int* positions, const E* dy, E* dx, long long length, int size, long long inner, int count) {
    constexpr int packed = Pack<E>::Count;
    for_each_element<packed>(
        length, inner % packed == 0 && aligned(dy, dx),
        [&](long long i) {
            long long column, l, o = divide(divide(i, inner, column), size, l);
            Pack<E> sum = {};
            for (int p = starts[l], last = starts[l + 1]; p < last; p++) {
                Pack<E> pack = Pack<E>::load(dy + (o * count + positions[p]) * inner + column);
#pragma unroll
                for (int j = 0; j < packed; j++) sum.value[j] += pack.value[j];
            }
            sum.store(dx + i);
        },
        [&](long long i) {
            long long column, l, o = divide(divide(i, inner, column), size, l);
            float sum = 0.0f;
            for (int p = starts[l], last = starts[l + 1]; p < last; p++) sum += to_float(dy[(o * count + positions[p]) * inner + column]);
            dx[i] = from_float<E>(sum);
        });
}
