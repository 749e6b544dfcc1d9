// Random masks with the processor's bits. Twins: Philox.cs (words and their numbering), DropMask.cs.

// The four words of one counter: Philox4x32, 10 rounds.
__device__ inline uint4 philox_block(unsigned long long seed, unsigned long long stream, unsigned long long counter) {
    unsigned c0 = static_cast<unsigned>(counter), c1 = static_cast<unsigned>(counter >> 32);
    unsigned c2 = static_cast<unsigned>(stream), c3 = static_cast<unsigned>(stream >> 32);
    unsigned k0 = static_cast<unsigned>(seed), k1 = static_cast<unsigned>(seed >> 32);
#pragma unroll
    for (int round = 0; round < 10; round++) {
        unsigned high0 = __umulhi(0xD2511F53u, c0), low0 = 0xD2511F53u * c0;
        unsigned high1 = __umulhi(0xCD9E8D57u, c2), low1 = 0xCD9E8D57u * c2;
        c0 = high1 ^ c1 ^ k0;
        c1 = low1;
        c2 = high0 ^ c3 ^ k1;
        c3 = low0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    uint4 words;
    words.x = c0;
    words.y = c1;
    words.z = c2;
    words.w = c3;
    return words;
}

// A mask that is never stored: element i is dropped when word i mod 4 of counter i div 4 is below the threshold.
struct DropMask {
    unsigned long long seed, stream;
    unsigned threshold;
    float scale;

    // Whether anything can be dropped.
    __device__ bool active() const { return threshold > 0; }

    __device__ float of_word(unsigned word) const { return word < threshold ? 0.0f : scale; }

    // The factor of one element: 0 or the scale.
    __device__ float factor(unsigned long long element) const {
        uint4 words = philox_block(seed, stream, element / 4);
        unsigned which = static_cast<unsigned>(element % 4);
        return of_word(which < 2 ? (which == 0 ? words.x : words.y) : (which == 2 ? words.z : words.w));
    }

    // The factors of elements 4 i .. 4 i + 3: one block of words.
    __device__ float4 block(unsigned long long i) const {
        uint4 words = philox_block(seed, stream, i);
        return make_float4(of_word(words.x), of_word(words.y), of_word(words.z), of_word(words.w));
    }

    // The factors of four neighbouring elements: two blocks of words unless the first is a multiple of 4.
    __device__ float4 four(unsigned long long first) const {
        float4 low = block(first / 4);
        unsigned skip = static_cast<unsigned>(first % 4);
        if (skip == 0) return low;
        float4 high = block(first / 4 + 1);
        if (skip == 1) return make_float4(low.y, low.z, low.w, high.x);
        if (skip == 2) return make_float4(low.z, low.w, high.x, high.y);
        return make_float4(low.w, high.x, high.y, high.z);
    }
};

// What the last arguments of every kernel with a mask say. A kernel in a graph has the stream of the run that was captured; `shift` [1] says by how much the
// present run is further. Null: by nothing.
__device__ inline DropMask make_mask(unsigned long long seed, unsigned long long stream, const unsigned long long* shift, unsigned threshold, float scale) {
    return DropMask{seed, shift == nullptr ? stream : stream + *shift, threshold, scale};
}
