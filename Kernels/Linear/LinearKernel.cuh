// What stands around the products of a linear layer: bias and activation behind it, the activation's slope and the bias's gradient before its backward.
// Twins: LinearKernel.Cpu.cs, MatMul/Epilogue.cs.

struct NoActivation {
    __device__ float operator()(float z) const { return z; }
};

// y = activation(sums + bias), and z = sums + bias where a backward needs it. All [rows, columns], length = rows * columns; bias [columns], of the type of y where nothing
// else is applied and else float, or null; z or null; y and z may be the sums.
template <typename E, typename B, typename Activation>
__device__ inline void linear_epilogue(const E* sums, const B* bias, E* z, E* y, long long length, int columns, Activation activation) {
    constexpr int count = Pack<E>::Count;
    auto column = [&](long long i) {
        long long c;
        divide(i, columns, c);
        return c;
    };
    for_each_element<count>(
        length, columns % count == 0 && aligned(sums, bias, z, y),
        [&](long long i) {
            Pack<E> pack = Pack<E>::load(sums + i);
            if (bias != nullptr) {
                float add[count];
                load_elements<count>(bias + column(i), add);
#pragma unroll
                for (int j = 0; j < count; j++) pack.value[j] += add[j];
            }
            if (z != nullptr) pack.store(z + i);
#pragma unroll
            for (int j = 0; j < count; j++) pack.value[j] = activation(pack.value[j]);
            pack.store(y + i);
        },
        [&](long long i) {
            float sum = to_float(sums[i]);
            if (bias != nullptr) sum += to_float(bias[column(i)]);
            if (z != nullptr) z[i] = from_float<E>(sum);
            y[i] = from_float<E>(activation(sum));
        });
}

// dz = slope(saved, dy), and partial [parts, columns] = the sums of dz over each part of part_rows rows, which another kernel adds in order. All else
// [rows, columns]; dz or partial may be null. Block part * tiles + tile of 8 warps has 32 columns, or 32 times 16 bytes.
template <typename E, typename Slope, int Width>
__device__ inline void linear_backward_tile(
    const E* saved, const E* dy, E* dz, float* partial, long long rows, long long columns, int part_rows, int tiles, Slope slope) {
    long long tile, part = divide(blockIdx.x, tiles, tile), first = part * part_rows;
    long long column = (tile * warp_lanes + threadIdx.x % warp_lanes) * Width;
    float sum[Width];
    column_sums<Width>(first, min(rows, first + part_rows), column, columns, sum, [&](long long row, long long at, float(&value)[Width]) {
        long long i = row * columns + at;
        float other[Width];
        load_elements<Width>(dy + i, value);
        load_elements<Width>(saved + i, other);
#pragma unroll
        for (int j = 0; j < Width; j++) value[j] = slope(other[j], value[j]);
        if (dz != nullptr) store_elements<Width>(dz + i, value);
    });
    if (partial != nullptr && threadIdx.x < warp_lanes && column < columns) store_elements<Width>(partial + part * columns + column, sum);
}

template <typename E, typename Slope>
__device__ inline void linear_backward(
    const E* saved, const E* dy, E* dz, float* partial, long long rows, long long columns, int part_rows, int tiles, int packed, Slope slope) {
    if (packed)
        linear_backward_tile<E, Slope, Pack<E>::Count>(saved, dy, dz, partial, rows, columns, part_rows, tiles, slope);
    else
        linear_backward_tile<E, Slope, 1>(saved, dy, dz, partial, rows, columns, part_rows, tiles, slope);
}
