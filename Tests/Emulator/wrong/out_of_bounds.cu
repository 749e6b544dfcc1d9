// One thread too many: the element after the last.
// emulate: wrong_out_of_bounds 2 128 0 float[255]=unwritten 255
extern "C" __global__ void wrong_out_of_bounds(float* y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i <= n) y[i] = 1.0f;  // reported here
}
