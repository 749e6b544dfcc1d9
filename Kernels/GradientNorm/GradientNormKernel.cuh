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

// The sum of partial [blocks], in one order; one block.
__device__ inline double gradient_norm_all(const double* partial, int blocks) {
    double all = 0.0;
    for (int i = threadIdx.x; i < blocks; i += blockDim.x) all += partial[i];
    return block_sum(all);
}

// sum[0] = the sum of partial [blocks].
__device__ inline void gradient_norm_sum(const double* partial, double* sum, int blocks) {
    double all = gradient_norm_all(partial, blocks);
    if (threadIdx.x == 0) *sum = all;
}

// norm [1], guard [2] as GradientNormKernel.cs says, of the sum of partial [blocks] and loss [1]; one block.
__device__ inline void gradient_norm_clip(const double* partial, int blocks, float scale, float max_norm, const float* loss, float* norm, float* guard) {
    double all = gradient_norm_all(partial, blocks);
    if (threadIdx.x != 0) return;
    float length = static_cast<float>(sqrt(all)), factor = scale;
    double scaled = length * static_cast<double>(scale);
    if (max_norm > 0.0f && scaled > max_norm) factor *= static_cast<float>(max_norm / (scaled + 1e-6));
    bool stopped = guard[1] != 0.0f || !is_finite(scaled) || !is_finite(*loss);
    *norm = static_cast<float>(scaled);
    guard[0] = stopped ? not_a_number() : factor;
    guard[1] = stopped ? 1.0f : 0.0f;
}
