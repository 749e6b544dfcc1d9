// Copies of elements that nothing looks into, for elements of 4 and of 2 bytes.

// rows of `run` elements, stride_x and stride_y apart; length rows * run
KERNEL(256) SYMBOL(copy_rows)(const ELEMENT* __restrict__ x, long long stride_x, ELEMENT* __restrict__ y, long long stride_y, long long length, long long run) {
    copy_rows(x, stride_x, y, stride_y, length, run);
}

// x [N, C]; positions int32 [N]; cache [N, S, C]; length N * C
KERNEL(256) SYMBOL(cache_append)(
    const ELEMENT* __restrict__ x, const int* __restrict__ positions, ELEMENT* __restrict__ cache, long long length, long long channels, long long places) {
    cache_append(x, positions, cache, length, channels, places);
}

// x [N, row]; parents, counts int32 [N], counts or null; packed: rows and channels are whole packs of 16 bytes
KERNEL(128) SYMBOL(beam_reorder)(ELEMENT* x, const int* parents, const int* counts, int beam, int channels, int row, int blocks, int packed) {
    if (packed)
        beam_reorder<ELEMENT>(reinterpret_cast<uint4*>(x), parents, counts, beam, channels, row, blocks);
    else
        beam_reorder<ELEMENT>(x, parents, counts, beam, channels, row, blocks);
}

// dy [rows, run]; dx [rows, row], length rows * row
KERNEL(256) SYMBOL(slice_backward)(const ELEMENT* __restrict__ dy, ELEMENT* __restrict__ dx, long long length, long long row, long long before, long long run) {
    slice_backward(dy, dx, length, row, before, run);
}

// y [length], axes of the output with their strides in x
KERNEL(256) SYMBOL(transpose_rows)(
    const ELEMENT* __restrict__ x, ELEMENT* __restrict__ y, long long length, int packed, int rank, long long n0, long long n1, long long n2, long long n3,
    long long n4, long long n5, long long x0, long long x1, long long x2, long long x3, long long x4, long long x5) {
    TransposeAxes axes = {rank, {n0, n1, n2, n3, n4, n5}, {x0, x1, x2, x3, x4, x5}};
    transpose_rows(x, y, length, packed, axes);
}

// planes y [rows, columns] of x [columns, rows]
KERNEL(256) SYMBOL(transpose_tiles)(
    const ELEMENT* __restrict__ x, ELEMENT* __restrict__ y, long long rows, long long columns, long long input_stride, long long output_stride, long long n0,
    long long n1, long long n2, long long n3, long long x0, long long x1, long long x2, long long x3, long long y0, long long y1, long long y2, long long y3) {
    PlaneAxes planes = {{n0, n1, n2, n3}, {x0, x1, x2, x3}, {y0, y1, y2, y3}};
    transpose_tiles(x, y, rows, columns, input_stride, output_stride, planes);
}

// x [outer, size, inner]; indices int32 [count]; y [outer, count, inner], length of y
KERNEL(256) SYMBOL(index_select_forward)(
    const ELEMENT* __restrict__ x, const int* __restrict__ indices, ELEMENT* __restrict__ y, long long length, int size, long long inner, int count) {
    index_select_forward(x, indices, y, length, size, inner, count);
}
