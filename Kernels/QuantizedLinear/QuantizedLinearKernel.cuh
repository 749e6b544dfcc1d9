// A linear layer on 8-bit integers. Twin: QuantizedLinearKernel.Cpu.cs, with which it agrees to the bit before bias and activation.

// Four products of 8-bit integers, added.
__device__ inline int dot_of_four(int a, int b, int sum) {
#ifdef CUDASEQ_EMULATOR
#pragma unroll
    for (int shift = 0; shift < 32; shift += 8) sum += static_cast<signed char>(a >> shift) * static_cast<signed char>(b >> shift);
    return sum;
#else
    asm("dp4a.s32.s32 %0, %1, %2, %0;" : "+r"(sum) : "r"(a), "r"(b));
    return sum;
#endif
}

// x [rows, count] to words [rows, groups], four integers each, and scales [rows]; a block for each row, and for those that fill up, which become zeros. In panels,
// words lie as [row / 8][groups][row % 8].
template <typename E>
__device__ inline void quantize_rows(const E* x, int* words, float* scales, int rows, int count, int groups, int panels) {
    const float smallest = 7.8886090522101181e-31f;
    long long row = blockIdx.x;
    x += row * count;
    if (row >= rows) count = 0;
    // Nothing times infinity or NaN is NaN.
    float largest = 0.0f, nothing = 0.0f;
    for (int i = threadIdx.x; i < count; i += blockDim.x) {
        float value = to_float(x[i]);
        largest = fmaxf(largest, fabsf(value));
        nothing += value * 0.0f;
    }
    largest = block_reduce<LargerFloat>(largest, 0.0f);
    nothing = block_sum(nothing);
    bool zeros = nothing != 0.0f || largest < smallest;
    float factor = zeros ? 0.0f : 127.0f / largest;
    if (threadIdx.x == 0) scales[row] = zeros ? nothing : largest / 127.0f;
    long long first = panels ? row / 8 * groups * 8 + row % 8 : row * groups;
    int step = panels ? 8 : 1;
    for (int g = threadIdx.x; g < groups; g += blockDim.x) {
        unsigned word = 0;
        for (int j = 0; j < 4 && g * 4 + j < count && !zeros; j++)
            word |= static_cast<unsigned>(static_cast<int>(rintf(to_float(x[g * 4 + j]) * factor)) & 255) << (8 * j);
        words[first + static_cast<long long>(g) * step] = static_cast<int>(word);
    }
}

constexpr int quantized_tile = 64;
constexpr int quantized_groups = 16;

// y [rows, outputs] = activation(sums * (x_scales[row] * scales[output]) + bias); x [rows, groups], words in panels, bias float [outputs] or null; activation 0, 1 ReLU,
// 2 GELU. A block of 256 threads for each tile of 64 x 64, four by four of it for each thread.
template <typename E>
__device__ inline void quantized_linear_forward(
    const int* x, const float* x_scales, const int* words, const float* scales, const float* bias, E* y, int rows, int outputs, int groups, int activation) {
    // A row more, so that the threads that fill a column meet other banks.
    __shared__ int inputs[quantized_groups][quantized_tile + 1];
    __shared__ int weights[quantized_groups][quantized_tile];
    int across_tiles = (outputs + quantized_tile - 1) / quantized_tile, panels = (outputs + 7) / 8;
    int row = blockIdx.x / across_tiles * quantized_tile, output = blockIdx.x % across_tiles * quantized_tile;
    int across = threadIdx.x % 16, down = threadIdx.x / 16;
    int sums[4][4] = {};
    for (int begin = 0; begin < groups; begin += quantized_groups) {
#pragma unroll
        for (int k = 0; k < 4; k++) {
            int n = down + 16 * k, g = begin + across;
            inputs[across][n] = row + n < rows && g < groups ? x[static_cast<long long>(row + n) * groups + g] : 0;
            int at = threadIdx.x + 256 * k, panel = output / 8 + at / 128, group = begin + at % 128 / 8;
            weights[at % 128 / 8][at / 128 * 8 + at % 8] =
                panel < panels && group < groups ? words[(static_cast<long long>(panel) * groups + group) * 8 + at % 8] : 0;
        }
        __syncthreads();
#pragma unroll
        for (int g = 0; g < quantized_groups; g++) {
#pragma unroll
            for (int i = 0; i < 4; i++) {
#pragma unroll
                for (int j = 0; j < 4; j++) sums[i][j] = dot_of_four(inputs[g][down * 4 + i], weights[g][across + 16 * j], sums[i][j]);
            }
        }
        __syncthreads();
    }
#pragma unroll
    for (int i = 0; i < 4; i++) {
        int n = row + down * 4 + i;
        if (n >= rows) break;
#pragma unroll
        for (int j = 0; j < 4; j++) {
            int o = output + across + 16 * j;
            if (o >= outputs) continue;
            float z = static_cast<float>(sums[i][j]) * (x_scales[n] * scales[o]);
            if (bias != nullptr) z += bias[o];
            if (activation == 1) z = ReluFunction()(z);
            if (activation == 2) z = GeluFunction()(z);
            y[static_cast<long long>(n) * outputs + o] = from_float<E>(z);
        }
    }
}
