// y[i] = value where the mask is not 0, x[i] elsewhere. Twin: MaskedFillKernel.Cpu.cs.
// x, y [length] of the output's shape; mask int32, the second input of the broadcast. `packed` as in elementwise_broadcast, x included.
template <typename E>
__device__ inline void masked_fill_forward(const E* x, const int* mask, float value, E* y, long long length, int packed, const BroadcastAxes& axes) {
    constexpr int count = Pack<E>::Count;
    for_each_element<count>(
        length, packed != 0,
        [&](long long i) {
            long long a, b;
            axes.at(i, a, b);
            Pack<E> pack = Pack<E>::load(x + i);
            if (axes.walks_b) {
#pragma unroll
                for (int j = 0; j < count; j += 4) {
                    int4 hide = *reinterpret_cast<const int4*>(mask + b + j);
                    if (hide.x != 0) pack.value[j] = value;
                    if (hide.y != 0) pack.value[j + 1] = value;
                    if (hide.z != 0) pack.value[j + 2] = value;
                    if (hide.w != 0) pack.value[j + 3] = value;
                }
            } else if (mask[b] != 0) {
#pragma unroll
                for (int j = 0; j < count; j++) pack.value[j] = value;
            }
            pack.store(y + i);
        },
        [&](long long i) {
            long long a, b;
            axes.at(i, a, b);
            y[i] = mask[b] != 0 ? from_float<E>(value) : x[i];
        });
}
