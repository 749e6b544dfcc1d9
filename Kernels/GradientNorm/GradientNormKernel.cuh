// The sum of the squares of many tensors. Twin: GradientNormKernel.Cpu.cs. A block of the grid is a block of the list, with one operand.

constexpr int gradient_norm_block = 16384;

// partial[block] = the sum of the block's squares: runs of floats in double precision, as the twin sums.
template <typename E>
__device__ inline void gradient_norm_blocks(const long long* words, int tensors, double* partial) {
    __shared__ TensorBlock block;
    if (threadIdx.x == 0) block = find_block(words, tensors, gradient_norm_block, blockIdx.x);
    __syncthreads();
    const E* x = operand_of<E>(words, tensors, 1, block.tensor, 0) + block.start;
    double sum = aligned(x) && block.length % Pack<E>::Count == 0 ? sum_share<SumProduct, Pack<E>::Count>(x, x, 0, block.length, threadIdx.x, blockDim.x)
                                                                  : sum_share<SumProduct, 1>(x, x, 0, block.length, threadIdx.x, blockDim.x);
    sum = block_sum(sum);
    if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

// sum[0] = the sum of partial [blocks], in one order; one block.
__device__ inline void gradient_norm_sum(const double* partial, double* sum, int blocks) {
    double all = 0.0;
    for (int i = threadIdx.x; i < blocks; i += blockDim.x) all += partial[i];
    all = block_sum(all);
    if (threadIdx.x == 0) *sum = all;
}
