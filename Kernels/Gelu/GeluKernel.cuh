// y = x Phi(x), and dx = dy (Phi(x) + x phi(x)). Twins: GeluKernel.Cpu.cs, NormalDistribution.cs. Shapes and loops: Runtime/Elementwise.cuh.

// The probability of a value below x, by the polynomial whose errors NormalDistribution.Cumulative states.
__device__ inline float normal_cumulative(float x) {
    float t = fabsf(x), q = 1.6914228e-8f;
    q = fmaf(q, t, -5.2078968e-7f);
    q = fmaf(q, t, 6.849234e-6f);
    q = fmaf(q, t, -4.887616e-5f);
    q = fmaf(q, t, 1.805318e-4f);
    q = fmaf(q, t, 2.5984174e-5f);
    q = fmaf(q, t, -4.845227e-3f);
    q = fmaf(q, t, 3.6368795e-2f);
    q = fmaf(q, t, 3.1830156e-1f);
    q = fmaf(q, t, 7.9788536e-1f);
    q = fmaf(q, t, 6.9314718e-1f);
    float tail = t > 6.0f ? 0.0f : expf(-q);
    return x < 0.0f ? tail : 1.0f - tail;
}

__device__ inline float normal_density(float x) { return expf(x * x * -0.5f) * 0.3989422804f; }

struct GeluFunction {
    __device__ float operator()(float x) const { return x * normal_cumulative(x); }
};

struct GeluSlope {
    __device__ float operator()(float x, float dy) const { return dy * fmaf(x, normal_density(x), normal_cumulative(x)); }
};
