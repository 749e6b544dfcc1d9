// The launch is refused, and the program does not ask.
__global__ void fill(float* x) { x[threadIdx.x] = 1.0f; }

int main() {
    float* x;
    cudaMalloc(&x, 2048 * sizeof(float));
    fill<<<1, 2048>>>(x);
    return 0;
}
