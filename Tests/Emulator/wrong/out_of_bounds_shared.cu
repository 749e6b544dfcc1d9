// Past the end of dynamic shared memory.
// emulate: wrong_out_of_bounds_shared 1 64 252 float[64]=unwritten
#ifndef CUDASEQ_EMULATOR
#define EMULATOR_DYNAMIC_SHARED(T, name) extern __shared__ T name[]
#endif
extern "C" __global__ void wrong_out_of_bounds_shared(float* y) {
    EMULATOR_DYNAMIC_SHARED(float, tile);
    tile[threadIdx.x] = threadIdx.x;  // reported here
    __syncthreads();
    y[threadIdx.x] = tile[63 - threadIdx.x];
}
