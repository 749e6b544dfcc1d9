// Correct kernels that use what the emulated device offers: none of this may be reported, in any order of threads.
// emulate: sample_axpy 8 128 0 0.5 x:float[1000] y:float[1000] 1000
// emulate: sample_softmax 4 256 0 float[4096] float[4096]=unwritten 1024
// emulate: sample_transpose 2x3 32x8 4224 float[6144] float[6144]=unwritten 96 64
// emulate: sample_prefix 1 64 0 int[64] int[64]=unwritten
// emulate: sample_histogram 4 64 0 int[256] int[100]=0
// emulate: sample_pipeline 2 32 0 float[2048] float[256]=unwritten 8
// emulate: sample_warp_exchange 1 64 0 float[64] float[64]=unwritten
// emulate: sample_last_block 4 64 0 float[256] float[4]=unwritten float[1]=unwritten uint[1]=0
// emulate: synchronise
// emulate: stream 1
// emulate: sample_axpy 8 128 0 2 x y 1000
// emulate: stream 2
// emulate: wait 1
// emulate: sample_axpy 8 128 0 3 x y 1000
// emulate: free y
#ifndef CUDASEQ_EMULATOR
#define EMULATOR_DYNAMIC_SHARED(T, name) extern __shared__ T name[]
#endif

extern "C" __global__ void sample_axpy(float a, const float* __restrict__ x, float* __restrict__ y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] += a * x[i];
}

// Shared memory inside a template: the case that needs more than a section attribute.
template <bool Max>
__device__ float block_reduce(float value) {
    __shared__ float partial[32];
    for (int offset = 16; offset > 0; offset /= 2) {
        float other = __shfl_xor_sync(0xffffffffu, value, offset);
        value = Max ? fmaxf(value, other) : value + other;
    }
    __syncthreads();
    if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = value;
    __syncthreads();
    value = partial[0];
    for (int i = 1; i < (int)blockDim.x / 32; i++) value = Max ? fmaxf(value, partial[i]) : value + partial[i];
    return value;
}

extern "C" __global__ void sample_softmax(const float* x, float* y, int n) {
    x += (size_t)blockIdx.x * n;
    y += (size_t)blockIdx.x * n;
    float largest = -1e30f, sum = 0.0f;
    for (int i = threadIdx.x; i < n; i += blockDim.x) largest = fmaxf(largest, x[i]);
    largest = block_reduce<true>(largest);
    for (int i = threadIdx.x; i < n; i += blockDim.x) sum += expf(x[i] - largest);
    sum = block_reduce<false>(sum);
    for (int i = threadIdx.x; i < n; i += blockDim.x) y[i] = expf(x[i] - largest) / sum;
}

extern "C" __global__ void __launch_bounds__(256) sample_transpose(const float* x, float* y, int rows, int columns) {
    EMULATOR_DYNAMIC_SHARED(float, tile);
    int column = blockIdx.x * 32 + threadIdx.x;
    for (int i = threadIdx.y; i < 32; i += blockDim.y) tile[i * 33 + threadIdx.x] = x[(blockIdx.y * 32 + i) * columns + column];
    __syncthreads();
    int row = blockIdx.y * 32 + threadIdx.x;
    for (int i = threadIdx.y; i < 32; i += blockDim.y) y[(blockIdx.x * 32 + i) * rows + row] = tile[threadIdx.x * 33 + i];
}

extern "C" __global__ void sample_prefix(const int* x, int* y) {
    __shared__ int sums[2];
    int lane = threadIdx.x % 32, value = x[threadIdx.x];
    for (int offset = 1; offset < 32; offset *= 2) {
        int before = __shfl_up_sync(0xffffffffu, value, offset);
        if (lane >= offset) value += before;
    }
    if (lane == 31) sums[threadIdx.x / 32] = value;
    __syncthreads();
    y[threadIdx.x] = value + (threadIdx.x >= 32 ? sums[0] : 0);
}

extern "C" __global__ void sample_histogram(const int* x, int* counts) {
    __shared__ int local[100];
    for (int i = threadIdx.x; i < 100; i += blockDim.x) local[i] = 0;
    __syncthreads();
    atomicAdd(&local[x[blockIdx.x * blockDim.x + threadIdx.x]], 1);
    __syncthreads();
    for (int i = threadIdx.x; i < 100; i += blockDim.x) atomicAdd(&counts[i], local[i]);
}

// Two tiles: one is filled by cp.async while the other is read.
#ifdef CUDASEQ_EMULATOR
#define COPY_16(shared, global) emulator_cp_async(shared, global, 16)
#define COMMIT() emulator_cp_async_commit()
#define WAIT(groups) emulator_cp_async_wait(groups)
#else
#define COPY_16(shared, global) asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"((unsigned)__cvta_generic_to_shared(shared)), "l"(global))
#define COMMIT() asm volatile("cp.async.commit_group;")
#define WAIT(groups) asm volatile("cp.async.wait_group %0;" ::"n"(groups))
#endif
extern "C" __global__ void sample_pipeline(const float* x, float* y, int rounds) {
    __shared__ __align__(16) float tile[2][128];
    x += blockIdx.x * rounds * 128;
    float sums[4] = {0.0f, 0.0f, 0.0f, 0.0f};
    COPY_16(&tile[0][4 * threadIdx.x], x + 4 * threadIdx.x);
    COMMIT();
    for (int round = 0; round < rounds; round++) {
        if (round + 1 < rounds) COPY_16(&tile[(round + 1) % 2][4 * threadIdx.x], x + (round + 1) * 128 + 4 * threadIdx.x);
        COMMIT();
        WAIT(1);
        __syncthreads();
        for (int i = 0; i < 4; i++) sums[i] += tile[round % 2][(4 * threadIdx.x + i + 64) % 128];
        __syncthreads();
    }
    for (int i = 0; i < 4; i++) y[blockIdx.x * 128 + 4 * threadIdx.x + i] = sums[i];
}

extern "C" __global__ void sample_warp_exchange(const float* x, float* y) {
    __shared__ float tile[64];
    int first = threadIdx.x & ~31, lane = threadIdx.x & 31;
    for (int round = 0; round < 3; round++) {
        tile[threadIdx.x] = x[threadIdx.x] + round;
        __syncwarp();
        y[threadIdx.x] = tile[first + 31 - lane];
        __syncwarp();
    }
}

// The last block to finish adds up what the others left: ordered by fences and an atomic.
extern "C" __global__ void sample_last_block(const float* x, float* partial, float* sum, unsigned* finished) {
    __shared__ bool last;
    float value = block_reduce<false>(x[blockIdx.x * blockDim.x + threadIdx.x]);
    if (threadIdx.x == 0) {
        partial[blockIdx.x] = value;
        __threadfence();
        last = atomicAdd(finished, 1u) == gridDim.x - 1;
    }
    __syncthreads();
    if (last && threadIdx.x == 0) {
        float total = 0.0f;
        for (unsigned i = 0; i < gridDim.x; i++) total += partial[i];
        sum[0] = total;
    }
}
