// A neighbour's element is read with no barrier after it was written.
// emulate: wrong_race_shared 1 128 0 x:float[128] float[128]=unwritten
extern "C" __global__ void wrong_race_shared(const float* x, float* y) {
    __shared__ float tile[128];
    tile[threadIdx.x] = x[threadIdx.x];               // reported here
    y[threadIdx.x] = tile[(threadIdx.x + 64) % 128];  // reported here
}
