// Part of an axis taken out, put in, or surrounded by zeros. Twin: SliceKernel.Cpu.cs. Elements that nothing looks into.

// y[r, c] = x[r, c] for rows of `run` elements that lie `stride_x` and `stride_y` apart; length = rows * run. Concat and Transpose use it too.
template <typename Bits>
__device__ inline void copy_rows(const Bits* x, long long stride_x, Bits* y, long long stride_y, long long length, long long run) {
    constexpr int packed = 16 / sizeof(Bits);
    for_each_element<packed>(
        length, (run | stride_x | stride_y) % packed == 0 && aligned(x, y),
        [&](long long i) {
            long long c, r = divide(i, run, c);
            *reinterpret_cast<uint4*>(y + r * stride_y + c) = *reinterpret_cast<const uint4*>(x + r * stride_x + c);
        },
        [&](long long i) {
            long long c, r = divide(i, run, c);
            y[r * stride_y + c] = x[r * stride_x + c];
        });
}

// dx[r, before + c] = dy[r, c] for c < run, 0 around it; dx [rows, row], dy [rows, run], length = rows * row.
template <typename Bits>
__device__ inline void slice_backward(const Bits* dy, Bits* dx, long long length, long long row, long long before, long long run) {
    constexpr int packed = 16 / sizeof(Bits);
    for_each_element<packed>(
        length, (row | before | run) % packed == 0 && aligned(dy, dx),
        [&](long long i) {
            long long c, r = divide(i, row, c);
            bool inside = c >= before && c < before + run;
            uint4 four = {0, 0, 0, 0};
            if (inside) four = *reinterpret_cast<const uint4*>(dy + r * run + c - before);
            *reinterpret_cast<uint4*>(dx + i) = four;
        },
        [&](long long i) {
            long long c, r = divide(i, row, c);
            dx[i] = c >= before && c < before + run ? dy[r * run + c - before] : static_cast<Bits>(0);
        });
}
