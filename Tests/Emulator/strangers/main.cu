// A program as beginners write it: CUDA's runtime, <<<>>>, extern __shared__.
#include <cuda_runtime.h>

#include <cstdio>
#include <vector>

template <typename T>
__global__ void reduce(const T* x, T* sum, int n) {
    extern __shared__ float partial[];
    partial[threadIdx.x] = threadIdx.x < n ? x[threadIdx.x] : 0;
    __syncthreads();
    for (int half = blockDim.x / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) partial[threadIdx.x] += partial[threadIdx.x + half];
        __syncthreads();
    }
    if (threadIdx.x == 0) *sum = partial[0];
}

int main() {
    std::vector<float> x(64);
    for (int i = 0; i < 64; i++) x[i] = i;
    float *device_x, *device_sum, sum;
    cudaMalloc(&device_x, x.size() * sizeof(float));
    cudaMalloc((void**)&device_sum, sizeof(float));
    cudaMemcpy(device_x, x.data(), x.size() * sizeof(float), cudaMemcpyHostToDevice);
    dim3 grid(1), block(64);
    reduce<float><<<grid, block, 64 * sizeof(float)>>>(device_x, device_sum, 64);
    if (cudaGetLastError() != cudaSuccess) return 1;
    cudaMemcpy(&sum, device_sum, sizeof(float), cudaMemcpyDeviceToHost);
    printf("sum %g\n", sum);
    cudaFree(device_x);
    cudaFree(device_sum);
    return cudaDeviceSynchronize() == cudaSuccess ? 0 : 1;
}
