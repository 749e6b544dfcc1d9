// Only half of the tile is filled.
// emulate: wrong_uninitialised_shared 1 64 0 float[64]=unwritten
extern "C" __global__ void wrong_uninitialised_shared(float* y) {
    __shared__ float tile[64];
    if (threadIdx.x < 32) tile[threadIdx.x] = 1.0f;
    __syncthreads();
    y[threadIdx.x] = tile[threadIdx.x];  // reported here
}
