// The left neighbour of the first element.
// emulate: wrong_negative_index 1 64 0 float[1024] float[64] float[64]=unwritten
extern "C" __global__ void wrong_negative_index(const float* before, const float* x, float* y) {
    y[threadIdx.x] = x[threadIdx.x] - x[static_cast<int>(threadIdx.x) - 1];  // reported here
}
