// Of two groups one may still be pending, and it is the one that is read.
#include <cuda_pipeline.h>

__global__ void stage(const float4* x, float* y) {
    __shared__ float4 tile[32];
    __pipeline_memcpy_async(&tile[threadIdx.x], &x[threadIdx.x], sizeof(float4));
    __pipeline_commit();
    __pipeline_wait_prior(1);
    y[threadIdx.x] = tile[threadIdx.x].x;
}

int main() {
    float4* x;
    float* y;
    cudaMalloc(&x, 32 * sizeof(float4));
    cudaMalloc(&y, 32 * sizeof(float));
    cudaMemset(x, 0, 32 * sizeof(float4));
    stage<<<1, 32>>>(x, y);
    return 0;
}
