// Blocks add to a __device__ variable without an atomic.
// emulate: wrong_race_variable 4 1 0 float[4]
__device__ float wrong_race_variable_total;
extern "C" __global__ void wrong_race_variable(const float* x) {
    wrong_race_variable_total += x[blockIdx.x];  // reported here
}
