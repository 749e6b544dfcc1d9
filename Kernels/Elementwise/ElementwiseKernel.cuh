// Functions y = f(x) of one element, and dx = dy f'(x) from x or from y as the slope's first argument says. Twins: ElementwiseKernel.Cpu.cs, VectorMath.cs,
// NormalDistribution.cs. Shapes and loops: Runtime/Elementwise.cuh.

// y = e^x, and dx = dy y.
struct ExpFunction {
    __device__ float operator()(float x) const { return expf(x); }
};

struct ExpSlope {
    __device__ float operator()(float y, float dy) const { return dy * y; }
};

// y = max(0, x), and dx = dy where y > 0. Not a maximum: NaN must stay NaN.
struct ReluFunction {
    __device__ float operator()(float x) const { return x < 0.0f ? 0.0f : x; }
};

struct ReluSlope {
    __device__ float operator()(float y, float dy) const { return y > 0.0f ? dy : 0.0f; }
};

// y = 1 / (1 + e^-x), and dx = dy y (1 - y).
__device__ inline float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

struct SigmoidFunction {
    __device__ float operator()(float x) const { return sigmoid(x); }
};

struct SigmoidSlope {
    __device__ float operator()(float y, float dy) const { return dy * (y * (1.0f - y)); }
};

// y = tanh x, and dx = dy (1 - tanh(x)^2).
struct TanhFunction {
    __device__ float operator()(float x) const { return tanhf(x); }
};

struct TanhSlope {
    __device__ float operator()(float x, float dy) const {
        float y = tanhf(x);
        return dy * (1.0f - y * y);
    }
};

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

// y = x Phi(x), and dx = dy (Phi(x) + x phi(x)).
struct GeluFunction {
    __device__ float operator()(float x) const { return x * normal_cumulative(x); }
};

struct GeluSlope {
    __device__ float operator()(float x, float dy) const { return dy * fmaf(x, normal_density(x), normal_cumulative(x)); }
};
