// The buffer is given back before the kernel that reads it is launched.
// emulate: wrong_use_after_free 1 64 0 x:float[64] y:float[64]=unwritten
// emulate: free x
// emulate: wrong_use_after_free 1 64 0 x y
extern "C" __global__ void wrong_use_after_free(const float* x, float* y) {
    y[threadIdx.x] = x[threadIdx.x];  // reported here
}
