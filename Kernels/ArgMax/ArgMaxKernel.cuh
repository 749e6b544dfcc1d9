// indices[n] is where the largest of x[n, :] stands. Twin: ArgMaxKernel.Cpu.cs. x [rows, count], indices int32 [rows]; a block for each row.
template <typename E>
__device__ inline void arg_max_forward(const E* x, int* indices, int count) {
    unsigned long long best = 0;
    each_key(x + static_cast<long long>(blockIdx.x) * count, count, [&](unsigned long long key) { best = key > best ? key : best; });
    best = block_reduce<Larger>(best, 0ULL);
    if (threadIdx.x == 0) indices[blockIdx.x] = rank_index(best);
}
