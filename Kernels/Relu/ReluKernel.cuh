// y = max(0, x), and dx = dy where y > 0. Twin: ReluKernel.Cpu.cs. Shapes and loops: Runtime/Elementwise.cuh.

// Not a maximum: NaN must stay NaN.
struct ReluFunction {
    __device__ float operator()(float x) const { return x < 0.0f ? 0.0f : x; }
};

struct ReluSlope {
    __device__ float operator()(float y, float dy) const { return y > 0.0f ? dy : 0.0f; }
};
