// No main, no instructions: launched with default arguments.
extern "C" __global__ void increment(float* x, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) x[i + 1] = x[i] + 1.0f;
}
