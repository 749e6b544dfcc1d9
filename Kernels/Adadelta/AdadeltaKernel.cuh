// One update of all parameters, in place. Twin: AdadeltaKernel.Cpu.cs; what the factors mean: AdadeltaKernel.cs. A block of the grid is a block of the list, whose
// operands are parameter, gradient, averages of squared gradients and changes; all float, whatever the model computes in; and the parameter's copy in bf16, or null.

constexpr int adadelta_block = 8192;

struct AdadeltaFactors {
    float gradient_scale, l2, rho, gain, epsilon, step_size;

    __device__ void update(float& p, float gradient, float& squares, float& changes) const {
        float g = fmaf(l2, p, gradient_scale * gradient);
        squares = fmaf(rho, squares, gain * (g * g));
        float change = sqrtf(changes + epsilon) / sqrtf(squares + epsilon) * g;
        changes = fmaf(rho, changes, gain * (change * change));
        p = fmaf(-step_size, change, p);
    }
};

// `scale`: a further factor of the gradients, [1]; NaN leaves everything as it is. Null: 1.
__device__ inline void adadelta_step(const long long* words, int tensors, AdadeltaFactors factors, const float* scale) {
    if (scale != nullptr) {
        if (isnan(*scale)) return;
        factors.gradient_scale *= *scale;
    }
    __shared__ TensorBlock block;
    if (threadIdx.x == 0) block = find_block(words, tensors, adadelta_block, blockIdx.x);
    __syncthreads();
    float* p = operand_of<float>(words, tensors, 5, block.tensor, 0) + block.start;
    const float* g = operand_of<float>(words, tensors, 5, block.tensor, 1) + block.start;
    float* a = operand_of<float>(words, tensors, 5, block.tensor, 2) + block.start;
    float* b = operand_of<float>(words, tensors, 5, block.tensor, 3) + block.start;
    bf16* copy = operand_of<bf16>(words, tensors, 5, block.tensor, 4);
    if (copy != nullptr) copy += block.start;
    int length = block.length, packed = aligned(p, g, a, b) && aligned<4 * sizeof(bf16)>(copy) ? length / 4 * 4 : 0;
#pragma unroll 2
    for (int i = threadIdx.x * 4; i < packed; i += blockDim.x * 4) {
        float4 value = load_four(p + i), gradient = load_four(g + i), squares = load_four(a + i), changes = load_four(b + i);
        factors.update(value.x, gradient.x, squares.x, changes.x);
        factors.update(value.y, gradient.y, squares.y, changes.y);
        factors.update(value.z, gradient.z, squares.z, changes.z);
        factors.update(value.w, gradient.w, squares.w, changes.w);
        store_four(p + i, value);
        if (copy != nullptr) store_four(copy + i, value);
        store_four(a + i, squares);
        store_four(b + i, changes);
    }
    for (int i = packed + threadIdx.x; i < length; i += blockDim.x) {
        factors.update(p[i], g[i], a[i], b[i]);
        if (copy != nullptr) copy[i] = from_float<bf16>(p[i]);
    }
}
