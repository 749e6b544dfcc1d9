// Adds to an output that nobody has cleared.
// emulate: wrong_uninitialised_global 1 64 0 float[64] float[64]=unwritten
extern "C" __global__ void wrong_uninitialised_global(const float* x, float* y) {
    y[threadIdx.x] += x[threadIdx.x];  // reported here
}
