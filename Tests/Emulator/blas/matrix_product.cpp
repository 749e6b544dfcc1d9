#include "matrix_product.h"

#include <math.h>
#include <string.h>

#include <algorithm>

#include "../driver/controls.h"

namespace cuda_emulator {
namespace {

template <typename To, typename From>
To bits(From from) {
    To to;
    memcpy(&to, &from, sizeof to);
    return to;
}

float from_half(uint16_t h) {
    uint32_t sign = static_cast<uint32_t>(h & 0x8000) << 16, exponent = h >> 10 & 31, mantissa = h & 1023;
    if (exponent == 31) return bits<float>(sign | 0x7f800000u | mantissa << 13);
    if (exponent != 0) return bits<float>(sign | (exponent + 112) << 23 | mantissa << 13);
    float subnormal = static_cast<float>(mantissa) * 0x1p-24f;
    return sign ? -subnormal : subnormal;
}

uint16_t to_half(float value) {
    auto word = bits<uint32_t>(value);
    auto sign = static_cast<uint16_t>(word >> 16 & 0x8000);
    uint32_t magnitude = word & 0x7fffffff;
    if (magnitude > 0x7f800000) return static_cast<uint16_t>(sign | 0x7fff);
    if (magnitude >= 0x477ff000) return static_cast<uint16_t>(sign | 0x7c00);
    if (magnitude < 0x38800000) return static_cast<uint16_t>(sign | static_cast<uint16_t>(lrintf(bits<float>(magnitude) * 0x1p24f)));
    magnitude += 0xfff + (magnitude >> 13 & 1);
    return static_cast<uint16_t>(sign | (magnitude - (112u << 23)) >> 13);
}

uint16_t to_bfloat16(float value) {
    auto word = bits<uint32_t>(value);
    if ((word & 0x7fffffff) > 0x7f800000) return 0x7fff;
    return static_cast<uint16_t>((word + 0x7fff + (word >> 16 & 1)) >> 16);
}

/// To ten bits of mantissa, to nearest.
float round_tf32(float value) {
    auto word = bits<uint32_t>(value);
    if ((word & 0x7f800000) == 0x7f800000) return value;
    return bits<float>((word + 0xfff + (word >> 13 & 1)) & 0xffffe000);
}

/// op(matrix) as rows of floats.
std::vector<float> unpack(const Matrix& matrix, int64_t batch, bool transpose, int64_t rows, int64_t columns, bool tf32) {
    std::vector<float> result(static_cast<size_t>(rows * columns));
    const char* elements = matrix.batch(batch);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < columns; c++) {
            float value = load(elements, transpose ? matrix.at(c, r) : matrix.at(r, c), matrix.type);
            result[static_cast<size_t>(r * columns + c)] = tf32 ? round_tf32(value) : value;
        }
    return result;
}

/// row[j] += x * other[j], the loop that takes all the time.
__attribute__((optimize("O3"))) void add_scaled(float* __restrict__ row, const float* __restrict__ other, float x, int64_t count) {
    for (int64_t j = 0; j < count; j++) row[j] += x * other[j];
}

constexpr float SqrtTwoOverPi = 0.7978845608028654f, Cubic = 0.044715f;

float gelu(float x) { return 0.5f * x * (1.0f + tanhf(SqrtTwoOverPi * (x + Cubic * x * x * x))); }

float gelu_derivative(float x) {
    float t = tanhf(SqrtTwoOverPi * (x + Cubic * x * x * x));
    return 0.5f * (1.0f + t) + 0.5f * x * (1.0f - t * t) * SqrtTwoOverPi * (1.0f + 3.0f * Cubic * x * x);
}

/// One batch's epilogue; rows and columns are D's.
class Finish {
  public:
    Finish(const Epilogue& epilogue, int64_t batch) : e_(epilogue) {
        bias_ = reinterpret_cast<char*>(e_.bias) + batch * e_.bias_stride * static_cast<int64_t>(bytes_of(e_.bias_type));
        bool mask = (e_.bits & (EpilogueRelu | EpilogueDerivativeRelu)) != 0;
        int64_t stride = batch * e_.auxiliary_stride;
        auxiliary_ = reinterpret_cast<char*>(e_.auxiliary) + (mask ? stride / 8 : stride * static_cast<int64_t>(bytes_of(e_.auxiliary_type)));
    }

    float apply(float value, int64_t row, int64_t column) const {
        int64_t place = column * e_.auxiliary_leading + row;
        bool auxiliary = (e_.bits & EpilogueAuxiliary) != 0;
        if (e_.bits & EpilogueBias) value += load(bias_, row, e_.bias_type);
        if (e_.bits & EpilogueRelu) {
            bool passes = !(value <= 0.0f);
            if (auxiliary) set_bit(place, passes);
            if (!passes) value = 0.0f;
        }
        if (e_.bits & EpilogueGelu) {
            if (auxiliary) store(auxiliary_, place, e_.auxiliary_type, value);
            value = gelu(value);
        }
        if (e_.bits & EpilogueDerivativeRelu) value = (auxiliary_[place >> 3] >> (place & 7) & 1) != 0 ? value : 0.0f;
        if (e_.bits & EpilogueDerivativeGelu) value *= gelu_derivative(load(auxiliary_, place, e_.auxiliary_type));
        return value;
    }

    void store_bias_gradient(const std::vector<float>& sums) const {
        for (size_t i = 0; i < sums.size(); i++) store(bias_, static_cast<int64_t>(i), e_.bias_type, sums[i]);
    }

  private:
    void set_bit(int64_t place, bool value) const {
        char bit = static_cast<char>(1 << (place & 7));
        auxiliary_[place >> 3] = static_cast<char>(value ? auxiliary_[place >> 3] | bit : auxiliary_[place >> 3] & ~bit);
    }

    const Epilogue& e_;
    char *bias_, *auxiliary_;
};

/// Checks a matrix line by line: what lies between the lines belongs to somebody else.
int touch(const char* name, const Matrix& matrix, int64_t batches, bool write) {
    int64_t lines = matrix.row_major ? matrix.rows : matrix.columns, length = matrix.row_major ? matrix.columns : matrix.rows;
    auto bytes = static_cast<int64_t>(bytes_of(matrix.type));
    for (int64_t b = 0; b < (matrix.batch_stride == 0 ? 1 : batches); b++)
        for (int64_t line = 0; line < lines; line++) {
            auto address = reinterpret_cast<uint64_t>(matrix.batch(b)) + static_cast<uint64_t>(line * matrix.leading * bytes);
            int result = cudaseq_emulator_touch(name, address, static_cast<size_t>(length * bytes), write);
            if (result != 0) return result;
        }
    return 0;
}

int touch_all(const Product& p, float beta) {
    int result = touch(p.name, p.a, p.batches, false);
    if (result == 0) result = touch(p.name, p.b, p.batches, false);
    if (result == 0 && beta != 0.0f) result = touch(p.name, p.c, p.batches, false);
    const auto& e = p.epilogue;
    if (result == 0 && (e.bits & EpilogueBias)) result = cudaseq_emulator_touch(p.name, e.bias, static_cast<size_t>(p.m) * bytes_of(e.bias_type), false);
    if (result == 0 && (e.bits & (EpilogueBiasGradient | EpilogueBiasGradientA | EpilogueBiasGradientB)))
        result = cudaseq_emulator_touch(p.name, e.bias, static_cast<size_t>((e.bits & EpilogueBiasGradientB) ? p.n : p.m) * bytes_of(e.bias_type), true);
    bool writes_auxiliary = (e.bits & EpilogueAuxiliary) && (e.bits & (EpilogueRelu | EpilogueGelu));
    bool reads_auxiliary = (e.bits & (EpilogueDerivativeRelu | EpilogueDerivativeGelu)) != 0;
    if (result == 0 && (writes_auxiliary || reads_auxiliary)) {
        bool mask = (e.bits & (EpilogueRelu | EpilogueDerivativeRelu)) != 0;
        size_t line = mask ? static_cast<size_t>(p.m + 7) / 8 : static_cast<size_t>(p.m) * bytes_of(e.auxiliary_type);
        size_t distance = mask ? static_cast<size_t>(e.auxiliary_leading) / 8 : static_cast<size_t>(e.auxiliary_leading) * bytes_of(e.auxiliary_type);
        for (int64_t column = 0; column < p.n && result == 0; column++)
            result = cudaseq_emulator_touch(p.name, e.auxiliary + static_cast<uint64_t>(column) * distance, line, writes_auxiliary);
    }
    return result == 0 ? touch(p.name, p.d, p.batches, true) : result;
}

int run(void* state) { return multiply(*static_cast<Product*>(state)); }

void release(void* state) { delete static_cast<Product*>(state); }

}  // namespace

bool is_known(DataType type) { return type == DataType::Float32 || type == DataType::Half || type == DataType::Bfloat16; }

size_t bytes_of(DataType type) { return type == DataType::Float32 ? 4 : 2; }

float load(const void* elements, int64_t index, DataType type) {
    if (type == DataType::Float32) return static_cast<const float*>(elements)[index];
    auto word = static_cast<const uint16_t*>(elements)[index];
    return type == DataType::Half ? from_half(word) : bits<float>(static_cast<uint32_t>(word) << 16);
}

void store(void* elements, int64_t index, DataType type, float value) {
    if (type == DataType::Float32)
        static_cast<float*>(elements)[index] = value;
    else
        static_cast<uint16_t*>(elements)[index] = type == DataType::Half ? to_half(value) : to_bfloat16(value);
}

int multiply(const Product& p) {
    float alpha = p.alpha, beta = p.beta;
    for (int i = 0; i < 2; i++) {
        if (p.device_scalars[i] == 0) continue;
        int result = cudaseq_emulator_touch(p.name, p.device_scalars[i], sizeof(float), 0);
        if (result != 0) return result;
        (i == 0 ? alpha : beta) = *reinterpret_cast<const float*>(p.device_scalars[i]);
    }
    if (int result = touch_all(p, beta)) return result;
    std::vector<float> row(static_cast<size_t>(p.n));
    for (int64_t batch = 0; batch < p.batches; batch++) {
        auto a = unpack(p.a, batch, p.transpose_a, p.m, p.k, p.tf32), b = unpack(p.b, batch, p.transpose_b, p.k, p.n, p.tf32);
        const char* c = p.c.batch(batch);
        char* d = reinterpret_cast<char*>(p.d.address) + p.d.batch_stride * batch * static_cast<int64_t>(bytes_of(p.d.type));
        Finish finish(p.epilogue, batch);
        std::vector<float> row_sums(static_cast<size_t>(p.m));
        for (int64_t i = 0; i < p.m; i++) {
            std::fill(row.begin(), row.end(), 0.0f);
            for (int64_t l = 0; l < p.k; l++) add_scaled(row.data(), &b[static_cast<size_t>(l * p.n)], a[static_cast<size_t>(i * p.k + l)], p.n);
            for (int64_t j = 0; j < p.n; j++) {
                float value = alpha * row[static_cast<size_t>(j)];
                if (beta != 0.0f) value += beta * load(c, p.c.at(i, j), p.c.type);
                value = finish.apply(value, i, j);
                row_sums[static_cast<size_t>(i)] += value;
                store(d, p.d.at(i, j), p.d.type, value);
            }
        }
        if (p.epilogue.bits & EpilogueBiasGradient) finish.store_bias_gradient(row_sums);
        if (p.epilogue.bits & EpilogueBiasGradientA) {
            std::vector<float> sums(static_cast<size_t>(p.m));
            for (int64_t i = 0; i < p.m; i++)
                for (int64_t l = 0; l < p.k; l++) sums[static_cast<size_t>(i)] += a[static_cast<size_t>(i * p.k + l)];
            finish.store_bias_gradient(sums);
        }
        if (p.epilogue.bits & EpilogueBiasGradientB) {
            std::vector<float> sums(static_cast<size_t>(p.n));
            for (int64_t l = 0; l < p.k; l++)
                for (int64_t j = 0; j < p.n; j++) sums[static_cast<size_t>(j)] += b[static_cast<size_t>(l * p.n + j)];
            finish.store_bias_gradient(sums);
        }
    }
    return 0;
}

int enqueue(void* stream, const Product& product) { return cudaseq_emulator_enqueue(stream, product.name, run, release, new Product(product)); }

}  // namespace cuda_emulator
