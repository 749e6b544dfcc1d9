// mma.sync and ldmatrix: the lanes post their fragments, the last one multiplies the whole tiles. Registers are laid out as in the PTX manual
// ("Matrix fragments for mma"): with g = lane / 4 and q = lane % 4, a lane holds rows g and g + 8, and columns 2q, 2q + 1 of each group of eight.
// d, a, b and c are arrays of registers; d may be c.
#pragma once

namespace cuda_emulator {

struct Fragments {
    unsigned a[4], b[2];
    float c[4];
};

struct Bf16 {
    static constexpr int PerRegister = 2;
    EMULATOR_UNCHECKED static float load(unsigned word, int half) { return bit_cast<float>(half ? word & 0xffff0000u : word << 16); }
};

struct Half {
    static constexpr int PerRegister = 2;
    EMULATOR_UNCHECKED static float load(unsigned word, int half) {
        unsigned bits = (word >> (16 * half)) & 0xffff, sign = (bits & 0x8000) << 16, exponent = bits >> 10 & 31, mantissa = bits & 1023;
        if (exponent == 31) return bit_cast<float>(sign | 0x7f800000u | mantissa << 13);
        if (exponent != 0) return bit_cast<float>(sign | (exponent + 112) << 23 | mantissa << 13);
        float subnormal = static_cast<float>(mantissa) * 0x1p-24f;
        return sign ? -subnormal : subnormal;
    }
};

struct Tf32 {
    static constexpr int PerRegister = 1;
    EMULATOR_UNCHECKED static float load(unsigned word, int) { return bit_cast<float>(word & 0xffffe000u); }
};

/// Multiplies 16 x K by K x 8. Eight columns of A (rows of B) are one group of registers with two elements to a register, four with one.
template <typename E, int K>
EMULATOR_UNCHECKED void combine_mma(unsigned lanes, WarpCall* const* calls) {
    if (lanes != 0xffffffffu) return;
    constexpr int P = E::PerRegister, Group = 4 * P;
    float a[16][K], b[K][8];
    for (int lane = 0; lane < WarpSize; lane++) {
        const auto& in = *static_cast<const Fragments*>(calls[lane]->input);
        int g = lane >> 2, q = lane & 3;
        for (int group = 0; group < K / Group; group++)
            for (int i = 0; i < P; i++) {
                int k = group * Group + q * P + i;
                a[g][k] = E::load(in.a[2 * group], i);
                a[g + 8][k] = E::load(in.a[2 * group + 1], i);
                b[k][g] = E::load(in.b[group], i);
            }
    }
    for (int lane = 0; lane < WarpSize; lane++) {
        const auto& in = *static_cast<const Fragments*>(calls[lane]->input);
        auto* d = static_cast<float*>(calls[lane]->output);
        for (int i = 0; i < 4; i++) {
            int row = (lane >> 2) + (i & 2) * 4, column = (lane & 3) * 2 + (i & 1);
            float sum = in.c[i];
            for (int k = 0; k < K; k++) sum += a[row][k] * b[k][column];
            d[i] = sum;
        }
    }
}

template <typename E, int K>
EMULATOR_UNCHECKED void mma(const char* name, float* d, const unsigned* a, const unsigned* b, const float* c, const char* file, int line) {
    constexpr int Groups = K / (4 * E::PerRegister);
    Fragments in{};
    for (int i = 0; i < 2 * Groups; i++) in.a[i] = a[i];
    for (int i = 0; i < Groups; i++) in.b[i] = b[i];
    for (int i = 0; i < 4; i++) in.c[i] = c[i];
    float out[4];
    WarpCall call{};
    call.name = name;
    call.combine = combine_mma<E, K>;
    call.mask = 0xffffffffu;
    call.input = &in;
    call.output = out;
    call.file = file;
    call.line = line;
    runtime.warp(&call);
    for (int i = 0; i < 4; i++) d[i] = out[i];
}

EMULATOR_UNCHECKED inline void combine_ldmatrix(unsigned lanes, WarpCall* const* calls) {
    if (lanes != 0xffffffffu) return;
    for (int lane = 0; lane < WarpSize; lane++) {
        bool transposed = calls[lane]->value != 0;
        auto* registers = static_cast<unsigned*>(calls[lane]->output);
        for (int matrix = 0; matrix < calls[lane]->operand; matrix++) {
            uint16_t pair[2];
            for (int i = 0; i < 2; i++) {
                int row = transposed ? (lane & 3) * 2 + i : lane >> 2, column = transposed ? lane >> 2 : (lane & 3) * 2 + i;
                pair[i] = static_cast<const uint16_t*>(calls[matrix * 8 + row]->input)[column];
            }
            registers[matrix] = pair[0] | static_cast<unsigned>(pair[1]) << 16;
        }
    }
}

EMULATOR_UNCHECKED inline void ldmatrix(const char* name, int matrices, bool transposed, unsigned* registers, const void* row, const char* file, int line) {
    uint16_t own[8] = {};
    if (static_cast<int>(lane) < matrices * 8) {
        runtime.access(row, sizeof own, Access::Read, true, file, line, nullptr);
        memcpy(own, row, sizeof own);
    }
    WarpCall call{};
    call.name = name;
    call.combine = combine_ldmatrix;
    call.mask = 0xffffffffu;
    call.operand = matrices;
    call.value = transposed;
    call.input = own;
    call.output = registers;
    call.file = file;
    call.line = line;
    runtime.warp(&call);
}

}  // namespace cuda_emulator

/// mma.sync.m16n8k16 with bf16 operands: d[4], a[4], b[2], c[4].
inline void emulator_mma_m16n8k16_bf16(float* d, const unsigned* a, const unsigned* b, const float* c, EMULATOR_SITE) {
    cuda_emulator::mma<cuda_emulator::Bf16, 16>("mma.m16n8k16.bf16", d, a, b, c, file, line);
}
/// mma.sync.m16n8k16 with half operands: d[4], a[4], b[2], c[4].
inline void emulator_mma_m16n8k16_f16(float* d, const unsigned* a, const unsigned* b, const float* c, EMULATOR_SITE) {
    cuda_emulator::mma<cuda_emulator::Half, 16>("mma.m16n8k16.f16", d, a, b, c, file, line);
}
/// mma.sync.m16n8k8 with bf16 operands: d[4], a[2], b[1], c[4].
inline void emulator_mma_m16n8k8_bf16(float* d, const unsigned* a, const unsigned* b, const float* c, EMULATOR_SITE) {
    cuda_emulator::mma<cuda_emulator::Bf16, 8>("mma.m16n8k8.bf16", d, a, b, c, file, line);
}
/// mma.sync.m16n8k8 with half operands: d[4], a[2], b[1], c[4].
inline void emulator_mma_m16n8k8_f16(float* d, const unsigned* a, const unsigned* b, const float* c, EMULATOR_SITE) {
    cuda_emulator::mma<cuda_emulator::Half, 8>("mma.m16n8k8.f16", d, a, b, c, file, line);
}
/// mma.sync.m16n8k8 with tf32 operands, whose low 13 bits count for nothing: d[4], a[4], b[2], c[4].
inline void emulator_mma_m16n8k8_tf32(float* d, const unsigned* a, const unsigned* b, const float* c, EMULATOR_SITE) {
    cuda_emulator::mma<cuda_emulator::Tf32, 8>("mma.m16n8k8.tf32", d, a, b, c, file, line);
}
/// mma.sync.m16n8k4 with tf32 operands: d[4], a[2], b[1], c[4].
inline void emulator_mma_m16n8k4_tf32(float* d, const unsigned* a, const unsigned* b, const float* c, EMULATOR_SITE) {
    cuda_emulator::mma<cuda_emulator::Tf32, 4>("mma.m16n8k4.tf32", d, a, b, c, file, line);
}

/// ldmatrix.x1/.x2/.x4 of 8 x 8 matrices of 16-bit elements: lane 8 m + r brings the address of row r of matrix m (16 bytes, aligned).
inline void emulator_ldmatrix_x1(unsigned* registers, const void* row, EMULATOR_SITE) {
    cuda_emulator::ldmatrix("ldmatrix.x1", 1, false, registers, row, file, line);
}
inline void emulator_ldmatrix_x2(unsigned* registers, const void* row, EMULATOR_SITE) {
    cuda_emulator::ldmatrix("ldmatrix.x2", 2, false, registers, row, file, line);
}
inline void emulator_ldmatrix_x4(unsigned* registers, const void* row, EMULATOR_SITE) {
    cuda_emulator::ldmatrix("ldmatrix.x4", 4, false, registers, row, file, line);
}
inline void emulator_ldmatrix_x1_trans(unsigned* registers, const void* row, EMULATOR_SITE) {
    cuda_emulator::ldmatrix("ldmatrix.x1.trans", 1, true, registers, row, file, line);
}
inline void emulator_ldmatrix_x2_trans(unsigned* registers, const void* row, EMULATOR_SITE) {
    cuda_emulator::ldmatrix("ldmatrix.x2.trans", 2, true, registers, row, file, line);
}
inline void emulator_ldmatrix_x4_trans(unsigned* registers, const void* row, EMULATOR_SITE) {
    cuda_emulator::ldmatrix("ldmatrix.x4.trans", 4, true, registers, row, file, line);
}
