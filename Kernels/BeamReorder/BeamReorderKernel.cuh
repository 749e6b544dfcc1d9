// Rows of a beam in the order in which its hypotheses go on, in place. Twin: BeamReorderKernel.Cpu.cs. Elements that nothing looks into.

// x[n, s, :] = x[first + parents[n], s, :] for s below counts[n]. x [N, row] with row = places * channels; parents [N], each below `beam`; counts [N] or null.
// A block takes `blockDim.x` columns of one beam, a thread one of them: it holds what moves in dynamic shared memory [beam, threads], where no other thread
// looks, before it writes any of it. A column is an element, or 16 bytes
// of them.
template <typename Element, typename Column>
__device__ inline void beam_reorder(Column* x, const int* parents, const int* counts, int beam, int channels, int row, int blocks) {
    DYNAMIC_SHARED(Column, held);
    constexpr int elements = sizeof(Column) / sizeof(Element);
    int columns = row / elements, first = static_cast<int>(blockIdx.x) / blocks * beam;
    int column = static_cast<int>(blockIdx.x) % blocks * static_cast<int>(blockDim.x) + static_cast<int>(threadIdx.x);
    if (column >= columns) return;
    int place = column * elements / channels;
    auto moves = [&](int i) { return parents[first + i] != i && (counts == nullptr || place < counts[first + i]); };
    for (int i = 0; i < beam; i++) {
        if (moves(i)) held[i * blockDim.x + threadIdx.x] = x[static_cast<long long>(first + parents[first + i]) * columns + column];
    }
    for (int i = 0; i < beam; i++) {
        if (moves(i)) x[static_cast<long long>(first + i) * columns + column] = held[i * blockDim.x + threadIdx.x];
    }
}
