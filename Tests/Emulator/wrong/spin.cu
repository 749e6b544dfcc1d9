// The first block waits for a flag that the last one raises: nothing says that they run at the same time.
// emulate: wrong_spin 2 32 0 int[1]=0 int[1]=0
extern "C" __global__ void wrong_spin(volatile int* first, volatile int* second) {
    if (threadIdx.x > 0) return;
    volatile int* mine = blockIdx.x == 0 ? first : second;
    volatile int* other = blockIdx.x == 0 ? second : first;
    while (*other == 0) {  // reported here
    }
    *mine = 1;
}
