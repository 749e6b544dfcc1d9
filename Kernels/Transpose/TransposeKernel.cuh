// A copy with the axes in another order. Twin: TransposeKernel.Cpu.cs; sizes and strides: TransposeSize.cs. Elements that nothing looks into.

// The output's axes, each with the stride of its step in the input.
struct TransposeAxes {
    static constexpr int MaxRank = 6;
    int rank;
    long long size[MaxRank], stride[MaxRank];
};

// The last axis stays last (its stride is 1): y is written in order, x read in rows.
template <typename Bits>
__device__ inline void transpose_rows(const Bits* x, Bits* y, long long length, int packed, const TransposeAxes& axes) {
    auto place = [&](long long i) {
        long long at = 0;
#pragma unroll
        for (int axis = TransposeAxes::MaxRank - 1; axis > 0; axis--) {
            if (axis < axes.rank) {
                long long index;
                i = divide(i, axes.size[axis], index);
                at += index * axes.stride[axis];
            }
        }
        return at + i * axes.stride[0];
    };
    for_each_element<16 / sizeof(Bits)>(
        length, packed != 0, [&](long long i) { *reinterpret_cast<uint4*>(y + i) = *reinterpret_cast<const uint4*>(x + place(i)); },
        [&](long long i) { y[i] = x[place(i)]; });
}

// What counts planes, fastest axis first; axes that are not there have size 1.
struct PlaneAxes {
    static constexpr int Rank = 4;
    long long size[Rank], input_stride[Rank], output_stride[Rank];
};

// Planes y[r, c] = x[c, r], where rows are neighbours in x (columns input_stride apart) and columns are neighbours in y (rows output_stride apart).
// A block of 32 x 8 threads takes a tile of 32 x 32 through shared memory, so that both sides are read and written in whole lines.
template <typename Bits>
__device__ inline void transpose_tiles(
    const Bits* x, Bits* y, long long rows, long long columns, long long input_stride, long long output_stride, const PlaneAxes& planes) {
    constexpr int side = 32, step = 8;
    // One word more than the lanes, so that a column meets every bank; of elements of 2 bytes that is one word in two rows.
    __shared__ Bits tile[side][side + 4 / sizeof(Bits)];
    long long column_tile, row_tile;
    long long plane = divide(divide(blockIdx.x, (columns + side - 1) / side, column_tile), (rows + side - 1) / side, row_tile);
#pragma unroll
    for (int axis = 0; axis < PlaneAxes::Rank; axis++) {
        long long index;
        plane = divide(plane, planes.size[axis], index);
        x += index * planes.input_stride[axis];
        y += index * planes.output_stride[axis];
    }
    int lane = threadIdx.x % side, warp = threadIdx.x / side;
    long long row = row_tile * side + lane, column = column_tile * side + lane;
#pragma unroll
    for (int i = 0; i < side / step; i++) {
        int k = warp + i * step;
        if (row < rows && column_tile * side + k < columns) tile[k][lane] = x[row + (column_tile * side + k) * input_stride];
    }
    __syncthreads();
#pragma unroll
    for (int i = 0; i < side / step; i++) {
        int k = warp + i * step;
        if (column < columns && row_tile * side + k < rows) y[(row_tile * side + k) * output_stride + column] = tile[lane][k];
    }
}
