// One update of all parameters, in place. Twin: ParameterUpdateKernel.Cpu.cs. A block of the grid is a block of the list, whose operands are the parameter, its
// gradient, its copy in bf16 or null, and as many tensors as the rule remembers; all but the copy float, whatever the model computes in. A rule says
// `update(p, gradient, first, second)` for one element and leaves alone what it does not remember.

constexpr int update_block = 8192;

// Elements i .. i + Width of each.
template <int Width, class Rule>
__device__ inline void update_elements(const Rule& rule, float* p, const float* g, bf16* copy, float* first, float* second, int i) {
    float value[Width], gradient[Width], a[Width] = {}, b[Width] = {};
    load_elements<Width>(p + i, value);
    load_elements<Width>(g + i, gradient);
    if constexpr (Rule::States > 0) load_elements<Width>(first + i, a);
    if constexpr (Rule::States > 1) load_elements<Width>(second + i, b);
#pragma unroll
    for (int j = 0; j < Width; j++) rule.update(value[j], gradient[j], a[j], b[j]);
    store_elements<Width>(p + i, value);
    if constexpr (Rule::States > 0) store_elements<Width>(first + i, a);
    if constexpr (Rule::States > 1) store_elements<Width>(second + i, b);
    if (copy == nullptr) return;
    if constexpr (Width == 4)
        store_four(copy + i, make_float4(value[0], value[1], value[2], value[3]));
    else
        copy[i] = from_float<bf16>(value[0]);
}

// `scale`: a further factor of the gradients, [1]; NaN leaves everything as it is. Null: 1.
template <class Rule>
__device__ inline void update_parameters(const long long* words, int tensors, Rule rule, const float* scale) {
    constexpr int operands = 3 + Rule::States;
    if (scale != nullptr) {
        if (isnan(*scale)) return;
        rule.gradient_scale *= *scale;
    }
    __shared__ TensorBlock block;
    if (threadIdx.x == 0) block = find_block(words, tensors, update_block, blockIdx.x);
    __syncthreads();
    float* p = operand_of<float>(words, tensors, operands, block.tensor, 0) + block.start;
    const float* g = operand_of<float>(words, tensors, operands, block.tensor, 1) + block.start;
    bf16* copy = operand_of<bf16>(words, tensors, operands, block.tensor, 2);
    if (copy != nullptr) copy += block.start;
    float *first = nullptr, *second = nullptr;
    if constexpr (Rule::States > 0) first = operand_of<float>(words, tensors, operands, block.tensor, 3) + block.start;
    if constexpr (Rule::States > 1) second = operand_of<float>(words, tensors, operands, block.tensor, 4) + block.start;
    int length = block.length, packed = aligned(p, g, first, second) && aligned<4 * sizeof(bf16)>(copy) ? length / 4 * 4 : 0;
#pragma unroll 2
    for (int i = threadIdx.x * 4; i < packed; i += blockDim.x * 4) update_elements<4>(rule, p, g, copy, first, second, i);
    for (int i = packed + threadIdx.x; i < length; i += blockDim.x) update_elements<1>(rule, p, g, copy, first, second, i);
}
