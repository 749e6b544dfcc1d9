// What Kernels/Runtime/Device.cuh wraps, each against the plainest account of what the instruction is for. Runs on the emulator (eng/emulate.sh), and on a GPU
// as nvcc -std=c++17 makes it.
#include <cuda_runtime.h>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <vector>

#include "../../../Kernels/Runtime/Device.cuh"

constexpr int warp = 32;

template <typename T>
struct Buffer {
    T* device = nullptr;
    size_t count;

    explicit Buffer(const std::vector<T>& values) : Buffer(values.size()) { cudaMemcpy(device, values.data(), count * sizeof(T), cudaMemcpyHostToDevice); }
    explicit Buffer(size_t count) : count(count) { cudaMalloc(reinterpret_cast<void**>(&device), count * sizeof(T)); }
    ~Buffer() { cudaFree(device); }

    std::vector<T> read() const {
        std::vector<T> values(count);
        if (cudaMemcpy(values.data(), device, count * sizeof(T), cudaMemcpyDeviceToHost) != cudaSuccess) printf("no answer from the device\n");
        return values;
    }
};

static int mistakes = 0;

static void report(const char* name, bool right) {
    printf("%s %s\n", name, right ? "right" : "WRONG");
    if (!right) mistakes++;
}

static bool same(float a, float b) { return std::isnan(a) ? std::isnan(b) : a == b && std::signbit(a) == std::signbit(b); }

// The nearest number with so many bits of precision, multiples of 2^least, below 2^most; of two the even one.
static float nearest(float x, int bits, int least, int most) {
    if (x == 0.0f || !std::isfinite(x)) return x;
    int exponent;
    std::frexp(static_cast<double>(x), &exponent);
    int unit = exponent - bits > least ? exponent - bits : least;
    double rounded = std::ldexp(std::nearbyint(std::ldexp(static_cast<double>(x), -unit)), unit);
    return std::fabs(rounded) >= std::ldexp(1.0, most) ? std::copysign(INFINITY, x) : static_cast<float>(rounded);
}

template <typename E>
float rounded(float x);
template <>
float rounded<bf16>(float x) {
    return nearest(x, 8, -133, 128);
}
template <>
float rounded<f16>(float x) {
    return nearest(x, 11, -24, 16);
}

static std::vector<float> delicate() {
    std::vector<float> x = {0.0f,     -0.0f,     1.0f,     INFINITY,  -INFINITY,     NAN,     65503.0f,
                            65504.0f, 65519.99f, 65520.0f, -65520.0f, 3.3895314e38f, 3.4e38f, -3.4028235e38f};
    for (int exponent = -149; exponent < 128; exponent += 3) {
        for (float factor : {1.0f, 1.00390625f, 1.01171875f, 1.00048828f, 1.00146484f, 1.7f, -1.3f, 1.9999999f}) x.push_back(std::ldexp(factor, exponent));
    }
    while (x.size() % 8 != 0) x.push_back(2.0f);
    return x;
}

template <typename E>
__global__ void convert(const float* x, unsigned* pairs, float* halves, float* one_by_one, float* packs, float* fours, int n) {
    __shared__ __align__(16) E elements[8];
    for (int i = 0; i < n; i += 2) {
        pairs[i / 2] = pack_pair<E>(x[i], x[i + 1]);
        halves[i] = low_of<E>(pairs[i / 2]);
        halves[i + 1] = high_of<E>(pairs[i / 2]);
    }
    for (int i = 0; i < n; i++) one_by_one[i] = to_float(from_float<E>(x[i]));
    for (int i = 0; i < n; i += 8) {
        float eight[8];
        load_elements<8>(x + i, eight);
        store_elements<8>(elements, eight);
        Pack<E> pack = Pack<E>::load(elements);
        for (int j = 0; j < 8; j++) packs[i + j] = pack.value[j];
        store_four(elements + 4, load_four(x + i));
        float4 four = load_four(elements + 4);
        store_four(fours + i, four);
        store_four(fours + i + 4, four);
    }
}

template <typename E>
static void check_conversions(const char* pair_name, const char* element_name, const char* pack_name, const char* four_name) {
    std::vector<float> x = delicate();
    int n = static_cast<int>(x.size());
    Buffer<float> from(x), halves(n), ones(n), packs(n), fours(n);
    Buffer<unsigned> pairs(n / 2);
    convert<E><<<1, 1>>>(from.device, pairs.device, halves.device, ones.device, packs.device, fours.device, n);
    auto h = halves.read(), o = ones.read(), p = packs.read(), f = fours.read();
    bool right[4] = {true, true, true, true};
    for (int i = 0; i < n; i++) {
        float expected = rounded<E>(x[i]);
        right[0] = right[0] && same(expected, h[i]);
        right[1] = right[1] && same(expected, o[i]);
        right[2] = right[2] && same(expected, p[i]);
        right[3] = right[3] && same(rounded<E>(x[i / 8 * 8 + i % 4]), f[i]);
    }
    report(pair_name, right[0]);
    report(element_name, right[1]);
    report(pack_name, right[2]);
    report(four_name, right[3]);
}

// Eight groups of 16 bytes a thread, of which at most one is still under way when the group before it is read.
__global__ void copy_asynchronously(const unsigned* x, unsigned* y) {
    __shared__ __align__(16) unsigned stage[2][4 * warp];
    int at = 4 * threadIdx.x;
    cp_async16(&stage[0][at], x + at);
    cp_async_commit();
    for (int i = 0; i < 8; i++) {
        if (i + 1 < 8) {
            cp_async16(&stage[(i + 1) % 2][at], x + (i + 1) * 4 * warp + at);
            cp_async_commit();
            cp_async_wait<1>();
        } else {
            cp_async_wait<0>();
        }
        __syncthreads();
        // What a neighbour fetched.
        for (int j = 0; j < 4; j++) y[i * 4 * warp + at + j] = stage[i % 2][(at + 4) % (4 * warp) + j];
        __syncthreads();
    }
}

static void check_copies() {
    std::vector<unsigned> x(8 * 4 * warp);
    for (size_t i = 0; i < x.size(); i++) x[i] = static_cast<unsigned>(i * 2654435761u);
    Buffer<unsigned> from(x), to(x.size());
    copy_asynchronously<<<1, warp>>>(from.device, to.device);
    auto y = to.read();
    bool right = true;
    for (int i = 0; i < 8; i++) {
        for (int j = 0; j < 4 * warp; j++) right = right && y[i * 4 * warp + j] == x[i * 4 * warp + (j + 4) % (4 * warp)];
    }
    report("cp_async16", right);
}

// x: 32 rows of 8 elements, matrix m in rows 8 m .. 8 m + 7.
__global__ void load_matrices(const unsigned short* x, unsigned* plain, unsigned* transposed) {
    __shared__ __align__(16) unsigned short rows[warp][8];
    int lane = threadIdx.x;
    for (int i = 0; i < 8; i++) rows[lane][i] = x[lane * 8 + i];
    __syncwarp();
    unsigned registers[4];
    ldmatrix_x4(registers, rows[lane]);
    for (int m = 0; m < 4; m++) plain[lane * 4 + m] = registers[m];
    ldmatrix_x4_trans(registers, rows[lane]);
    for (int m = 0; m < 4; m++) transposed[lane * 4 + m] = registers[m];
}

static void check_matrices() {
    std::vector<unsigned short> x(warp * 8);
    for (int i = 0; i < warp * 8; i++) x[i] = static_cast<unsigned short>(i * 257 + 3);
    Buffer<unsigned short> from(x);
    Buffer<unsigned> plain(warp * 4), transposed(warp * 4);
    load_matrices<<<1, warp>>>(from.device, plain.device, transposed.device);
    auto p = plain.read(), t = transposed.read();
    bool right_plain = true, right_transposed = true;
    for (int lane = 0; lane < warp; lane++) {
        for (int m = 0; m < 4; m++) {
            int g = lane / 4, q = lane % 4;
            auto at = [&](int row, int column) { return static_cast<unsigned>(x[(m * 8 + row) * 8 + column]); };
            right_plain = right_plain && p[lane * 4 + m] == (at(g, 2 * q) | at(g, 2 * q + 1) << 16);
            right_transposed = right_transposed && t[lane * 4 + m] == (at(2 * q, g) | at(2 * q + 1, g) << 16);
        }
    }
    report("ldmatrix_x4", right_plain);
    report("ldmatrix_x4_trans", right_transposed);
}

// sums [16, 8] += a [16, 16] b [16, 8], with the fragments put together by hand.
template <typename E>
__global__ void multiply(const float* a, const float* b, float* sums) {
    int lane = threadIdx.x, g = lane / 4, q = lane % 4;
    auto row_pair = [&](int row, int column) { return pack_pair<E>(a[row * 16 + column], a[row * 16 + column + 1]); };
    auto column_pair = [&](int row, int column) { return pack_pair<E>(b[row * 8 + column], b[(row + 1) * 8 + column]); };
    unsigned left[4] = {row_pair(g, 2 * q), row_pair(g + 8, 2 * q), row_pair(g, 2 * q + 8), row_pair(g + 8, 2 * q + 8)};
    unsigned right[2] = {column_pair(2 * q, g), column_pair(2 * q + 8, g)};
    float* at[4] = {sums + g * 8 + 2 * q, sums + g * 8 + 2 * q + 1, sums + (g + 8) * 8 + 2 * q, sums + (g + 8) * 8 + 2 * q + 1};
    float own[4] = {*at[0], *at[1], *at[2], *at[3]};
    mma_16816<E>(own, left, right);
    for (int i = 0; i < 4; i++) *at[i] = own[i];
}

template <typename E>
static void check_product(const char* name) {
    // Whole numbers: every order of sums is exact.
    std::vector<float> a(16 * 16), b(16 * 8), sums(16 * 8);
    for (int i = 0; i < 16 * 16; i++) a[i] = static_cast<float>(i * 37 % 101 - 50);
    for (int i = 0; i < 16 * 8; i++) b[i] = static_cast<float>(i * 53 % 97 - 48);
    for (int i = 0; i < 16 * 8; i++) sums[i] = static_cast<float>(1000 - 7 * i);
    Buffer<float> left(a), right(b), result(sums);
    multiply<E><<<1, warp>>>(left.device, right.device, result.device);
    auto y = result.read();
    bool all = true;
    for (int row = 0; row < 16; row++) {
        for (int column = 0; column < 8; column++) {
            double sum = sums[row * 8 + column];
            for (int k = 0; k < 16; k++) sum += static_cast<double>(a[row * 16 + k]) * b[k * 8 + column];
            all = all && y[row * 8 + column] == static_cast<float>(sum);
        }
    }
    report(name, all);
}

__global__ void raise(const float* x, float* y) { y[threadIdx.x] = exp2_or_zero(x[threadIdx.x]); }

static void check_powers() {
    std::vector<float> x = {0.0f, 1.0f, -1.0f, 10.0f, -126.0f, -127.0f, -150.0f, -1e30f, -INFINITY, INFINITY, NAN, 128.0f};
    while (x.size() < 64) x.push_back(-0.37f * static_cast<float>(x.size()));
    Buffer<float> from(x), to(x.size());
    raise<<<1, 64>>>(from.device, to.device);
    auto y = to.read();
    bool right = true;
    for (size_t i = 0; i < x.size(); i++) {
        double expected = std::exp2(static_cast<double>(x[i]));
        if (std::isnan(expected) || std::isinf(expected) || expected >= std::ldexp(1.0, 128))
            right = right && same(static_cast<float>(expected), y[i]);
        else if (expected < std::ldexp(1.0, -126))
            right = right && y[i] == 0.0f;
        else
            right = right && std::fabs(y[i] - expected) <= std::ldexp(expected, -22);
    }
    report("exp2_or_zero", right);
}

int main() {
    check_conversions<bf16>("pack_pair<bf16>", "from_float<bf16>", "Pack<bf16>", "store_four<bf16>");
    check_conversions<f16>("pack_pair<f16>", "from_float<f16>", "Pack<f16>", "store_four<f16>");
    check_copies();
    check_matrices();
    check_product<bf16>("mma_16816<bf16>");
    check_product<f16>("mma_16816<f16>");
    check_powers();
    return mistakes == 0 ? 0 : 1;
}
