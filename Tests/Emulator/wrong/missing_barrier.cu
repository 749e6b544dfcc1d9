// A sum over a block in shared memory whose last barrier is missing: only the first warp's part of the array is complete when thread 0 reads it.
// emulate: wrong_missing_barrier 2 256 0 float[512] float[2]=unwritten
extern "C" __global__ void wrong_missing_barrier(const float* x, float* y) {
    __shared__ float partial[8];
    float value = x[blockIdx.x * 256 + threadIdx.x];
    for (int offset = 16; offset > 0; offset /= 2) value += __shfl_xor_sync(0xffffffffu, value, offset);
    if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = value;  // reported here
    if (threadIdx.x == 0) {
        float sum = 0.0f;
        for (int i = 0; i < 8; i++) sum += partial[i];  // reported here
        y[blockIdx.x] = sum;
    }
}
