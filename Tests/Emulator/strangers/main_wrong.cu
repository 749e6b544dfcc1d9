// The same kind of program with a barrier too few, whose author never asks for errors.
#include <cuda_runtime.h>

__global__ void reverse(float* x) {
    __shared__ float tile[128];
    tile[threadIdx.x] = x[threadIdx.x];
    x[threadIdx.x] = tile[127 - threadIdx.x];
}

int main() {
    float* x;
    cudaMalloc(&x, 128 * sizeof(float));
    cudaMemset(x, 0, 128 * sizeof(float));
    reverse<<<1, 128>>>(x);
    cudaFree(x);
}
