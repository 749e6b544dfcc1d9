// Tensor cores: one warp multiplies a [16, K] by b [8, K] transposed, in bf16 through ldmatrix and mma.
// emulate: sample_matrix 1 32 0 ushort[512]=16256 ushort[256]=16384 float[128]=unwritten 32
#ifdef CUDASEQ_EMULATOR
#define LOAD_MATRIX_X4(registers, row) emulator_ldmatrix_x4(registers, row)
#define LOAD_MATRIX_X2(registers, row) emulator_ldmatrix_x2(registers, row)
#define MULTIPLY(d, a, b) emulator_mma_m16n8k16_bf16(d, a, b, d)
#else
#define LOAD_MATRIX_X4(r, row)                                                   \
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];" \
                 : "=r"((r)[0]), "=r"((r)[1]), "=r"((r)[2]), "=r"((r)[3])        \
                 : "r"((unsigned)__cvta_generic_to_shared(row)))
#define LOAD_MATRIX_X2(r, row) \
    asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0,%1}, [%2];" : "=r"((r)[0]), "=r"((r)[1]) : "r"((unsigned)__cvta_generic_to_shared(row)))
#define MULTIPLY(d, a, b)                                                                                                 \
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3},{%4,%5,%6,%7},{%8,%9},{%0,%1,%2,%3};" \
                 : "+f"((d)[0]), "+f"((d)[1]), "+f"((d)[2]), "+f"((d)[3])                                                 \
                 : "r"((a)[0]), "r"((a)[1]), "r"((a)[2]), "r"((a)[3]), "r"((b)[0]), "r"((b)[1]))
#endif
extern "C" __global__ void sample_matrix(const unsigned short* a, const unsigned short* b, float* y, int K) {
    __shared__ __align__(16) unsigned short tile_a[16][16], tile_b[8][16];
    int lane = threadIdx.x, g = lane / 4, q = lane % 4;
    float d[4] = {0.0f, 0.0f, 0.0f, 0.0f};
    for (int k = 0; k < K; k += 16) {
        for (int i = lane; i < 256; i += 32) tile_a[i / 16][i % 16] = a[i / 16 * K + k + i % 16];
        for (int i = lane; i < 128; i += 32) tile_b[i / 16][i % 16] = b[i / 16 * K + k + i % 16];
        __syncwarp();
        unsigned fragment_a[4], fragment_b[2];
        LOAD_MATRIX_X4(fragment_a, &tile_a[lane % 16][lane / 16 * 8]);
        LOAD_MATRIX_X2(fragment_b, &tile_b[lane % 8][lane / 8 % 2 * 8]);
        MULTIPLY(d, fragment_a, fragment_b);
        __syncwarp();
    }
    y[g * 8 + 2 * q] = d[0];
    y[g * 8 + 2 * q + 1] = d[1];
    y[(g + 8) * 8 + 2 * q] = d[2];
    y[(g + 8) * 8 + 2 * q + 1] = d[3];
}
