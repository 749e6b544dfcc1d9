// Label-smoothed negative log-likelihood of given log probabilities. Twin: NegativeLogLikelihoodKernel.Cpu.cs. x, dx [rows, classes], float; targets int32 [rows]; a block for
// each row. Rows whose target is the padding have no loss and a gradient of zeros.

__device__ inline void negative_log_likelihood_rows(
    const float* x, const int* targets, double* losses, double* nlls, int classes, int padding, double on_every, double on_target) {
    long long n = blockIdx.x;
    int target = targets[n];
    if (target == padding) {
        if (threadIdx.x == 0) losses[n] = nlls[n] = 0.0;
        return;
    }
    const float* row = x + n * classes;
    float part = 0.0f;
    if (on_every != 0.0) {
        for (int c = threadIdx.x; c < classes; c += blockDim.x) part += row[c];
    }
    double sum = block_sum(static_cast<double>(part));
    if (threadIdx.x == 0) {
        double nll = -static_cast<double>(row[target]);
        nlls[n] = nll;
        losses[n] = on_target * nll - (on_every == 0.0 ? 0.0 : on_every * sum);
    }
}

__device__ inline void negative_log_likelihood_backward(
    const float* dloss, const int* targets, float* dx, int classes, int padding, double on_every, double on_target) {
    long long n = blockIdx.x;
    int target = targets[n];
    float every = target == padding ? 0.0f : static_cast<float>(-*dloss * on_every), at_target = static_cast<float>(-*dloss * (on_every + on_target));
    for (int c = threadIdx.x; c < classes; c += blockDim.x) dx[n * classes + c] = c == target && target != padding ? at_target : every;
}
