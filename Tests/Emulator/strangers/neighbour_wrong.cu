// One element too many, through a pointer: it lands in the thread's next variable.
__device__ void count_up(float* values, int n) {
    for (int i = 0; i <= n; i++) values[i] = i;
}
__global__ void last(float* y) {
    float values[8];
    count_up(values, 8);
    y[threadIdx.x] = values[threadIdx.x % 8];
}

int main() {
    float* y;
    cudaMalloc(&y, 32 * sizeof(float));
    last<<<1, 32>>>(y);
    return 0;
}
