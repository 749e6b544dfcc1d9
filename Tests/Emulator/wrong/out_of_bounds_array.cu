// Past the end of one shared array, into the next: no guard page is there to tell.
// emulate: wrong_out_of_bounds_array 1 64 0 float[64]=unwritten
extern "C" __global__ void wrong_out_of_bounds_array(float* y) {
    __shared__ float first[64];
    __shared__ float second[64];
    first[threadIdx.x] = second[threadIdx.x] = 1.0f;
    __syncthreads();
    y[threadIdx.x] = first[threadIdx.x + 1] + second[threadIdx.x];  // reported here
}
