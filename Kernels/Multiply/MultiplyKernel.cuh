// z = x y, and both gradients in one pass. Twin: MultiplyKernel.Cpu.cs. Shapes and loops: Runtime/Elementwise.cuh.
struct MultiplyFunction {
    __device__ float operator()(float x, float y) const { return x * y; }
};

// da = dy b, db = dy a; all [length].
template <typename E>
__device__ inline void multiply_backward(const E* a, const E* b, const E* dy, E* da, E* db, long long length) {
    constexpr int count = Pack<E>::Count;
    for_each_element<count>(
        length, aligned(a, b, dy, da, db),
        [&](long long i) {
            Pack<E> left = Pack<E>::load(a + i), right = Pack<E>::load(b + i), gradient = Pack<E>::load(dy + i);
#pragma unroll
            for (int j = 0; j < count; j++) {
                left.value[j] *= gradient.value[j];
                right.value[j] *= gradient.value[j];
            }
            right.store(da + i);
            left.store(db + i);
        },
        [&](long long i) {
            float gradient = to_float(dy[i]), left = gradient * to_float(a[i]);
            da[i] = from_float<E>(gradient * to_float(b[i]));
            db[i] = from_float<E>(left);
        });
}
