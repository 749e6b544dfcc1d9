// y[b, t, i] = x[b, t, i] where t < lengths[b], else 0. Twin: MaskPaddingKernel.Cpu.cs.
// x, y [B, T, inner]; lengths int32 [B]. What is padding is not read: a NaN there leaves no trace.
template <typename E>
__device__ inline void mask_padding_forward(const E* x, const int* lengths, E* y, long long length, int t_size, long long inner) {
    constexpr int count = Pack<E>::Count;
    auto kept = [&](long long i) {
        long long rest, t, b = divide(divide(i, inner, rest), t_size, t);
        return t < lengths[b];
    };
    for_each_element<count>(
        length, inner % count == 0 && aligned(x, y),
        [&](long long i) {
            Pack<E> pack = {};
            if (kept(i)) pack = Pack<E>::load(x + i);
            pack.store(y + i);
        },
        [&](long long i) { y[i] = kept(i) ? x[i] : from_float<E>(0.0f); });
}
