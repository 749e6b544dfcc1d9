// Lanes of one warp exchange values through shared memory as if they still moved in step.
// emulate: wrong_missing_syncwarp 1 32 0 float[32] float[32]=unwritten
extern "C" __global__ void wrong_missing_syncwarp(const float* x, float* y) {
    __shared__ float tile[32];
    tile[threadIdx.x] = x[threadIdx.x];       // reported here
    y[threadIdx.x] = tile[31 - threadIdx.x];  // reported here
}
