// The arithmetic behind both libraries' stand-ins: D = epilogue(alpha op(A) op(B) + beta C) in float, from and to matrices of float, bf16 or half.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include <vector>

namespace cuda_emulator {

/// CUDA's numbers (cudaDataType).
enum class DataType : int { Float32 = 0, Half = 2, Bfloat16 = 14 };

bool is_known(DataType type);
size_t bytes_of(DataType type);
float load(const void* elements, int64_t index, DataType type);
void store(void* elements, int64_t index, DataType type, float value);

/// A batch of matrices in device memory, columns (or rows) one after another at a distance of `leading` elements.
struct Matrix {
    uint64_t address;
    DataType type;
    int64_t rows, columns, leading;
    bool row_major;
    int64_t batch_stride;

    int64_t at(int64_t row, int64_t column) const { return row_major ? row * leading + column : column * leading + row; }
    const char* batch(int64_t b) const { return reinterpret_cast<const char*>(address) + b * batch_stride * static_cast<int64_t>(bytes_of(type)); }
    char* batch(int64_t b) { return const_cast<char*>(static_cast<const Matrix*>(this)->batch(b)); }
};

/// cublasLtEpilogue_t's bits.
enum EpilogueBits : unsigned {
    EpilogueRelu = 2,
    EpilogueBias = 4,
    EpilogueDerivativeRelu = 8,
    EpilogueBiasGradient = 16,
    EpilogueGelu = 32,
    EpilogueDerivativeGelu = 64,
    EpilogueAuxiliary = 128,
    EpilogueBiasGradientA = 256,
    EpilogueBiasGradientB = 512,
};

struct Epilogue {
    unsigned bits = 0;
    uint64_t bias = 0;  ///< one for each row of D; a result for the bias gradients
    DataType bias_type = DataType::Float32;
    int64_t bias_stride = 0;
    uint64_t auxiliary = 0;  ///< ReLU: one bit for each element, GELU: its input
    DataType auxiliary_type = DataType::Float32;
    int64_t auxiliary_leading = 0, auxiliary_stride = 0;
};

struct Product {
    const char* name;
    Matrix a, b, c, d;  ///< a and b as they lie in memory
    bool transpose_a, transpose_b;
    int64_t m, n, k, batches;
    float alpha, beta;
    uint64_t device_scalars[2];  ///< alpha and beta in device memory; 0 where they are above
    bool tf32;
    Epilogue epilogue;
};

/// Checks what it reads and writes, and computes. A CUDA result.
int multiply(const Product& product);

/// Multiplies in stream order.
int enqueue(void* stream, const Product& product);

}  // namespace cuda_emulator
