// z = x - y. Twin: SubtractKernel.Cpu.cs. Shapes and loops: Runtime/Elementwise.cuh.
struct SubtractFunction {
    __device__ float operator()(float x, float y) const { return x - y; }
};
