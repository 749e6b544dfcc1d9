// Twin: AdadeltaRule.cs, where the factors are explained. It remembers the averages of squared gradients and of squared changes.
struct AdadeltaRule {
    static constexpr int States = 2;

    float gradient_scale, l2, rho, gain, epsilon, step_size;

    __device__ void update(float& p, float gradient, float& squares, float& changes) const {
        float g = fmaf(l2, p, gradient_scale * gradient);
        squares = fmaf(rho, squares, gain * (g * g));
        float change = sqrtf(changes + epsilon) / sqrtf(squares + epsilon) * g;
        changes = fmaf(rho, changes, gain * (change * change));
        p = fmaf(-step_size, change, p);
    }
};
