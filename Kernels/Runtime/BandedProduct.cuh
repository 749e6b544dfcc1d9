// Convolutions over time as products of a band of taps with a slab of rows, on the tensor cores: 16 steps see 16 + K - 1 rows, so for R channels
// y [16, R] = band [16, 16 + K - 1] * x [16 + K - 1, R] with band[i, i + k] = tap(i, k), and the gradient of the taps is dy [16, R] * x^T on the same band.
// Elements of 16 bits, sums in float. A block has W warps for 16 W neighbouring steps; a slab has rows(W, K) rows of 64 channels, in which warp w starts at
// row 16 w. What a band leaves out is multiplied by its zeros: where that made a number that is not finite, the tile is computed again without them, so that
// a NaN stays where it belongs.

constexpr int band_steps = 16, band_channels = 64;

// Elements from one row of a slab to the next: 16 bytes more than the channels, so that eight rows meet every bank once.
constexpr int slab_stride = band_channels + 8;

// Bands of 16 steps are 16 * band_depth(K) rows wide.
__device__ inline int band_depth(int K) { return (K + 2 * band_steps - 2) / band_steps; }
__device__ inline int band_stride(int K) { return band_steps * band_depth(K) + 8; }
__device__ inline int slab_rows(int warps, int K) { return band_steps * (warps - 1 + band_depth(K)); }

// What taps are multiplied by in a band, a power of two. Half precision has nothing below 2^-24: what a softmax leaves, at most `kept`, is moved up to 2^14.
template <typename E>
__device__ inline float band_scale(const TapRule&) {
    return 1.0f;
}

template <>
__device__ inline float band_scale<f16>(const TapRule& rule) {
    if (!rule.softmax) return 1.0f;
    return 16384.0f / __int_as_float((__float_as_int(rule.kept()) + 0x007fffff) & 0x7f800000);
}

// Rows first .. first + rows - 1 of a sequence, zeros where it has none; channels 0 .. count - 1 (a multiple of 8), zeros up to 64. Asynchronous.
template <typename E>
__device__ inline void copy_slab(E* slab, const E* x, int first, int rows, int T, int C, int count) {
    constexpr int Pack = 8, Packs = band_channels / Pack;
    for (int i = threadIdx.x; i < rows * Packs; i += blockDim.x) {
        int row = first + i / Packs, c = i % Packs * Pack;
        E* to = slab + i / Packs * slab_stride + c;
        if (static_cast<unsigned>(row) < static_cast<unsigned>(T) && c < count)
            cp_async16(to, x + static_cast<long long>(row) * C + c);
        else
            *reinterpret_cast<uint4*>(to) = make_uint4(0u, 0u, 0u, 0u);
    }
}

// The band of taps that are the same at every step, times a scale, in reverse order for the way back. The whole block takes part.
template <typename E>
__device__ inline void fill_band(E* band, const float* taps, int K, float scale, bool reversed) {
    int stride = band_stride(K);
    for (int i = threadIdx.x; i < band_steps * stride; i += blockDim.x) {
        int k = i % stride - i / stride;
        bool there = static_cast<unsigned>(k) < static_cast<unsigned>(K);
        band[i] = from_float<E>(there ? taps[reversed ? K - 1 - k : k] * scale : 0.0f);
    }
}

// The fragments of 16 steps times 64 channels: tile[n] has channels 8 n .. 8 n + 7.
struct BandTile {
    static constexpr int Tiles = band_channels / 8;
    float value[Tiles][4];

    // band * slab for one warp; count channels of the slab are there.
    template <typename E>
    __device__ __forceinline__ void multiply(const E* band, const E* slab, int K, int count) {
        int lane = threadIdx.x % warp_lanes, depth = band_depth(K), stride = band_stride(K);
        band += lane % 16 * stride + lane / 16 * 8;
        slab += lane % 16 * slab_stride + lane / 16 * 8;
#pragma unroll
        for (int n = 0; n < Tiles; n++) {
#pragma unroll
            for (int i = 0; i < 4; i++) value[n][i] = 0.0f;
        }
        for (int d = 0; d < depth; d++) {
            unsigned a[4];
            ldmatrix_x4(a, band + d * 16);
#pragma unroll
            for (int n = 0; n < Tiles; n += 2) {
                if (n * 8 < count) {
                    unsigned b[4];
                    ldmatrix_x4_trans(b, slab + d * 16 * slab_stride + n * 8);
                    unsigned low[2] = {b[0], b[1]}, high[2] = {b[2], b[3]};
                    mma_16816<E>(value[n], a, low);
                    mma_16816<E>(value[n + 1], a, high);
                }
            }
        }
    }

    __device__ __forceinline__ bool finite() const {
        bool all = true;
#pragma unroll
        for (int n = 0; n < Tiles; n++) {
#pragma unroll
            for (int i = 0; i < 4; i++) all = all && is_finite(value[n][i]);
        }
        return all;
    }

    // Times a factor, to 16 rows of slab_stride elements.
    template <typename E>
    __device__ __forceinline__ void stage(E* to, float factor) const {
        int lane = threadIdx.x % warp_lanes;
        to += lane / 4 * slab_stride + lane % 4 * 2;
#pragma unroll
        for (int n = 0; n < Tiles; n++) {
            float upper[2] = {value[n][0] * factor, value[n][1] * factor}, lower[2] = {value[n][2] * factor, value[n][3] * factor};
            store_channels<2>(to + n * 8, upper);
            store_channels<2>(to + n * 8 + 8 * slab_stride, lower);
        }
    }
};

// y [16, count] of one warp: band * slab / scale, where the slab's first row is row first_row of a sequence of T; the first `rows` steps go to y, which stands
// at the tile's first step and channel. stage has 16 * slab_stride elements of this warp's own.
template <typename E>
__device__ inline void band_outputs(const E* band, float scale, const E* slab, int first_row, E* stage, E* y, int rows, int T, int C, int K, int count) {
    int lane = threadIdx.x % warp_lanes, stride = band_stride(K);
    BandTile tile;
    tile.multiply(band, slab, K, count);
    if (__all_sync(all_lanes, tile.finite())) {
        tile.stage(stage, 1.0f / scale);
    } else {
        for (int i = lane; i < band_steps * band_channels; i += warp_lanes) {
            int step = i / band_channels, c = i % band_channels;
            float sum = 0.0f;
            for (int k = 0; k < K && c < count; k++) {
                if (static_cast<unsigned>(first_row + step + k) < static_cast<unsigned>(T))
                    sum = fmaf(to_float(band[step * stride + step + k]), to_float(slab[(step + k) * slab_stride + c]), sum);
            }
            stage[step * slab_stride + c] = from_float<E>(sum / scale);
        }
    }
    __syncwarp();
    for (int i = lane; i < band_steps * BandTile::Tiles; i += warp_lanes) {
        int step = i / BandTile::Tiles, c = i % BandTile::Tiles * 8;
        if (step < rows && c < count)
            *reinterpret_cast<uint4*>(y + static_cast<long long>(step) * C + c) = *reinterpret_cast<const uint4*>(stage + step * slab_stride + c);
    }
    __syncwarp();
}

// Sums of dy [16, channels] * x^T: value[n] has rows 8 n .. 8 n + 7 of the slab of x. K <= 8 Tiles - 15.
template <int Tiles>
struct BandGradient {
    float value[Tiles][4];

    __device__ BandGradient() {
#pragma unroll
        for (int n = 0; n < Tiles; n++) {
#pragma unroll
            for (int i = 0; i < 4; i++) value[n][i] = 0.0f;
        }
    }

    // dy stands at the warp's first step, x at the row that the first tap of that step meets.
    template <typename E>
    __device__ __forceinline__ void add(const E* dy, const E* x, int K, int count) {
        int lane = threadIdx.x % warp_lanes, rows = band_steps * band_depth(K);
        dy += lane % 16 * slab_stride + lane / 16 * 8;
        x += (lane / 16 * 8 + lane % 8) * slab_stride + lane / 8 % 2 * 8;
#pragma unroll
        for (int c = 0; c < band_channels; c += 16) {
            if (c < count) {
                unsigned a[4];
                ldmatrix_x4(a, dy + c);
#pragma unroll
                for (int n = 0; n < Tiles; n += 2) {
                    if (n * 8 < rows) {
                        unsigned b[4];
                        ldmatrix_x4(b, x + n * 8 * slab_stride + c);
                        unsigned low[2] = {b[0], b[1]}, high[2] = {b[2], b[3]};
                        mma_16816<E>(value[n], a, low);
                        mma_16816<E>(value[n + 1], a, high);
                    }
                }
            }
        }
    }

    // use(i, k, value) for every element on the band that the lane holds: the gradient of tap k of step i, in rows `half` (0: steps 0 .. 7, 1: 8 .. 15).
    template <typename Use>
    __device__ __forceinline__ void each(int half, int K, Use use) {
        int lane = threadIdx.x % warp_lanes, i = lane / 4 + 8 * half;
#pragma unroll
        for (int n = 0; n < Tiles; n++) {
#pragma unroll
            for (int e = 0; e < 2; e++) {
                int k = 8 * n + lane % 4 * 2 + e - i;
                if (static_cast<unsigned>(k) < static_cast<unsigned>(K)) use(i, k, value[n][half == 0 ? e : 2 + e]);
            }
        }
    }
};

// Taps of a row of K logits in shared memory, which is overwritten; a row for each pair of neighbouring lanes, each of which goes over one half.
// use(k, before, dropped). The whole warp takes part; a pair without a row has valid = false.
template <typename Use>
__device__ inline void pair_taps(float* row, int K, bool valid, long long mask_row, const TapRule& rule, Use use) {
    int half = (K + 1) / 2, begin = threadIdx.x % 2 * half, end = valid ? (begin == 0 ? half : K) : begin;
    float scale = 1.0f;
    if (rule.softmax) {
        float largest = negative_infinity(), sum = 0.0f;
        for (int k = begin; k < end; k++) largest = fmaxf(largest, row[k]);
        largest = fmaxf(largest, shuffle_xor(largest, 1));
        for (int k = begin; k < end; k++) {
            row[k] = expf(row[k] - largest);
            sum += row[k];
        }
        scale = 1.0f / (sum + shuffle_xor(sum, 1));
    }
    long long first = mask_row * K;
    bool drops = rule.drop.active();
    for (long long block = (first + begin) / 4; block * 4 < first + end; block++) {
        uint4 words = make_uint4(0u, 0u, 0u, 0u);
        if (drops) words = philox_block(rule.drop.seed, rule.drop.stream, static_cast<unsigned long long>(block));
        unsigned word[4] = {words.x, words.y, words.z, words.w};
#pragma unroll
        for (int e = 0; e < 4; e++) {
            int k = static_cast<int>(block * 4 + e - first);
            if (k >= begin && k < end) use(k, row[k] * scale, drops && word[e] < rule.drop.threshold);
        }
    }
}

// Copies the logits of 16 rows into shared memory, `stride` floats apart; row(i) is the number of a row of logits [.., K], negative for none.
template <typename E, typename Row>
__device__ inline void stage_logits(const E* logits, float* to, int stride, int K, Row row) {
    int lane = threadIdx.x % warp_lanes;
    for (int i = 0; i < band_steps; i++) {
        long long from = row(i);
        for (int k = lane; k < K && from >= 0; k += warp_lanes) to[i * stride + k] = to_float(logits[from * K + k]);
    }
}
