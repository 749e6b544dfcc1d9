// What programs often use: managed memory, groups, a pipeline, a pointer to a kernel, a counter in a __device__ variable, a thread that waits for another.
#include <cooperative_groups.h>
#include <cuda_pipeline.h>

#include <cstdio>

namespace groups = cooperative_groups;
__device__ unsigned finished = 0;

template <int Threads>
__global__ void sum(const float4* x, volatile float* partial, float* total) {
    static __shared__ float4 tile[Threads];
    __shared__ float sums[Threads / 32];
    __shared__ bool last;
    auto block = groups::this_thread_block();
    auto warp = groups::tiled_partition<32>(block);
    __pipeline_memcpy_async(&tile[threadIdx.x], &x[blockIdx.x * Threads + threadIdx.x], sizeof(float4));
    __pipeline_commit();
    __pipeline_wait_prior(0);
    block.sync();
    float4 four = tile[Threads - 1 - threadIdx.x];
    float value = four.x + four.y + four.z + four.w;
    for (int offset = warp.size() / 2; offset > 0; offset /= 2) value += warp.shfl_down(value, offset);
    if (warp.thread_rank() == 0) sums[warp.meta_group_rank()] = value;
    groups::sync(block);
    if (threadIdx.x == 0) {
        value = 0;
        for (float one : sums) value += one;
        partial[blockIdx.x] = value;
        __threadfence();
        last = atomicInc(&finished, gridDim.x) == gridDim.x - 1;
    }
    __syncthreads();
    if (last && threadIdx.x == 0) {
        *total = 0;
        for (int i = 0; i < gridDim.x; i++) *total += partial[i];
        finished = 0;
    }
}

__global__ void relay(int* turn) {
    while (atomicAdd(turn, 0) != threadIdx.x) {
    }
    atomicAdd(turn, 1);
}

int main() {
    float4* x;
    float *partial, *total;
    int* turn;
    cudaMallocManaged(&x, 256 * sizeof(float4));
    cudaMallocManaged(&total, sizeof(float));
    cudaMalloc(&partial, 4 * sizeof(float));
    cudaMalloc(&turn, sizeof(int));
    cudaMemset(turn, 0, sizeof(int));
    for (int i = 0; i < 256; i++) x[i] = {1, 2, 3, 4};
    auto kernel = sum<64>;
    for (int round = 0; round < 2; round++) kernel<<<4, 64>>>(x, partial, total);
    relay<<<1, 4>>>(turn);
    if (cudaDeviceSynchronize() != cudaSuccess) return 1;
    printf("total %g\n", *total);
    return 0;
}
