// Both halves come to a barrier, but not to the same one.
// emulate: wrong_two_barriers 1 128 0 float[128]=unwritten
extern "C" __global__ void wrong_two_barriers(float* y) {
    if (threadIdx.x < 64) {
        y[threadIdx.x] = 1.0f;
        __syncthreads();  // reported here
    } else {
        y[threadIdx.x] = 2.0f;
        __syncthreads();  // reported here
    }
}
