// The loops of all element-wise kernels. Twin: Elementwise.cs. Outputs may be the very span of an input: a thread reads its elements before it writes
// them, and no other thread reads them. 16 bytes at a time where all spans start at multiples of 16, four such accesses of each operand in flight.

constexpr int elementwise_unroll = 4;

// y[i] = f(x[i])
template <typename E, typename Function>
__device__ inline void elementwise_unary(const E* x, E* y, long long length, Function f) {
    constexpr int count = Pack<E>::Count;
    long long packs = aligned(x, y) ? length / count : 0, step = grid_threads(), i = grid_thread();
    for (; i + (elementwise_unroll - 1) * step < packs; i += elementwise_unroll * step) {
        Pack<E> value[elementwise_unroll];
#pragma unroll
        for (int k = 0; k < elementwise_unroll; k++) value[k] = Pack<E>::load(x + (i + k * step) * count);
#pragma unroll
        for (int k = 0; k < elementwise_unroll; k++) {
#pragma unroll
            for (int j = 0; j < count; j++) value[k].value[j] = f(value[k].value[j]);
            value[k].store(y + (i + k * step) * count);
        }
    }
    for (; i < packs; i += step) {
        Pack<E> value = Pack<E>::load(x + i * count);
#pragma unroll
        for (int j = 0; j < count; j++) value.value[j] = f(value.value[j]);
        value.store(y + i * count);
    }
    for (i = packs * count + grid_thread(); i < length; i += step) y[i] = from_float<E>(f(to_float(x[i])));
}

// z[i] = f(x[i], y[i])
template <typename E, typename Function>
__device__ inline void elementwise_binary(const E* x, const E* y, E* z, long long length, Function f) {
    constexpr int count = Pack<E>::Count;
    long long packs = aligned(x, y, z) ? length / count : 0, step = grid_threads(), i = grid_thread();
    for (; i + (elementwise_unroll - 1) * step < packs; i += elementwise_unroll * step) {
        Pack<E> left[elementwise_unroll], right[elementwise_unroll];
#pragma unroll
        for (int k = 0; k < elementwise_unroll; k++) {
            left[k] = Pack<E>::load(x + (i + k * step) * count);
            right[k] = Pack<E>::load(y + (i + k * step) * count);
        }
#pragma unroll
        for (int k = 0; k < elementwise_unroll; k++) {
#pragma unroll
            for (int j = 0; j < count; j++) left[k].value[j] = f(left[k].value[j], right[k].value[j]);
            left[k].store(z + (i + k * step) * count);
        }
    }
    for (; i < packs; i += step) {
        Pack<E> left = Pack<E>::load(x + i * count), right = Pack<E>::load(y + i * count);
#pragma unroll
        for (int j = 0; j < count; j++) left.value[j] = f(left.value[j], right.value[j]);
        left.store(z + i * count);
    }
    for (i = packs * count + grid_thread(); i < length; i += step) z[i] = from_float<E>(f(to_float(x[i]), to_float(y[i])));
}

// Two tensors under broadcasting. Twin: BroadcastSize.cs. Rows of `inner` elements, in which an input walks along or stays; outside the row `rank`
// axes, of which the first changes fastest, with the inputs' strides.
struct BroadcastAxes {
    static constexpr int MaxRank = 5;
    long long inner;
    int walks_a, walks_b, rank;
    long long size[MaxRank], stride_a[MaxRank], stride_b[MaxRank];

    // Where the inputs stand for element i of the output.
    __device__ void at(long long i, long long& a, long long& b) const {
        long long column, row = divide(i, inner, column);
        a = walks_a ? column : 0;
        b = walks_b ? column : 0;
#pragma unroll
        for (int axis = 0; axis < MaxRank; axis++) {
            if (axis < rank) {
                long long index = row;
                // The last axis is what the others leave.
                if (axis + 1 < rank) row = divide(row, size[axis], index);
                a += index * stride_a[axis];
                b += index * stride_b[axis];
            }
        }
    }
};

// z = f(x, y) under broadcasting. `packed` says that rows, strides and addresses of what walks are multiples of 16 bytes.
template <typename E, typename Function>
__device__ inline void elementwise_broadcast(const E* x, const E* y, E* z, long long length, int packed, const BroadcastAxes& axes, Function f) {
    constexpr int count = Pack<E>::Count;
    for_each_element<count>(
        length, packed != 0,
        [&](long long i) {
            long long a, b;
            axes.at(i, a, b);
            Pack<E> left, right;
            if (axes.walks_a) {
                left = Pack<E>::load(x + a);
            } else {
#pragma unroll
                for (int j = 0; j < count; j++) left.value[j] = to_float(x[a]);
            }
            if (axes.walks_b) {
                right = Pack<E>::load(y + b);
            } else {
#pragma unroll
                for (int j = 0; j < count; j++) right.value[j] = to_float(y[b]);
            }
#pragma unroll
            for (int j = 0; j < count; j++) left.value[j] = f(left.value[j], right.value[j]);
            left.store(z + i);
        },
        [&](long long i) {
            long long a, b;
            axes.at(i, a, b);
            z[i] = from_float<E>(f(to_float(x[a]), to_float(y[b])));
        });
}
