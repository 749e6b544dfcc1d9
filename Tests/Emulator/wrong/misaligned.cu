// Four floats at once from an address that is no multiple of 16.
// emulate: wrong_misaligned 1 32 0 float[256] float[128]=unwritten
extern "C" __global__ void wrong_misaligned(const float* x, float* y) {
    float4 v = *(const float4*)(x + 1 + 4 * threadIdx.x);  // reported here
    y[4 * threadIdx.x] = v.x + v.y + v.z + v.w;
}
