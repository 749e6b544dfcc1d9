// The mask names lanes that took the other branch.
// emulate: wrong_divergent_shuffle 1 32 0 float[32]=unwritten
extern "C" __global__ void wrong_divergent_shuffle(float* y) {
    float value = threadIdx.x;
    if (threadIdx.x < 16) {
        value += __shfl_xor_sync(0xffffffffu, value, 1);  // reported here
    } else {
        value -= 1.0f;
        __syncthreads();
    }
    y[threadIdx.x] = value;
}
