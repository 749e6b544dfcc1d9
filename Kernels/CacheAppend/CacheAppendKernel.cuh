// cache[n, positions[n], :] = x[n, :]: what a decoding step adds to a cache. Twin: CacheAppendKernel.Cpu.cs. Elements that nothing looks into.

// x [N, channels]; positions [N], each below `places`; cache [N, places, channels]; length = N * channels.
template <typename Bits>
__device__ inline void cache_append(const Bits* x, const int* positions, Bits* cache, long long length, long long channels, long long places) {
    constexpr int packed = 16 / sizeof(Bits);
    auto place = [&](long long i) {
        long long c, n = divide(i, channels, c);
        return (n * places + positions[n]) * channels + c;
    };
    for_each_element<packed>(
        length, channels % packed == 0 && aligned(x, cache),
        [&](long long i) { *reinterpret_cast<uint4*>(cache + place(i)) = *reinterpret_cast<const uint4*>(x + i); },
        [&](long long i) { cache[place(i)] = x[i]; });
}
