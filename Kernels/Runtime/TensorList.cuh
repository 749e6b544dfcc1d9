// Many tensors cut into blocks that are numbered through, so that one launch serves them all. Twin: TensorList.cs; the words are laid out by
// TensorList.Cuda.cs: tensors + 1 numbers of first blocks, as many lengths as tensors, then the addresses of each tensor's operands.

// 16 bytes that are copied as one.
struct alignas(16) TensorBlock {
    int tensor, length;
    long long start;
};

// Which tensor a block belongs to, where the block starts in it, and how long it is.
__device__ inline TensorBlock find_block(const long long* words, int tensors, int block_elements, long long block) {
    // The last tensor that starts at or before the block; empty tensors start where their successor does and are passed over.
    int low = 0, high = tensors - 1;
    while (low < high) {
        int middle = (low + high + 1) / 2;
        if (words[middle] <= block)
            low = middle;
        else
            high = middle - 1;
    }
    long long start = (block - words[low]) * block_elements, rest = words[tensors + 1 + low] - start;
    return {low, static_cast<int>(min(rest, static_cast<long long>(block_elements))), start};
}

// The first element of an operand of a tensor.
template <typename T>
__device__ inline T* operand_of(const long long* words, int tensors, int operands, int tensor, int operand) {
    return reinterpret_cast<T*>(words[2 * tensors + 1 + tensor * operands + operand]);
}
