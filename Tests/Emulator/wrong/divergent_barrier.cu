// Half of the block never comes to the barrier.
// emulate: wrong_divergent_barrier 1 128 0 float[128]=unwritten
extern "C" __global__ void wrong_divergent_barrier(float* y) {
    if (threadIdx.x < 64) {
        __syncthreads();  // reported here
    }
    y[threadIdx.x] = 1.0f;
}
