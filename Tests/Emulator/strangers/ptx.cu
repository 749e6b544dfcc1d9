__global__ void lane(unsigned* y) {
    unsigned lane;
    asm volatile("mov.u32 %0, %%laneid;" : "=r"(lane));
    y[threadIdx.x] = lane;
}

int main() { return 0; }
