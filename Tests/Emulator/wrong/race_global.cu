// Every block adds to the same element without an atomic.
// emulate: wrong_race_global 4 32 0 float[1]=0
extern "C" __global__ void wrong_race_global(float* sum) {
    if (threadIdx.x == 0) sum[0] += 1.0f;  // reported here
}
