// y = a sigmoid(b) with x = [a, b], and both gradients. Twin: GluKernel.Cpu.cs.
// x, dx [N, 2C]; y, dy [N, C]; length = N C.
template <typename E>
__device__ inline void glu_forward(const E* x, E* y, long long length, int channels) {
    constexpr int count = Pack<E>::Count;
    // Element i = n C + c of y belongs to elements n 2C + c = i + n C and C further of x.
    auto place = [&](long long i) {
        long long c, n = divide(i, channels, c);
        return i + n * channels;
    };
    for_each_element<count>(
        length, channels % count == 0 && aligned(x, y),
        [&](long long i) {
            long long at = place(i);
            Pack<E> a = Pack<E>::load(x + at), b = Pack<E>::load(x + at + channels);
#pragma unroll
            for (int j = 0; j < count; j++) a.value[j] *= sigmoid(b.value[j]);
            a.store(y + i);
        },
        [&](long long i) {
            long long at = place(i);
            y[i] = from_float<E>(to_float(x[at]) * sigmoid(to_float(x[at + channels])));
        });
}

// da = dy s, db = dy a s (1 - s) with s = sigmoid(b).
template <typename E>
__device__ inline void glu_backward(const E* x, const E* dy, E* dx, long long length, int channels) {
    constexpr int count = Pack<E>::Count;
    auto place = [&](long long i) {
        long long c, n = divide(i, channels, c);
        return i + n * channels;
    };
    for_each_element<count>(
        length, channels % count == 0 && aligned(x, dy, dx),
        [&](long long i) {
            long long at = place(i);
            Pack<E> a = Pack<E>::load(x + at), b = Pack<E>::load(x + at + channels), gradient = Pack<E>::load(dy + i);
#pragma unroll
            for (int j = 0; j < count; j++) {
                float gate = sigmoid(b.value[j]), through = gradient.value[j] * gate;
                b.value[j] = through * a.value[j] * (1.0f - gate);
                a.value[j] = through;
            }
            a.store(dx + at);
            b.store(dx + at + channels);
        },
        [&](long long i) {
            long long at = place(i);
            float gate = sigmoid(to_float(x[at + channels])), through = to_float(dy[i]) * gate, a = to_float(x[at]);
            dx[at] = from_float<E>(through);
            dx[at + channels] = from_float<E>(through * a * (1.0f - gate));
        });
}
