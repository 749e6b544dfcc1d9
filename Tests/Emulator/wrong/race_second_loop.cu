// The barrier at the end of the loop is missing: a fast warp overwrites the tile that a slow one still reads.
// emulate: wrong_race_second_loop 1 128 0 float[512] float[512]=unwritten 4
extern "C" __global__ void wrong_race_second_loop(const float* x, float* y, int rounds) {
    __shared__ float tile[128];
    for (int round = 0; round < rounds; round++) {
        tile[threadIdx.x] = x[round * 128 + threadIdx.x];  // reported here
        __syncthreads();
        y[round * 128 + threadIdx.x] = tile[127 - threadIdx.x];  // reported here
    }
}
