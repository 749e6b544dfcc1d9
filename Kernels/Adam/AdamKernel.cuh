// One update of all parameters, in place. Twin: AdamKernel.Cpu.cs; what the factors mean: AdamKernel.cs. A block of the grid is a block of the list, whose
// operands are parameter, gradient, first and second moment; all float, whatever the model computes in; and the parameter's copy in bf16, or null.

constexpr int adam_block = 8192;

struct AdamFactors {
    float gradient_scale, l2, beta1, gain1, beta2, gain2, step_size, root_scale, epsilon, decay;

    __device__ void update(float& p, float gradient, float& m, float& v) const {
        float g = fmaf(l2, p, gradient_scale * gradient);
        m = fmaf(beta1, m, gain1 * g);
        v = fmaf(beta2, v, gain2 * (g * g));
        float root = fmaf(root_scale, sqrtf(v), epsilon), decayed = fmaf(-decay, p, p);
        p = fmaf(-step_size, m / root, decayed);
    }
};

// `scale`: a further factor of the gradients, [1]; NaN leaves everything as it is. Null: 1.
__device__ inline void adam_step(const long long* words, int tensors, AdamFactors factors, const float* scale) {
    if (scale != nullptr) {
        if (isnan(*scale)) return;
        factors.gradient_scale *= *scale;
    }
    __shared__ TensorBlock block;
    if (threadIdx.x == 0) block = find_block(words, tensors, adam_block, blockIdx.x);
    __syncthreads();
    float* p = operand_of<float>(words, tensors, 5, block.tensor, 0) + block.start;
    const float* g = operand_of<float>(words, tensors, 5, block.tensor, 1) + block.start;
    float* m = operand_of<float>(words, tensors, 5, block.tensor, 2) + block.start;
    float* v = operand_of<float>(words, tensors, 5, block.tensor, 3) + block.start;
    bf16* copy = operand_of<bf16>(words, tensors, 5, block.tensor, 4);
    if (copy != nullptr) copy += block.start;
    int length = block.length, packed = aligned(p, g, m, v) && aligned<4 * sizeof(bf16)>(copy) ? length / 4 * 4 : 0;
#pragma unroll 2
    for (int i = threadIdx.x * 4; i < packed; i += blockDim.x * 4) {
        float4 value = load_four(p + i), gradient = load_four(g + i), first = load_four(m + i), second = load_four(v + i);
        factors.update(value.x, gradient.x, first.x, second.x);
        factors.update(value.y, gradient.y, first.y, second.y);
        factors.update(value.z, gradient.z, first.z, second.z);
        factors.update(value.w, gradient.w, first.w, second.w);
        store_four(p + i, value);
        if (copy != nullptr) store_four(copy + i, value);
        store_four(m + i, first);
        store_four(v + i, second);
    }
    for (int i = packed + threadIdx.x; i < length; i += blockDim.x) {
        factors.update(p[i], g[i], m[i], v[i]);
        if (copy != nullptr) copy[i] = from_float<bf16>(p[i]);
    }
}
