// The second stream reads what the first one writes, and no event makes it wait.
// emulate: stream 1
// emulate: wrong_missing_event_writes 1 64 0 x:float[64]=0
// emulate: stream 2
// emulate: wrong_missing_event_reads 1 64 0 x float[64]=unwritten
extern "C" __global__ void wrong_missing_event_writes(float* x) {
    x[threadIdx.x] = threadIdx.x;  // reported here
}
extern "C" __global__ void wrong_missing_event_reads(const float* x, float* y) {
    y[threadIdx.x] = x[threadIdx.x];  // reported here
}
