// Twins: SgdRule.cs, where the factors are explained. The first remembers nothing, the second the velocity.
struct SgdRule {
    static constexpr int States = 0;

    float gradient_scale, l2, step_size;

    __device__ void update(float& p, float gradient, float&, float&) const { p = fmaf(-step_size, fmaf(l2, p, gradient_scale * gradient), p); }
};

struct MomentumRule {
    static constexpr int States = 1;

    float gradient_scale, l2, momentum, step_size;
    bool nesterov;

    __device__ void update(float& p, float gradient, float& velocity, float&) const {
        float g = fmaf(l2, p, gradient_scale * gradient);
        velocity = fmaf(momentum, velocity, g);
        p = fmaf(-step_size, nesterov ? fmaf(momentum, velocity, g) : velocity, p);
    }
};
