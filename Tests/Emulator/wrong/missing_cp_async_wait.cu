// The tile is read after a barrier, but the copies into it have not been waited for.
// emulate: wrong_missing_cp_async_wait 1 32 0 float[128] float[128]=unwritten
#ifdef CUDASEQ_EMULATOR
#define COPY_16(shared, global) emulator_cp_async(shared, global, 16)
#define COMMIT() emulator_cp_async_commit()
#else
#define COPY_16(shared, global) asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"((unsigned)__cvta_generic_to_shared(shared)), "l"(global))
#define COMMIT() asm volatile("cp.async.commit_group;")
#endif
extern "C" __global__ void wrong_missing_cp_async_wait(const float* x, float* y) {
    __shared__ __align__(16) float tile[128];
    COPY_16(tile + 4 * threadIdx.x, x + 4 * threadIdx.x);
    COMMIT();
    __syncthreads();
    for (int i = 0; i < 4; i++) y[4 * threadIdx.x + i] = tile[4 * threadIdx.x + i];  // reported here
}
