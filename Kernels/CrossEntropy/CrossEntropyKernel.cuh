// Label-smoothed cross-entropy on logits that a matrix product has made. Twin: CrossEntropyKernel.Cpu.cs, CrossEntropyBlock.Cpu.cs.

// One row of logits [rows, stride], float, of which `classes` count, a block for each: the row's loss and -ln p[target], and the gradient p - q [rows, stride],
// which may be null, or the logits themselves where it is float. The row is read twice, the second time from the cache. bias [classes], float, may be null;
// targets int32 and losses, nlls are those of the block's first row and on. Rows whose target is the padding have no loss and a gradient of zeros.
template <typename E>
__device__ inline void cross_entropy_rows(
    const float* logits, const float* bias, const int* targets, double* losses, double* nlls, E* gradient, int classes, long long stride, int padding,
    double on_every, double on_target) {
    constexpr int count = Pack<E>::Count;
    long long n = blockIdx.x;
    int target = targets[n], whole = aligned(logits, bias, gradient) && stride % count == 0 ? classes / count * count : 0;
    const float* row = logits + n * stride;
    E* target_row = gradient == nullptr ? nullptr : gradient + n * stride;
    if (target == padding) {
        if (threadIdx.x == 0) losses[n] = nlls[n] = 0.0;
        if (gradient != nullptr) {
            for (int c = threadIdx.x; c < classes; c += blockDim.x) target_row[c] = from_float<E>(0.0f);
        }
        return;
    }

    auto one = [&](int c) { return row[c] + (bias == nullptr ? 0.0f : bias[c]); };
    auto pack = [&](int c, float(&value)[count]) {
        load_elements<count>(row + c, value);
        if (bias != nullptr) {
            float add[count];
            load_elements<count>(bias + c, add);
#pragma unroll
            for (int j = 0; j < count; j++) value[j] += add[j];
        }
    };

    // Differences are taken from a number of the row until the maximum is known: sums of the logits themselves would drown in a large common part.
    float first = one(0), base = is_finite(first) ? first : 0.0f, differences = 0.0f, at_target = one(target);
    Exponentials seen = no_exponentials();
#pragma unroll 2
    for (int c = threadIdx.x * count; c < whole; c += blockDim.x * count) {
        float value[count];
        pack(c, value);
        seen = with_elements<count>(seen, value);
#pragma unroll
        for (int j = 0; j < count; j++) differences += value[j] - base;
    }
    for (int c = whole + threadIdx.x; c < classes; c += blockDim.x) {
        float value[1] = {one(c)};
        seen = with_elements<1>(seen, value);
        differences += value[0] - base;
    }
    // Its barriers also stand between reading the target's logit and overwriting it.
    seen = block_reduce<JoinExponentials>(seen, no_exponentials());
    double below = block_sum(static_cast<double>(differences));
    // Double precision is slow on a GPU: one thread has it.
    if (threadIdx.x == 0) {
        double max = seen.max, log_sum = log(static_cast<double>(seen.sum));
        double nll = log_sum - (static_cast<double>(at_target) - max);
        below -= classes * (max - static_cast<double>(base));
        nlls[n] = nll;
        losses[n] = on_target * nll + (on_every == 0.0 ? 0.0 : on_every * (classes * log_sum - below));
    }
    if (gradient == nullptr) return;

    float scale = 1.0f / seen.sum, shift = static_cast<float>(-on_every), step = static_cast<float>(on_target);
    auto difference = [&](int c, float logit) {
        float p = fmaf(expf(logit - seen.max), scale, shift);
        return c == target ? p - step : p;
    };
    for (int c = threadIdx.x * count; c < whole; c += blockDim.x * count) {
        float value[count];
        pack(c, value);
#pragma unroll
        for (int j = 0; j < count; j++) value[j] = difference(c + j, value[j]);
        store_elements<count>(target_row + c, value);
    }
    for (int c = whole + threadIdx.x; c < classes; c += blockDim.x) target_row[c] = from_float<E>(difference(c, one(c)));
}

// loss and nll are the sums of the rows' [rows], in one order; one block.
__device__ inline void cross_entropy_sum(const double* losses, const double* nlls, float* loss, float* nll, int rows) {
    double loss_sum = 0.0, nll_sum = 0.0;
    for (int n = threadIdx.x; n < rows; n += blockDim.x) {
        loss_sum += losses[n];
        nll_sum += nlls[n];
    }
    loss_sum = block_sum(loss_sum);
    nll_sum = block_sum(nll_sum);
    if (threadIdx.x == 0) {
        *loss = static_cast<float>(loss_sum);
        *nll = static_cast<float>(nll_sum);
    }
}

// y [rows, channels] = x, with zeros in the rows of padding: what stands there must not reach a sum, not even as 0 * NaN. In place, only those are touched.
template <typename E>
__device__ inline void cross_entropy_clear_padding(const E* x, const int* targets, E* y, long long length, int channels, int padding) {
    constexpr int count = Pack<E>::Count;
    auto kept = [&](long long i) {
        long long c;
        return targets[divide(i, channels, c)] != padding;
    };
    for_each_element<count>(
        length, channels % count == 0 && aligned(x, y),
        [&](long long i) {
            bool keep = kept(i);
            if (keep && x == y) return;
            Pack<E> pack = {};
            if (keep) pack = Pack<E>::load(x + i);
            pack.store(y + i);
        },
        [&](long long i) {
            bool keep = kept(i);
            if (keep && x == y) return;
            y[i] = keep ? x[i] : from_float<E>(0.0f);
        });
}

// scaled = gradient * dloss[0], which is float.
template <typename E>
__device__ inline void cross_entropy_backward(const float* dloss, const E* gradient, E* scaled, long long length) {
    elementwise_unary(gradient, scaled, length, ScaleFunction{*dloss});
}
