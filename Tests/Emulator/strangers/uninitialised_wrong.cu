// What cudaMalloc gives is not zero, though it was allocated before the first launch.
__global__ void accumulate(float* sums) { sums[threadIdx.x] += 1.0f; }

int main() {
    float* sums;
    cudaMalloc(&sums, 64 * sizeof(float));
    accumulate<<<1, 64>>>(sums);
    return 0;
}
