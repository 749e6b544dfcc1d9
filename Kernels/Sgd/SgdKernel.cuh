// One update of all parameters, in place. Twin: SgdKernel.Cpu.cs; what the factors mean: SgdKernel.cs. A block of the grid is a block of the list, whose operands
// are parameter, gradient, and velocity or null; all float, whatever the model computes in; and the parameter's copy in bf16, or null.

constexpr int sgd_block = 8192;

struct SgdFactors {
    float gradient_scale, l2, momentum, step_size;
    bool nesterov;

    __device__ float gradient(float p, float gradient) const { return fmaf(l2, p, gradient_scale * gradient); }

    __device__ float step(float gradient, float& velocity) const {
        velocity = fmaf(momentum, velocity, gradient);
        return nesterov ? fmaf(momentum, velocity, gradient) : velocity;
    }
};

// Elements i .. i + Width of each.
template <int Width>
__device__ inline void sgd_elements(SgdFactors factors, float* p, const float* g, float* v, bf16* copy, int i) {
    float value[Width], gradient[Width], velocity[Width];
    load_elements<Width>(p + i, value);
    load_elements<Width>(g + i, gradient);
    if (v != nullptr) load_elements<Width>(v + i, velocity);
#pragma unroll
    for (int j = 0; j < Width; j++) {
        float step = factors.gradient(value[j], gradient[j]);
        if (v != nullptr) step = factors.step(step, velocity[j]);
        value[j] = fmaf(-factors.step_size, step, value[j]);
    }
    if (v != nullptr) store_elements<Width>(v + i, velocity);
    store_elements<Width>(p + i, value);
    if (copy == nullptr) return;
    if constexpr (Width == 4)
        store_four(copy + i, make_float4(value[0], value[1], value[2], value[3]));
    else
        copy[i] = from_float<bf16>(value[0]);
}

// `scale`: a further factor of the gradients, [1]; NaN leaves everything as it is. Null: 1.
__device__ inline void sgd_step(const long long* words, int tensors, SgdFactors factors, const float* scale) {
    if (scale != nullptr) {
        if (isnan(*scale)) return;
        factors.gradient_scale *= *scale;
    }
    __shared__ TensorBlock block;
    if (threadIdx.x == 0) block = find_block(words, tensors, sgd_block, blockIdx.x);
    __syncthreads();
    float* p = operand_of<float>(words, tensors, 4, block.tensor, 0) + block.start;
    const float* g = operand_of<float>(words, tensors, 4, block.tensor, 1) + block.start;
    float* v = operand_of<float>(words, tensors, 4, block.tensor, 2);
    bf16* copy = operand_of<bf16>(words, tensors, 4, block.tensor, 3);
    if (v != nullptr) v += block.start;
    if (copy != nullptr) copy += block.start;
    int packed = aligned(p, g, v) && aligned<4 * sizeof(bf16)>(copy) ? block.length / 4 * 4 : 0;
#pragma unroll 2
    for (int i = threadIdx.x * 4; i < packed; i += blockDim.x * 4) sgd_elements<4>(factors, p, g, v, copy, i);
    for (int i = packed + threadIdx.x; i < block.length; i += blockDim.x) sgd_elements<1>(factors, p, g, v, copy, i);
}
