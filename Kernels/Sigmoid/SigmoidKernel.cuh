// y = 1 / (1 + e^-x), and dx = dy y (1 - y). Twins: SigmoidKernel.Cpu.cs, VectorMath.Sigmoid. Shapes and loops: Runtime/Elementwise.cuh.
__device__ inline float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

struct SigmoidFunction {
    __device__ float operator()(float x) const { return sigmoid(x); }
};

struct SigmoidSlope {
    __device__ float operator()(float y, float dy) const { return dy * (y * (1.0f - y)); }
};
