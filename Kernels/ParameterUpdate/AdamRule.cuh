// Twin: AdamRule.cs, where the factors are explained. It remembers the first and the second moment.
struct AdamRule {
    static constexpr int States = 2;

    float gradient_scale, l2, beta1, gain1, beta2, gain2, step_size, root_scale, epsilon, decay;

    __device__ void update(float& p, float gradient, float& m, float& v) const {
        float g = fmaf(l2, p, gradient_scale * gradient);
        m = fmaf(beta1, m, gain1 * g);
        v = fmaf(beta2, v, gain2 * (g * g));
        float root = fmaf(root_scale, sqrtf(v), epsilon), decayed = fmaf(-decay, p, p);
        p = fmaf(-step_size, m / root, decayed);
    }
};
