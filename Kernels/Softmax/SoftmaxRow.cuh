// The sum of the exponentials of a row in one pass, for every op that normalises. Twin: SoftmaxRow.cs.

// The largest number seen and the sum of e^(x - max) over what was seen. NaN is passed over by the maximum and shows in the sum; so does a second
// +infinity. A row of nothing but -infinity has max = -infinity and sum 0.
struct Exponentials {
    float max, sum;
};

__device__ inline Exponentials no_exponentials() { return {negative_infinity(), 0.0f}; }

// What exponents are taken relative to: the maximum, but 0 where there is none, since -infinity - -infinity is no number.
__device__ inline float softmax_shift(float max) { return max == negative_infinity() ? 0.0f : max; }

template <int Width>
__device__ inline Exponentials with_elements(Exponentials seen, const float (&x)[Width]) {
    float max = seen.max;
#pragma unroll
    for (int j = 0; j < Width; j++) max = fmaxf(max, x[j]);
    float shift = softmax_shift(max), sum = seen.sum * expf(seen.max - shift);
#pragma unroll
    for (int j = 0; j < Width; j++) sum += expf(x[j] - shift);
    return {max, sum};
}

__device__ inline Exponentials shuffle_xor(Exponentials x, int lanes) { return {shuffle_xor(x.max, lanes), shuffle_xor(x.sum, lanes)}; }

// Both orders of the arguments give the same bits: only the lower of the two is multiplied.
struct JoinExponentials {
    __device__ static Exponentials combine(Exponentials a, Exponentials b) {
        bool first = a.max >= b.max;
        float high = first ? a.max : b.max, low = first ? b.max : a.max, sum_high = first ? a.sum : b.sum, sum_low = first ? b.sum : a.sum;
        return {high, fmaf(sum_low, expf(low - softmax_shift(high)), sum_high)};
    }
};

// Over a row that all threads of a block share; x starts at a multiple of 16 bytes if Width is more than 1, and count is a multiple of Width.
template <typename E, int Width>
__device__ inline Exponentials block_exponentials(const E* x, int count) {
    Exponentials seen = no_exponentials();
#pragma unroll 2
    for (int c = threadIdx.x * Width; c < count; c += blockDim.x * Width) {
        float value[Width];
        load_elements<Width>(x + c, value);
        seen = with_elements<Width>(seen, value);
    }
    return block_reduce<JoinExponentials>(seen, no_exponentials());
}
